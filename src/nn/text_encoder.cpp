#include "nn/text_encoder.h"

#include <array>
#include <cmath>
#include <optional>

namespace diptych {
namespace {

// [rows,D] table; a token's vector is the mean of its bag (Bojanowski et al., TACL 2017).
class Embedding : public torch::nn::Module {
 public:
  // A word that training never saw keeps its first vector: a small one says little.
  static constexpr double kDeviation = 0.03;
  Embedding(int rows, int features, const at::Generator& generator, double deviation = kDeviation) {
    weight_ = register_parameter("weight", torch::empty({rows, features}, memory_of(generator)));
    fill_normal(weight_, deviation, generator);
  }
  // [B,T,D], zero for pads.
  torch::Tensor forward(const TextInput& input) const {
    constexpr int kMean = 1;
    const torch::Tensor vectors = std::get<0>(
        at::embedding_bag(weight_, input.ids, input.offsets, /*scale_grad_by_freq=*/false, kMean,
                          /*sparse=*/false, /*per_sample_weights=*/{},
                          /*include_last_offset=*/true));
    return vectors.view({input.size, input.max_tokens, -1});
  }
  // [B,D]: the weighted sum over a whole text. weights: [M].
  torch::Tensor forward(const TextInput& input, const torch::Tensor& weights) const {
    constexpr int kSum = 0;
    const torch::Tensor texts = input.offsets.slice(0, 0, std::nullopt, input.max_tokens);
    return std::get<0>(at::embedding_bag(weight_, input.ids, texts.contiguous(),
                                         /*scale_grad_by_freq=*/false, kSum, /*sparse=*/false,
                                         weights, /*include_last_offset=*/true));
  }

 private:
  torch::Tensor weight_;
};

torch::Tensor mask_of(const TextInput& input) {
  const torch::Tensor places = torch::arange(input.max_tokens, input.lengths.options());
  return places.unsqueeze(0) < input.lengths.unsqueeze(1);  // [B,T]
}

// Mean and maximum over the tokens that are there: [B,T,D] → [B,2D].
torch::Tensor mean_and_max(const torch::Tensor& x, const TextInput& input) {
  const torch::Tensor mask = mask_of(input).unsqueeze(2);
  const torch::Tensor count = input.lengths.clamp_min(1).unsqueeze(1).to(at::kFloat);
  const torch::Tensor mean = x.masked_fill(~mask, 0).sum(1) / count;
  const torch::Tensor largest = x.masked_fill(~mask, -1e4).amax(1);
  const torch::Tensor present = (input.lengths > 0).unsqueeze(1);
  return torch::cat({mean, largest}, 1).masked_fill(~present, 0);
}

// Word vectors and an LSTM: its last state, which is the paper's, or of a bidirectional one (Graves
// and Schmidhuber, 2005) mean and maximum of its states.
class LstmEncoder : public TextEncoder {
 public:
  LstmEncoder(const Config& config, int table_rows, const at::Generator& generator)
      : bidirectional_(config.text_encoder == TextEncoderKind::bilstm),
        features_((bidirectional_ ? 4 : 1) * config.text_features),
        dropout_(config.embedding_dropout) {
    embedding_ = register_module(
        "embedding", std::make_shared<Embedding>(table_rows, config.word_features, generator));
    const Lstm::Options options{config.word_features, config.text_features, bidirectional_};
    lstm_ = register_module("lstm", std::make_shared<Lstm>(options, generator));
  }
  torch::Tensor forward(const TextInput& input, Pass& pass) override {
    const torch::Tensor x = dropout(embedding_->forward(input), dropout_, pass);
    const torch::Tensor lengths = input.host_lengths.clamp_min(1);
    if (packed_) return present(last_states(x, lengths), input);
    const Lstm::Output states = lstm_->forward(x, lengths);
    if (bidirectional_) return mean_and_max(states.all, input);
    return present(states.last, input);
  }
  int features() const override { return features_; }
  void pack() override {
    if (!bidirectional_) packed_ = lstm_->packed();
  }

 private:
  static torch::Tensor present(const torch::Tensor& states, const TextInput& input) {
    return states.masked_fill(~(input.lengths > 0).unsqueeze(1), 0);
  }
  torch::Tensor last_states(const torch::Tensor& x, const torch::Tensor& lengths) const {
    const torch::Tensor states = torch::empty({x.size(0), features_});
    packed_->last_states(
        {x.const_data_ptr<float>(), static_cast<std::size_t>(x.numel())},
        {lengths.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(x.size(0))},
        states.data_ptr<float>());
    return states;
  }

