#include "nn/network.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include <cmath>

#include "base/rng.h"
#include "image/colour_histogram.h"
#include "image/gradient_histogram.h"
#include "nn/device.h"
#include "nn/device_pictures.h"
#include "nn/profile.h"

namespace diptych {
namespace {

template <typename T>
torch::Tensor copy_of(const std::vector<T>& values, at::ScalarType type) {
  return torch::from_blob(const_cast<T*>(values.data()), {static_cast<std::int64_t>(values.size())},
                          type)
      .clone();
}

// Words and n-grams of each token as one run of table rows.
TextInput text_input(const Batch& batch, int words) {
  std::vector<std::int64_t> ids, offsets{0};
  ids.reserve(batch.tokens.size() + batch.ngrams.size());
  offsets.reserve(batch.tokens.size() + 1);
  for (std::size_t token = 0; token < batch.tokens.size(); ++token) {
    const std::int32_t begin = batch.ngram_offsets[token], end = batch.ngram_offsets[token + 1];
    const std::int32_t word = batch.tokens[token];
    const bool known = word > 1;
    if (known || (word == 1 && begin == end)) ids.push_back(word);
    for (std::int32_t i = begin; i < end; ++i) ids.push_back(words + batch.ngrams[i]);
    offsets.push_back(static_cast<std::int64_t>(ids.size()));
  }
  TextInput input;
  input.ids = copy_of(ids, at::kLong);
  input.offsets = copy_of(offsets, at::kLong);
  input.lengths = input.host_lengths = copy_of(batch.lengths, at::kInt).to(at::kLong);
  input.size = batch.size;
  input.max_tokens = batch.max_tokens;
  return input;
}

// [B,3,H,W], channels last, where the batch has them.
torch::Tensor pixels_of(const Batch& batch) {
  auto* pixels = const_cast<std::uint8_t*>(batch.pixels.data());
  return torch::from_blob(pixels, {batch.size, batch.side, batch.side, 3}, at::kByte)
      .permute({0, 3, 1, 2});
}

std::size_t colours_of(const Config& config) {
  const auto bins = static_cast<std::size_t>(config.colour_bins);
  return bins > 1 ? bins * bins * bins : 0;
}

std::size_t gradients_of(const Config& config) {
  return config.gradient_cells > 1 ? gradient_histogram_size(config.gradient_cells) : 0;
}

constexpr float kColours = 3, kGradients = 0.5F;  // so that both have about the same length

torch::Tensor descriptors_of(const Batch& batch, const Config& config) {
  const std::size_t colours = colours_of(config), width = colours + gradients_of(config);
  const std::size_t picture = batch.pixels.size() / static_cast<std::size_t>(batch.size);
  std::vector<float> all(static_cast<std::size_t>(batch.size) * width);
  const auto describe = [&](std::size_t i) {
    const auto pixels = std::span(batch.pixels).subspan(i * picture, picture);
    const auto row = std::span(all).subspan(i * width, width);
    if (colours > 0) colour_histogram(pixels, config.colour_bins, row.first(colours));
    if (width > colours)
      gradient_histogram(pixels, batch.side, config.gradient_cells, row.subspan(colours));
    for (std::size_t k = 0; k < width; ++k) row[k] *= k < colours ? kColours : kGradients;
  };
  at::parallel_for(0, batch.size, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) describe(static_cast<std::size_t>(i));
  });
  return copy_of(all, at::kFloat).view({batch.size, -1});
}

}  // namespace

Network::Network(const Config& config, const NetworkShape& shape, std::uint64_t seed)
    : Network(config, shape,
              at::make_generator<at::CPUGeneratorImpl>(Rng(seed, Stream::init).next())) {}

Network Network::plan(const Config& config, const NetworkShape& shape) {
  return Network(config, shape, at::Generator());
}

std::shared_ptr<Network> Network::unfilled(const Config& config, const NetworkShape& shape,
                                           at::Device device) {
  const LeaveUnfilled leave(device);
  return std::make_shared<Network>(config, shape, /*seed=*/0);
}

