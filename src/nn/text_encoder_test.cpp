// Text encoders and fusions against plain loops, and their gradients against finite differences.
#include "nn/text_encoder.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "config/options.h"
#include "nn/fusion.h"
#include "nn/gradient_check.h"
#include "nn/made_up_rows.h"

namespace diptych {
namespace {

constexpr int kRows = 7;  // of the embedding table

std::shared_ptr<TextEncoder> made_encoder(TextEncoderKind kind) {
  Config config = small(preset_config(Preset::paper));
  config.text_encoder = kind;
  config.word_features = 3;
  config.text_features = 2;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  auto encoder = make_text_encoder(config, kRows, generator);
  encoder->to(at::kDouble);
  const torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : encoder->parameters()) {  // biases start at zero, and hide much
    if (parameter.dim() == 1) parameter.add_(made_up_tensor(parameter.sizes()) * 0.3 + 0.1);
  }
  return encoder;
}

// Three texts of 2, 0 and 3 tokens; bags of one to three rows of the table; padded to four.
TextInput made_up_input() {
  TextInput input;
  input.size = 3;
  input.max_tokens = 4;
  input.ids = torch::tensor(std::vector<std::int64_t>{2, 5, 6, 1, 3, 4, 4, 2, 6});
  input.offsets = torch::tensor(std::vector<std::int64_t>{0, 3, 4, 4, 4, 4, 4, 4, 4, 6, 8, 9, 9});
  input.lengths = input.host_lengths = torch::tensor(std::vector<std::int64_t>{2, 0, 3});
  return input;
}

TEST(AverageEncoder, IsTheMeanAndTheLargestOfEachFeatureOverTheTokens) {
  const auto encoder = made_encoder(TextEncoderKind::average);
  const TextInput input = made_up_input();
  const auto parameters = encoder->named_parameters();
  const torch::Tensor table = parameters["embedding.weight"], weight = parameters["dense.weight"],
                      bias = parameters["dense.bias"];
  Pass pass;
  const torch::Tensor out = encoder->forward(input, pass);
  ASSERT_EQ(out.sizes(), (std::vector<std::int64_t>{3, encoder->features()}));
  for (int b = 0; b < input.size; ++b) {
    const int length = input.lengths[b].item<int>();
    for (int d = 0; d < 2; ++d) {
      double sum = 0, largest = length ? -1e9 : 0;
      for (int t = 0; t < length; ++t) {
        const int begin = input.offsets[b * 4 + t].item<int>(),
                  end = input.offsets[b * 4 + t + 1].item<int>();
        double value = bias[d].item<double>();
        for (int i = begin; i < end; ++i) {
          const std::int64_t row = input.ids[i].item<std::int64_t>();
          for (int f = 0; f < 3; ++f) {
            value += weight[d][f].item<double>() * table[row][f].item<double>() / (end - begin);
          }
        }
        value = std::max(0.0, value);
        sum += value;
        largest = std::max(largest, value);
      }
      EXPECT_NEAR(out[b][d].item<double>(), sum / std::max(1, length), 1e-12);
      EXPECT_NEAR(out[b][2 + d].item<double>(), largest, 1e-12);
    }
  }
}

TEST(TextEncoders, HaveTheGradientsThatFiniteDifferencesShow) {
  const TextInput input = made_up_input();
  for (const auto kind :
       {TextEncoderKind::lstm, TextEncoderKind::bilstm, TextEncoderKind::average}) {
    SCOPED_TRACE(static_cast<int>(kind));
    const auto encoder = made_encoder(kind);
    expect_gradients(
        [&] {
          Pass pass;
          return weighed(encoder->forward(input, pass));
        },
        encoder->parameters());
  }
}

TEST(TextEncoders, ARowWithoutTextIsZeroAndMovesNothing) {
  const TextInput input = made_up_input();
  for (const auto kind :
       {TextEncoderKind::lstm, TextEncoderKind::bilstm, TextEncoderKind::average}) {
    const auto encoder = made_encoder(kind);
    Pass pass;
    const torch::Tensor row = encoder->forward(input, pass)[1];
    EXPECT_TRUE((row == 0).all().item<bool>());
    row.sum().backward();
    for (const torch::Tensor& parameter : encoder->parameters()) {
      EXPECT_TRUE(!parameter.grad().defined() || (parameter.grad() == 0).all().item<bool>());
    }
  }
}

TEST(Concatenation, IsBothSideBySideAndZeroWhereOneIsHidden) {
  const auto fusion = make_fusion(Config(), 2, 3);
  EXPECT_EQ(fusion->features(), 5);
  const torch::Tensor image = made_up_tensor({3, 2}), text = made_up_tensor({3, 3}, 1.0);
  const torch::Tensor present = torch::tensor({{1.0, 1.0}, {0.0, 1.0}, {1.0, 0.0}}, at::kDouble);
  const torch::Tensor out = fusion->forward(image, text, present);
  EXPECT_TRUE(torch::equal(out[0], torch::cat({image[0], text[0]})));
  EXPECT_TRUE(torch::equal(out[1], torch::cat({torch::zeros({2}, at::kDouble), text[1]})));
  EXPECT_TRUE(torch::equal(out[2], torch::cat({image[2], torch::zeros({3}, at::kDouble)})));
  expect_gradients([&] { return weighed(fusion->forward(image, text, present)); }, {image, text});
}

}  // namespace
}  // namespace diptych
