// Every network that the options can ask for, held to the same promises. A new encoder or fusion is
// tested by standing in its table of choices.
#include "nn/network.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "diptych/model.h"
#include "nn/made_up_rows.h"
#include "nn/model_file.h"

namespace diptych {
namespace {

// "one of: a, b" → a, b. Inputs have commas in their names and are separated by " | ".
std::vector<std::string> choices_of(const std::string& name) {
  const auto option = std::find_if(options().begin(), options().end(),
                                   [&](const Option& row) { return row.name == name; });
  std::string rest = option->values.substr(std::string("one of: ").size());
  const std::string separator = rest.find(" | ") != std::string::npos ? " | " : ", ";
  std::vector<std::string> names;
  for (std::size_t end; (end = rest.find(separator)) != std::string::npos;) {
    names.push_back(rest.substr(0, end));
    rest = rest.substr(end + separator.size());
  }
  names.push_back(rest);
  return names;
}

// Every combination of what a network is chosen by, for one preset.
std::vector<Config> combinations(const std::string& preset) {
  Config base;
  set_option(base, "preset", preset, "test");
  std::vector<Config> all{small(preset_config(base.preset))};
  for (const char* option : {"image-encoder", "text-encoder", "fusion", "inputs"}) {
    std::vector<Config> wider;
    for (const Config& config : all) {
      for (const std::string& choice : choices_of(option)) {
        wider.push_back(config);
        set_option(wider.back(), option, choice, "test");
      }
    }
    all = std::move(wider);
  }
  return all;
}

std::string name_of(const Config& config) {
  std::string name;
  for (const Option& option : options()) {
    for (const char* wanted : {"preset", "image-encoder", "text-encoder", "fusion", "inputs"}) {
      if (option.name == wanted) name += option.get(config) + " ";
    }
  }
  return name;
}

constexpr int kClasses = 3;

struct Case {
  explicit Case(const Config& config)
      : made(made_up_rows({.rows = 64, .side = config.image_size, .gaps = true})),
        preprocessor(Preprocessor::from_config(config, tokenizer_for(config, made.dataset))),
        network(config, {preprocessor.tokenizer.vocabulary_size(), kClasses}, /*seed=*/5),
        config(config) {
    network.set_pixel_statistics({0.4F, 0.5F, 0.6F}, {0.2F, 0.25F, 0.3F});
    // Biases that start at zero would hide what is added where nothing is.
    const torch::NoGradGuard no_grad;
    for (torch::Tensor& parameter : network.parameters()) {
      if (parameter.dim() == 1) parameter.add_(torch::cos(torch::arange(parameter.numel())) * 0.2);
    }
  }

  Batch batch(int begin, int count) const { return batch_of(made, preprocessor, begin, count); }
  torch::Tensor ask(const Batch& batch) {
    const torch::InferenceMode inference;
    Pass pass;
    return Network::probabilities(network.forward(network.input_from(batch), pass));
  }

  // What training would see: every random draw the same each time.
  torch::Tensor loss(const NetworkInput& input, bool mixes) {
    Pass pass;
    pass.training = true;
    pass.generator = at::make_generator<at::CPUGeneratorImpl>(9);
    Mixing mixing{0.7, torch::arange(input_size(input)).flip(0)};
    torch::Tensor sum = torch::zeros({});
    for (const torch::Tensor& logits : network.forward(input, pass, mixes ? &mixing : nullptr)) {
      sum = sum - torch::log_softmax(logits, 1).select(1, 1).mean();
    }
    return sum;
  }
  std::int64_t input_size(const NetworkInput& input) const {
    return input.pixels.defined() ? input.pixels.size(0) : input.text.size;
  }