Network::Network(const Config& config, const NetworkShape& shape, const at::Generator& generator)
    : config_(config),
      words_(shape.words),
      takes_image_(config.inputs != Inputs::text),
      takes_text_(config.inputs != Inputs::image) {
  const auto dense = [&](const char* name, int inputs, int outputs) {
    return register_module(name, std::make_shared<Dense>(inputs, outputs, generator));
  };
  std::vector<std::pair<std::string, int>> branches;  // name, features
  if (takes_image_) {
    pixel_mean_ = register_buffer("pixel_mean", torch::full({3}, 0.5, memory_of(generator)));
    pixel_deviation_ =
        register_buffer("pixel_deviation", torch::full({3}, 0.25, memory_of(generator)));
    image_ = register_module("image", make_image_encoder(config, generator));
    branches.emplace_back("image", image_->features());
    if (const auto size = colours_of(config) + gradients_of(config); size > 0) {
      descriptors_ = register_module(
          "descriptors", std::make_shared<DescriptorEncoder>(static_cast<int>(size),
                                                             config.image_features, generator));
      branches.back().second += config.image_features;
    }
  }
  int features = takes_image_ ? branches.front().second : 0;  // of what is classified
  if (takes_text_) {
    text_ = register_module(
        "text", make_text_encoder(config, shape.words + config.ngram_buckets, generator));
    branches.emplace_back("text", text_->features());
    if (takes_image_) {
      fusion_ = register_module("fusion", make_fusion(config, features, text_->features()));
    }
    features = fusion_ ? fusion_->features() : text_->features();
  }
  if (config.branch_heads && branches.size() > 1) {
    for (const auto& [name, width] : branches) {
      branch_heads_.push_back(dense((name + "_head").c_str(), width, shape.classes));
    }
  }
  if (config.hidden_features > 0) {
    hidden_ = dense("hidden", features, config.hidden_features);
    features = config.hidden_features;
  }
  head_ = dense("head", features, shape.classes);
}

void Network::set_pixel_statistics(const std::vector<float>& mean,
                                   const std::vector<float>& deviation) {
  if (!takes_image_) return;
  const torch::NoGradGuard no_grad;
  pixel_mean_.copy_(copy_of(mean, at::kFloat));
  pixel_deviation_.copy_(copy_of(deviation, at::kFloat));
}

// ln((1 + N) / (1 + n)) + 1 for a row that n of N texts have.
void Network::set_document_frequencies(std::size_t count,
                                       const std::function<Batch(std::size_t)>& text) {
  if (!takes_text_ || config_.text_encoder != TextEncoderKind::bag) return;
  const torch::NoGradGuard no_grad;
  torch::Tensor idf = torch::zeros({words_ + config_.ngram_buckets});
  auto* value = idf.data_ptr<float>();
  for (std::size_t row = 0; row < count; ++row) {
    const torch::Tensor ids = std::get<0>(at::_unique(text_input(text(row), words_).ids));
    for (std::int64_t i = 0; i < ids.numel(); ++i) ++value[ids.data_ptr<std::int64_t>()[i]];
  }
  const auto texts = static_cast<float>(count);
  for (std::int64_t row = 0; row < idf.numel(); ++row) {
    if (value[row] > 0) value[row] = std::log((1 + texts) / (1 + value[row])) + 1;
  }
  text_->set_document_frequencies(idf);
}

PackOptions Network::pack_options(Arithmetic arithmetic) const {
  PackOptions options;
  options.arithmetic = arithmetic;
  options.side = config_.image_size;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    options.mean[channel] = pixel_mean_.const_data_ptr<float>()[channel];
    options.deviation[channel] = pixel_deviation_.const_data_ptr<float>()[channel];
  }
  return options;
}

void Network::pack(Arithmetic arithmetic, const std::vector<float>& limits) {
  if (!packs_here() || !device().is_cpu()) return;
  if (takes_text_) text_->pack();
  if (!takes_image_) return;
  PackOptions options = pack_options(arithmetic);
  options.limits = limits;
  packed_image_ = std::make_unique<PackedImageEncoder>(image_->trained(), options);
}

std::size_t Network::convolutions() const {
  return takes_image_ ? image_->trained().convolutions.size() : 0;
}

std::vector<float> Network::limits(const Batch& batch) const {
  return PackedImageEncoder(image_->trained(), pack_options(Arithmetic::fp32))
      .limits(pixels_of(batch));
}