  bool bidirectional_;
  int features_;
  double dropout_;
  std::shared_ptr<Embedding> embedding_;
  std::shared_ptr<Lstm> lstm_;
  std::optional<PackedLstm> packed_;
};

// Word vectors, one dense layer each, mean and maximum: blind to order, strong on few rows
// (after Iyyer et al., "Deep unordered composition rivals syntactic methods", ACL 2015).
class AverageEncoder : public TextEncoder {
 public:
  AverageEncoder(const Config& config, int table_rows, const at::Generator& generator)
      : features_(2 * config.text_features), dropout_(config.embedding_dropout) {
    embedding_ = register_module(
        "embedding", std::make_shared<Embedding>(table_rows, config.word_features, generator));
    dense_ = register_module(
        "dense", std::make_shared<Dense>(config.word_features, config.text_features, generator));
  }
  torch::Tensor forward(const TextInput& input, Pass& pass) override {
    const torch::Tensor x = dropout(embedding_->forward(input), dropout_, pass);
    return mean_and_max(torch::relu(dense_->forward(x)), input);
  }
  int features() const override { return features_; }

 private:
  int features_;
  double dropout_;
  std::shared_ptr<Embedding> embedding_;
  std::shared_ptr<Dense> dense_;
};

// One linear map of the text as a bag: words and n-grams by TF-IDF (Spärck Jones, 1972; Joulin et
// al., "Bag of tricks for efficient text classification", EACL 2017). What training never saw has
// no weight. Words and n-grams are each scaled to length 1, so that neither drowns the other.
class BagEncoder : public TextEncoder {
 public:
  BagEncoder(const Config& config, int table_rows, const at::Generator& generator)
      : features_(config.text_features), words_(table_rows - config.ngram_buckets) {
    constexpr double kDeviation = 0.01;
    embedding_ = register_module(
        "embedding", std::make_shared<Embedding>(table_rows, features_, generator, kDeviation));
    idf_ = register_buffer("idf", torch::ones({table_rows}, memory_of(generator)));
  }
  void set_document_frequencies(const torch::Tensor& idf) override { idf_.copy_(idf); }
  torch::Tensor forward(const TextInput& input, Pass&) override {
    return embedding_->forward(input, weights(input));
  }
  int features() const override { return features_; }

 private:
  torch::Tensor weights(const TextInput& input) const {
    torch::Tensor weights = idf_.index_select(0, input.ids);
    if (!weights.is_cpu()) return scaled(weights, input);
    const auto* ids = input.ids.data_ptr<std::int64_t>();
    const auto* offsets = input.offsets.data_ptr<std::int64_t>();
    auto* weight = weights.data_ptr<float>();
    for (int text = 0; text < input.size; ++text) {
      const std::int64_t begin = offsets[text * input.max_tokens];
      const std::int64_t end = offsets[(text + 1) * input.max_tokens];
      std::array<float, 2> squares{};  // of n-grams, of words
      for (std::int64_t i = begin; i < end; ++i) squares[ids[i] < words_] += weight[i] * weight[i];
      for (std::int64_t i = begin; i < end; ++i) {
        const float square = squares[ids[i] < words_];
        if (square > 0) weight[i] /= std::sqrt(square);
      }
    }
    return weights;
  }
  // The same in torch's operators.
  torch::Tensor scaled(const torch::Tensor& weights, const TextInput& input) const {
    const torch::Tensor ends = input.offsets.slice(0, input.max_tokens, {}, input.max_tokens);
    const torch::Tensor place = torch::arange(input.ids.size(0), input.ids.options());
    const torch::Tensor text = torch::searchsorted(ends.contiguous(), place, false, /*right=*/true);
    const torch::Tensor part = 2 * text + (input.ids < words_);
    const torch::Tensor squares =
        torch::zeros({2 * input.size}, weights.options()).index_add_(0, part, weights * weights);
    const torch::Tensor square = squares.index_select(0, part);
    return torch::where(square > 0, weights / square.sqrt(), weights);
  }

  int features_, words_;
  std::shared_ptr<Embedding> embedding_;
  torch::Tensor idf_;
};

}  // namespace

std::shared_ptr<TextEncoder> make_text_encoder(const Config& config, int table_rows,
                                               const at::Generator& generator) {
  switch (config.text_encoder) {
    case TextEncoderKind::lstm:
    case TextEncoderKind::bilstm:
      return std::make_shared<LstmEncoder>(config, table_rows, generator);
    case TextEncoderKind::average:
      return std::make_shared<AverageEncoder>(config, table_rows, generator);
    case TextEncoderKind::bag:
      return std::make_shared<BagEncoder>(config, table_rows, generator);
  }
  TORCH_INTERNAL_ASSERT(false);
}

}  // namespace diptych