  MadeUpRows made;
  Preprocessor preprocessor;
  Network network;
  Config config;
};

void for_every_network(const std::function<void(Case&)>& holds) {
  at::set_num_threads(1);
  int networks = 0;
  for (const std::string& preset : choices_of("preset")) {
    for (const Config& config : combinations(preset)) {
      SCOPED_TRACE(name_of(config));
      Case item(config);
      holds(item);
      ++networks;
      if (testing::Test::HasFatalFailure()) return;
    }
  }
  EXPECT_GE(networks, 2 * 2 * 3 * 3);
}

double distance(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

// The same rows with `more` further pads after each text.
Batch padded(const Batch& batch, int more) {
  Batch result = batch;
  if (batch.lengths.empty()) return result;
  result.max_tokens += more;
  result.tokens.clear();
  result.ngram_offsets = {0};
  for (int at = 0; at < batch.size * result.max_tokens; ++at) {
    const int row = at / result.max_tokens, token = at % result.max_tokens;
    const bool there = token < batch.max_tokens;
    const auto from = static_cast<std::size_t>(row * batch.max_tokens + token);
    result.tokens.push_back(there ? batch.tokens[from] : kPadToken);
    result.ngram_offsets.push_back(there ? batch.ngram_offsets[from + 1]
                                         : result.ngram_offsets.back());
  }
  return result;
}

TEST(EveryNetwork, AnswersEachRowWithProbabilities) {
  for_every_network([](Case& item) {
    for (const int count : {1, 5}) {
      const torch::Tensor answers = item.ask(item.batch(0, count));
      ASSERT_EQ(answers.sizes(), (std::vector<std::int64_t>{count, kClasses}));
      EXPECT_EQ(answers.scalar_type(), at::kFloat);
      EXPECT_TRUE((answers >= 0).all().item<bool>());
      EXPECT_LT(distance(answers.sum(1), torch::ones({count})), 1e-6);
    }
  });
}

TEST(EveryNetwork, GivesEveryParameterAGradient) {
  for_every_network([](Case& item) {
    const NetworkInput input = item.network.input_from(item.batch(0, 24));
    item.loss(input, false).backward();
    for (const auto& parameter : item.network.named_parameters()) {
      ASSERT_TRUE(parameter.value().grad().defined()) << parameter.key();
      EXPECT_GT(parameter.value().grad().abs().sum().item<double>(), 0) << parameter.key();
    }
  });
}

// In fp32, along each parameter's own gradient, through dropout, hidden branches and mixing.
TEST(EveryNetwork, HasTheGradientThatFiniteDifferencesShow) {
  for_every_network([](Case& item) {
    const NetworkInput input = item.network.input_from(item.batch(0, 24));
    item.loss(input, true).backward();
    const torch::NoGradGuard no_grad;
    for (const auto& parameter : item.network.named_parameters()) {
      torch::Tensor tensor = parameter.value();
      const double size = tensor.grad().norm().item<double>();
      const torch::Tensor step = tensor.grad() * (3e-3 / std::max(1e-6, size));
      tensor.add_(step);
      const double above = item.loss(input, true).item<double>();
      tensor.sub_(step, 2);
      const double below = item.loss(input, true).item<double>();
      tensor.add_(step);
      EXPECT_NEAR((above - below) / 6e-3, size, 0.05 * size + 1e-3) << parameter.key();
    }
  });
}

TEST(EveryNetwork, AnswersARowTheSameAloneAmongOthersAndWithMorePadding) {
  for_every_network([](Case& item) {
    const Batch whole = item.batch(0, 64);
    const torch::Tensor together = item.ask(whole);
    EXPECT_LT(distance(item.ask(padded(whole, 3)), together), 1e-5);
    for (int row = 0; row < 64; ++row) {
      const torch::Tensor alone = item.ask(item.batch(row, 1));
      ASSERT_LT(distance(alone, together.narrow(0, row, 1)), 1e-5) << "row " << row;
    }
  });
}

TEST(EveryNetwork, TakesNothingFromAPictureOrATextThatIsMissing) {
  for_every_network([](Case& item) {
    Batch batch = item.batch(0, 8);
    std::fill(batch.has_image.begin(), batch.has_image.end(), 0);
    const torch::Tensor answers = item.ask(batch);
    EXPECT_TRUE(answers.isfinite().all().item<bool>());
    for (std::uint8_t& value : batch.pixels) value = static_cast<std::uint8_t>(255 - value);
    EXPECT_TRUE(torch::equal(item.ask(batch), answers));

    MadeUpRows silent = item.made;
    std::vector<Example> rows(silent.dataset.rows().begin(), silent.dataset.rows().end());
    for (Example& row : rows) row.text.clear();
    silent.dataset = Dataset(rows, silent.dataset.classes());
    batch = batch_of(silent, item.preprocessor, 0, 8);
    EXPECT_TRUE(item.ask(batch).isfinite().all().item<bool>());
    std::fill(batch.has_image.begin(), batch.has_image.end(), 0);
    const torch::Tensor of_nothing = item.ask(batch);
    EXPECT_TRUE(of_nothing.isfinite().all().item<bool>());
    EXPECT_LT(distance(of_nothing, of_nothing.narrow(0, 0, 1)), 1e-6);
  });
}

TEST(EveryNetwork, AnswersBitForBitTheSameOnceSavedAndLoaded) {
  for_every_network([](Case& item) {
    // Statistics of a training step, so that the buffers too hold numbers of their own.
    item.loss(item.network.input_from(item.batch(0, 24)), false);
    ModelDescription description;
    description.config = item.config;
    description.classes = item.made.dataset.classes();
    description.tokenizer = item.preprocessor.tokenizer;
    const std::string bytes = pack_model(item.network, description);
    const Model model = Model::from_bytes(bytes, "test");
    const Batch batch = item.batch(0, 16);
    item.network.pack(Arithmetic::fp32);
    const torch::Tensor expected = item.ask(batch).contiguous();
    const std::vector<float> answers = model.predict(batch).probabilities;
    ASSERT_EQ(answers.size(), static_cast<std::size_t>(expected.numel()));
    EXPECT_TRUE(std::equal(answers.begin(), answers.end(), expected.data_ptr<float>()));
    EXPECT_EQ(pack_model(*unpack_model(bytes, "test").network, description), bytes);
  });
}

TEST(EveryNetwork, IsMadeOfItsSeedAlone) {
  for_every_network([](Case& item) {
    const NetworkShape shape{item.preprocessor.tokenizer.vocabulary_size(), kClasses};
    const auto weights = [&](std::uint64_t seed) {
      const Network network(item.config, shape, seed);
      return torch::cat(network.named_parameters()["head.weight"].flatten());
    };
    EXPECT_TRUE(torch::equal(weights(5), weights(5)));
    EXPECT_FALSE(torch::equal(weights(5), weights(6)));
  });
}

TEST(EveryNetwork, HasAPlanOfItsShapesWithoutMemory) {
  for_every_network([](Case& item) {
    const Network plan =
        Network::plan(item.config, {item.preprocessor.tokenizer.vocabulary_size(), kClasses});
    const auto planned = state_of(plan), state = state_of(item.network);
    ASSERT_EQ(planned.size(), state.size());
    for (std::size_t i = 0; i < state.size(); ++i) {
      EXPECT_EQ(planned[i].first, state[i].first);
      EXPECT_EQ(planned[i].second.sizes(), state[i].second.sizes()) << state[i].first;
    }
  });
}

TEST(Network, HidesOneBranchOrTheOtherInTrainingButNeverBoth) {
  Config config = small(Config());
  config.dropout = 0;
  config.embedding_dropout = 0;
  // Of the same seed, so the same but for the hiding; 0.5 hides one of the two in every row.
  config.colour_bins = config.gradient_cells = 0;
  config.branch_dropout = 0;
  Case whole(config);
  config.branch_dropout = 0.5;
  Case hiding(config);
  NetworkInput input = whole.network.input_from(whole.batch(0, 64));
  Pass pass;
  pass.training = true;
  pass.generator = at::make_generator<at::CPUGeneratorImpl>(9);
  const torch::NoGradGuard no_grad;
  const torch::Tensor some = hiding.network.forward(input, pass).front();
  NetworkInput silent = input;
  silent.text.lengths = torch::zeros_like(input.text.lengths);
  const torch::Tensor image_alone = whole.network.forward(silent, pass).front();
  input.has_image = torch::zeros_like(input.has_image);
  const torch::Tensor text_alone = whole.network.forward(input, pass).front();
  const torch::Tensor is_image = (some - image_alone).abs().amax(1) < 1e-5,
                      is_text = (some - text_alone).abs().amax(1) < 1e-5;
  EXPECT_TRUE((is_image | is_text).all().item<bool>());
  EXPECT_GT(is_image.sum().item<int>(), 16);
  EXPECT_GT(is_text.sum().item<int>(), 16);
}

TEST(Network, HidesWhatIsLearntOrWhatIsDescribedInTraining) {
  Config config = small(Config());
  config.inputs = Inputs::image;
  config.dropout = 0;
  config.branch_dropout = 0;
  Case whole(config);
  config.branch_dropout = 0.5;
  Case hiding(config);
  NetworkInput input = whole.network.input_from(whole.batch(0, 64));
  Pass pass;
  pass.training = true;
  pass.generator = at::make_generator<at::CPUGeneratorImpl>(9);
  const torch::NoGradGuard no_grad;
  const torch::Tensor some = hiding.network.forward(input, pass).front();
  input.descriptors = torch::zeros_like(input.descriptors);
  const torch::Tensor learnt_alone = whole.network.forward(input, pass).front();
  const int hidden = ((some - learnt_alone).abs().amax(1) < 1e-5).sum().item<int>();
  EXPECT_GT(hidden, 16);
  EXPECT_LT(hidden, 48);
}

// Moves one row of the table of word vectors; true when the answer to a text moves with it.
bool answer_depends_on(Case& item, const std::string& text, int table_row) {
  std::vector<Example> rows{item.made.dataset[0]};
  rows.front().text = text;
  MadeUpRows asked{Dataset(rows, item.made.dataset.classes()), item.made.images};
  const Batch batch = batch_of(asked, item.preprocessor, 0, 1);
  const torch::Tensor before = item.ask(batch);
  const torch::NoGradGuard no_grad;
  const torch::Tensor row =
      item.network.named_parameters()["text.embedding.weight"].detach()[table_row];
  row.add_(0.5);
  const torch::Tensor after = item.ask(batch);
  row.sub_(0.5);
  return !torch::equal(before, after);
}

TEST(Network, ReadsAnUnknownWordByItsNgramsAndOnlyWithoutThemByTheVectorForAllSuch) {
  Case with(small(Config())), without(small(preset_config(Preset::paper)));
  for (Case* item : {&with, &without}) {
    EXPECT_FALSE(answer_depends_on(*item, "apple", kUnknownToken));
    const int word = item->preprocessor.encode("apple").tokens.front();
    EXPECT_TRUE(answer_depends_on(*item, "apple", word));
    EXPECT_FALSE(answer_depends_on(*item, "apple zyzzyva", kPadToken));
  }
  EXPECT_FALSE(answer_depends_on(with, "zyzzyva", kUnknownToken));
  EXPECT_TRUE(answer_depends_on(without, "zyzzyva", kUnknownToken));
}

TEST(Network, WeighsItsThreeHeadsAlike) {
  const torch::Tensor a = torch::tensor({{1.0F, 0.0F}}), b = torch::tensor({{-2.0F, 0.5F}});
  const torch::Tensor p = Network::probabilities({a, b, a});
  const double first =
      std::cbrt(std::exp(2 * std::log(1 / (1 + std::exp(-1.0))) - std::log(1 + std::exp(2.5))));
  const double second =
      std::cbrt(std::exp(2 * std::log(1 / (1 + std::exp(1.0))) - std::log(1 + std::exp(-2.5))));
  EXPECT_NEAR(p[0][0].item<double>(), first / (first + second), 1e-6);
}

}  // namespace
}  // namespace diptych