NetworkInput Network::input_from(const Batch& batch, std::span<const Augmentation> drawn) const {
  const ProfileScope scope("input");
  const at::Device place = device();
  NetworkInput input;
  if (takes_image_) {
    input.pixels = on_device(place.is_cpu() ? pixels_of(batch).clone() : pixels_of(batch), place);
    if (!drawn.empty()) input.pixels = augmented(input.pixels, drawn);
    input.has_image = on_device(copy_of(batch.has_image, at::kByte).to(at::kFloat), place);
    if (descriptors_) {
      input.descriptors =
          place.is_cpu() ? descriptors_of(batch, config_) : descriptors_on_device(input.pixels);
    }
  }
  if (takes_text_) {
    input.text = text_input(batch, words_);
    for (torch::Tensor* part : {&input.text.ids, &input.text.offsets, &input.text.lengths}) {
      *part = on_device(*part, place);
    }
  }
  return input;
}

torch::Tensor Network::descriptors_on_device(const torch::Tensor& pixels) const {
  std::vector<torch::Tensor> parts;
  if (colours_of(config_) > 0) {
    parts.push_back(colour_histograms(pixels, config_.colour_bins) * kColours);
  }
  if (gradients_of(config_) > 0) {
    parts.push_back(gradient_histograms(pixels, config_.gradient_cells) * kGradients);
  }
  return torch::cat(parts, 1);
}

// One draw a row: below p the first is hidden, above 1 - p the second; never both.
torch::Tensor Network::keep_either(std::int64_t rows, Pass& pass) const {
  if (!pass.training || config_.branch_dropout <= 0) return torch::ones({rows, 2}, device());
  const torch::Tensor own = torch::empty({rows}, device());
  const torch::Tensor draw =
      own_rows(whole_like(own, pass.part).uniform_(0, 1, pass.generator), pass.part);
  return torch::stack({draw >= config_.branch_dropout, draw < 1 - config_.branch_dropout}, 1)
      .to(at::kFloat);
}

std::vector<torch::Tensor> Network::branches(const NetworkInput& input, Pass& pass) {
  std::vector<torch::Tensor> features;
  if (takes_image_) {
    const torch::Tensor present = input.has_image.unsqueeze(1);
    torch::Tensor image =
        packed_image_ && !pass.training
            ? packed_image_->forward(input.pixels)
            : image_->forward({input.pixels, pixel_mean_, pixel_deviation_}, pass);
    if (descriptors_) {
      const ProfileScope scope("image.descriptors");
      const torch::Tensor described = descriptors_->forward(input.descriptors);
      const torch::Tensor keep = keep_either(image.size(0), pass);
      image = torch::cat({image * keep.slice(1, 0, 1), described * keep.slice(1, 1, 2)}, 1);
    }
    features.push_back(image * present);
  }
  if (takes_text_) {
    const ProfileScope scope("text");
    features.push_back(text_->forward(input.text, pass));
  }
  return features;
}

torch::Tensor Network::present(const NetworkInput& input, Pass& pass) const {
  const torch::Tensor has_text = (input.text.lengths > 0).to(at::kFloat);
  return torch::stack({input.has_image, has_text}, 1) * keep_either(has_text.size(0), pass);
}

torch::Tensor Network::classify(const torch::Tensor& fused, Pass& pass) {
  torch::Tensor x = dropout(fused, config_.dropout, pass);
  if (hidden_) x = dropout(torch::relu(hidden_->forward(x)), config_.dropout, pass);
  return head_->forward(x);
}

std::vector<torch::Tensor> Network::forward(const NetworkInput& input, Pass& pass,
                                            const Mixing* mixing) {
  std::vector<torch::Tensor> features = branches(input, pass);
  if (mixing) {
    for (torch::Tensor& x : features) {
      const torch::Tensor others =
          rows_of_all(x, pass.part).index_select(0, own_rows(mixing->other, pass.part));
      x = x * mixing->own + others * (1 - mixing->own);
    }
  }
  const ProfileScope scope("heads");
  const torch::Tensor joined =
      fusion_ ? fusion_->forward(features[0], features[1], present(input, pass)) : features[0];
  std::vector<torch::Tensor> logits{classify(joined, pass)};
  for (std::size_t i = 0; i < branch_heads_.size(); ++i) {
    logits.push_back(branch_heads_[i]->forward(dropout(features[i], config_.dropout, pass)));
  }
  return logits;
}

torch::Tensor Network::probabilities(const std::vector<torch::Tensor>& logits) {
  torch::Tensor sum = torch::log_softmax(logits.front(), 1);
  for (std::size_t head = 1; head < logits.size(); ++head) {
    sum = sum + torch::log_softmax(logits[head], 1);
  }
  return torch::softmax(sum / static_cast<double>(logits.size()), 1);
}

}  // namespace diptych
