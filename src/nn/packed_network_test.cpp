// The answering path against the layers it stands for.
#include <gtest/gtest.h>

#include "nn/made_up_rows.h"
#include "nn/network.h"

namespace diptych {
namespace {

constexpr int kClasses = 3, kRows = 40;

struct Shape {
  int side;
  std::vector<int> channels;
};
// Odd sides, channels that fill no register and more than one, and the shapes of the presets.
const std::vector<Shape> kShapes = {
    {16, {4, 6}}, {19, {3, 40, 33}}, {50, {16, 32, 64}}, {8, {1, 2}}, {80, {16, 32, 64, 128}}};

Config config_of(ImageEncoderKind kind, const Shape& shape) {
  Config config = small(preset_config(Preset::paper));
  config.image_encoder = kind;
  config.image_size = shape.side;
  config.channels = shape.channels;
  config.text_features = 21;
  return config;
}

class PackedNetwork : public testing::TestWithParam<ImageEncoderKind> {
 protected:
  void SetUp() override {
    if (!packs_here()) GTEST_SKIP() << "needs AVX2 with FMA";
  }
};

// A network whose normalisation and biases do something, as after training.
struct Case {
  explicit Case(const Config& config)
      : made(made_up_rows({.rows = kRows, .side = config.image_size, .gaps = true})),
        preprocessor(Preprocessor::from_config(config, tokenizer_for(config, made.dataset))),
        plain(network_of(config)),
        packed(network_of(config)) {}

  std::unique_ptr<Network> network_of(const Config& config) const {
    auto network = std::make_unique<Network>(
        config, NetworkShape{preprocessor.tokenizer.vocabulary_size(), kClasses}, /*seed=*/5);
    network->set_pixel_statistics({0.4F, 0.5F, 0.6F}, {0.2F, 0.25F, 0.3F});
    const torch::NoGradGuard no_grad;
    for (torch::Tensor& parameter : network->parameters()) {
      if (parameter.dim() == 1) parameter.add_(torch::cos(torch::arange(parameter.numel())) * 0.2);
    }
    for (torch::Tensor& buffer : network->buffers()) {
      if (buffer.numel() > 3) buffer.add_(torch::sin(torch::arange(buffer.numel())) * 0.3);
    }
    return network;
  }
  torch::Tensor ask(Network& network, int begin, int count, at::ScalarType compute = at::kFloat) {
    const torch::InferenceMode inference;
    Pass pass;
    pass.compute = compute;
    return network.forward(network.input_from(batch_of(made, preprocessor, begin, count)), pass)
        .front();
  }
  double furthest(at::ScalarType compute = at::kFloat) {
    const torch::Tensor wanted = ask(*plain, 0, kRows, compute);
    return ((ask(*packed, 0, kRows) - wanted).abs().max() / wanted.abs().max()).item<double>();
  }

  MadeUpRows made;
  Preprocessor preprocessor;
  std::unique_ptr<Network> plain, packed;
};

TEST_P(PackedNetwork, AnswersInFp32AsTheLayersUpToRounding) {
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(shape.side);
    Case both(config_of(GetParam(), shape));
    both.packed->pack(Arithmetic::fp32);
    EXPECT_LT(both.furthest(), 2e-6);
  }
}

TEST_P(PackedNetwork, AnswersInBf16AsNearAsTheLayersInBf16) {
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(shape.side);
    Case both(config_of(GetParam(), shape));
    both.packed->pack(Arithmetic::bf16);
    EXPECT_LT(both.furthest(), 0.02);
    EXPECT_GT(both.furthest(), 1e-6) << "this is fp32";
  }
}

TEST_P(PackedNetwork, AnswersInInt8NearbyOnceItsLimitsAreKnown) {
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(shape.side);
    Case both(config_of(GetParam(), shape));
    const Batch seen = batch_of(both.made, both.preprocessor, 0, kRows);
    both.packed->pack(Arithmetic::int8, both.plain->limits(seen));
    EXPECT_LT(both.furthest(), 0.05);
    EXPECT_GT(both.furthest(), 1e-6) << "this is fp32";
  }
}

TEST_P(PackedNetwork, GivesARowTheSameBitsInAnyBatchOnAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::bf16}) {
    Case both(config_of(GetParam(), {50, {16, 32, 64}}));
    both.packed->pack(arithmetic);
    at::set_num_threads(1);
    const torch::Tensor all = both.ask(*both.packed, 0, kRows);
    at::set_num_threads(2);
    const torch::Tensor again = both.ask(*both.packed, 0, kRows);
    EXPECT_TRUE(torch::equal(all, again));
    for (int row = 0; row < kRows; ++row) {
      const torch::Tensor alone = both.ask(*both.packed, row, 1);
      EXPECT_LT((alone - all.slice(0, row, row + 1)).abs().max().item<double>(), 1e-6);
    }
  }
  at::set_num_threads(threads);
}

INSTANTIATE_TEST_SUITE_P(, PackedNetwork,
                         testing::Values(ImageEncoderKind::plain, ImageEncoderKind::residual),
                         [](const auto& kind) {
                           return kind.param == ImageEncoderKind::plain ? "Plain" : "Residual";
                         });

}  // namespace
}  // namespace diptych
