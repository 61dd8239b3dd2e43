// Each layer against plain loops, and its gradients against finite differences.
#include "nn/layers.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "nn/gradient_check.h"

namespace diptych {
namespace {

using Numbers = std::vector<double>;

at::Generator generator_of(std::uint64_t seed) {
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

template <typename Layer, typename... Arguments>
std::shared_ptr<Layer> made(Arguments... arguments) {
  at::Generator generator = generator_of(3);
  auto layer = std::make_shared<Layer>(arguments..., generator);
  layer->to(at::kDouble);
  return layer;
}

torch::Tensor parameter(const torch::nn::Module& layer, const std::string& name) {
  return layer.named_parameters()[name];
}

// Biases start at zero or one, where a mistake would not show.
void fill_with_numbers(torch::nn::Module& layer) {
  const torch::NoGradGuard no_grad;
  double phase = 0.1;
  for (torch::Tensor& tensor : layer.parameters()) {
    tensor.copy_(made_up_tensor(tensor.sizes(), phase += 0.7) * 0.6);
  }
}

std::vector<torch::Tensor> with_parameters(const torch::nn::Module& layer, torch::Tensor input) {
  std::vector<torch::Tensor> all = layer.parameters();
  all.push_back(std::move(input));
  return all;
}

Numbers numbers(const torch::Tensor& tensor) {
  const torch::Tensor whole = tensor.detach().contiguous().to(at::kDouble);
  return {whole.data_ptr<double>(), whole.data_ptr<double>() + whole.numel()};
}

void expect_near(const torch::Tensor& tensor, const Numbers& expected, double tolerance) {
  const Numbers found = numbers(tensor);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i], tolerance) << "element " << i;
  }
}

TEST(Dense, IsASumOfProductsPlusABias) {
  const auto layer = made<Dense>(4, 3);
  fill_with_numbers(*layer);
  const torch::Tensor x = made_up_tensor({2, 4});
  const Numbers w = numbers(parameter(*layer, "weight")), bias = numbers(parameter(*layer, "bias"));
  Numbers expected;
  for (std::size_t b = 0; b < 2; ++b) {
    for (std::size_t o = 0; o < 3; ++o) {
      double sum = bias[o];
      for (std::size_t i = 0; i < 4; ++i) sum += w[o * 4 + i] * numbers(x)[b * 4 + i];
      expected.push_back(sum);
    }
  }
  expect_near(layer->forward(x), expected, 1e-12);
  expect_gradients([&] { return weighed(layer->forward(x)); }, with_parameters(*layer, x));
}

// [B,I,H,W] with [O,I,3,3]: zero beyond the border.
Numbers convolved(const Numbers& x, const Numbers& w, const Numbers& bias, at::IntArrayRef shape) {
  const std::int64_t inputs = shape[1], height = shape[2], width = shape[3];
  const auto outputs = static_cast<std::int64_t>(bias.size());
  Numbers result;
  for (std::int64_t at = 0; at < shape[0] * outputs * height * width; ++at) {
    const std::int64_t column = at % width, row = at / width % height;
    const std::int64_t o = at / (width * height) % outputs, b = at / (width * height * outputs);
    double sum = bias[static_cast<std::size_t>(o)];
    for (std::int64_t i = 0; i < inputs; ++i) {
      for (std::int64_t tap = 0; tap < 9; ++tap) {
        const std::int64_t y = row + tap / 3 - 1, z = column + tap % 3 - 1;
        if (y < 0 || y >= height || z < 0 || z >= width) continue;
        sum += w[static_cast<std::size_t>((o * inputs + i) * 9 + tap)] *
               x[static_cast<std::size_t>(((b * inputs + i) * height + y) * width + z)];
      }
    }
    result.push_back(sum);
  }
  return result;
}

TEST(Convolution, IsASumOverThreeByThreeNeighbours) {
  const auto layer = made<Convolution>(Convolution::Options{2, 3});
  fill_with_numbers(*layer);
  const torch::Tensor x = made_up_tensor({2, 2, 5, 4});
  const Numbers expected = convolved(numbers(x), numbers(parameter(*layer, "weight")),
                                     numbers(parameter(*layer, "bias")), x.sizes());
  expect_near(layer->forward(x), expected, 1e-12);
  const torch::Tensor last = x.detach().contiguous(at::MemoryFormat::ChannelsLast);
  expect_near(layer->forward(last), expected, 1e-12);
  // The parameters stay as they are; the sums are taken in the input's precision.
  EXPECT_EQ(layer->forward(last.to(at::kBFloat16)).scalar_type(), at::kBFloat16);
  expect_near(layer->forward(last.to(at::kFloat)), expected, 1e-5);
  expect_near(layer->forward(last.to(at::kBFloat16)), expected, 0.1);
  expect_gradients([&] { return weighed(layer->forward(x)); }, with_parameters(*layer, x));
}

TEST(Convolution, WithoutBiasHasNone) {
  const auto layer = made<Convolution>(Convolution::Options{2, 3, /*bias=*/false, /*he=*/true});
  EXPECT_EQ(layer->parameters().size(), 1u);
  const torch::Tensor x = made_up_tensor({1, 2, 3, 3});
  expect_near(
      layer->forward(x),
      convolved(numbers(x), numbers(parameter(*layer, "weight")), Numbers(3, 0.0), x.sizes()),
      1e-12);
}

struct Moments {
  double mean = 0, variance = 0;  // biased
};

Moments moments_of(const Numbers& x, std::size_t channel, at::IntArrayRef shape) {
  const auto area = static_cast<std::size_t>(shape[2] * shape[3]);
  const auto channels = static_cast<std::size_t>(shape[1]);
  Moments moments;
  const double count = static_cast<double>(x.size() / channels);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i / area % channels == channel) moments.mean += x[i] / count;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i / area % channels != channel) continue;
    moments.variance += (x[i] - moments.mean) * (x[i] - moments.mean) / count;
  }
  return moments;
}

TEST(BatchNorm, StandardisesEachChannelAndRemembersItsMoments) {
  auto layer = std::make_shared<BatchNorm>(2, generator_of(3));
  layer->to(at::kDouble);
  fill_with_numbers(*layer);
  const torch::Tensor x = made_up_tensor({3, 2, 2, 3});
  const Numbers in = numbers(x), scale = numbers(parameter(*layer, "weight")),
                shift = numbers(parameter(*layer, "bias"));
  Pass training;
  training.training = true;
  const torch::Tensor out = layer->forward(x, training);
  Numbers expected(in.size()), mean, variance;
  for (std::size_t c = 0; c < 2; ++c) {
    const Moments moments = moments_of(in, c, x.sizes());
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (i / 6 % 2 != c) continue;
      expected[i] =
          (in[i] - moments.mean) / std::sqrt(moments.variance + 1e-5) * scale[c] + shift[c];
    }
    mean.push_back(0.1 * moments.mean);
    variance.push_back(0.9 + 0.1 * moments.variance * 18 / 17);
  }
  expect_near(out, expected, 1e-10);
  expect_near(layer->named_buffers()["running_mean"], mean, 1e-12);
  expect_near(layer->named_buffers()["running_var"], variance, 1e-12);

  const torch::Tensor asked = layer->forward(x, Pass());
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::size_t c = i / 6 % 2;
    expected[i] = (in[i] - mean[c]) / std::sqrt(variance[c] + 1e-5) * scale[c] + shift[c];
  }
  expect_near(asked, expected, 1e-10);
  expect_near(layer->named_buffers()["running_mean"], mean, 1e-12);  // asking changes nothing
  expect_gradients([&] { return weighed(layer->forward(x, training)); },
                   with_parameters(*layer, x));
}

TEST(BatchNorm, OneValueOfAChannelHasNoSpreadToLearnFrom) {
  BatchNorm layer(2, generator_of(3));
  Pass training;
  training.training = true;
  const torch::Tensor out = layer.forward(torch::full({1, 2, 1, 1}, 3.0), training);
  EXPECT_TRUE(out.isfinite().all().item<bool>());
  EXPECT_TRUE(layer.named_buffers()["running_var"].isfinite().all().item<bool>());
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// One direction over one row: the state [D] after each of the steps, in the order of `steps`.
std::vector<Numbers> lstm_states(const Lstm& layer, const std::string& suffix,
                                 const std::vector<Numbers>& steps) {
  const Numbers wi = numbers(parameter(layer, "weight_ih" + suffix)),
                wh = numbers(parameter(layer, "weight_hh" + suffix)),
                bi = numbers(parameter(layer, "bias_ih" + suffix)),
                bh = numbers(parameter(layer, "bias_hh" + suffix));
  const std::size_t features = bi.size() / 4;
  Numbers hidden(features, 0.0), cell(features, 0.0);
  std::vector<Numbers> states;
  for (const Numbers& x : steps) {
    Numbers gates(4 * features);
    for (std::size_t g = 0; g < gates.size(); ++g) {
      gates[g] = bi[g] + bh[g];
      for (std::size_t i = 0; i < x.size(); ++i) gates[g] += wi[g * x.size() + i] * x[i];
      for (std::size_t i = 0; i < features; ++i) gates[g] += wh[g * features + i] * hidden[i];
    }
    for (std::size_t d = 0; d < features; ++d) {
      cell[d] = logistic(gates[features + d]) * cell[d] +
                logistic(gates[d]) * std::tanh(gates[2 * features + d]);
      hidden[d] = logistic(gates[3 * features + d]) * std::tanh(cell[d]);
    }
    states.push_back(hidden);
  }
  return states;
}

class LstmOf : public testing::TestWithParam<bool> {};

TEST_P(LstmOf, EachRowRunsOverItsOwnStepsAlone) {
  constexpr std::size_t kRows = 3, kSteps = 5, kInputs = 2, kFeatures = 3;
  const std::vector<std::int64_t> lengths{2, 4, 1};  // none fills the batch
  const auto layer = made<Lstm>(Lstm::Options{kInputs, kFeatures, GetParam()});
  fill_with_numbers(*layer);
  const torch::Tensor x = made_up_tensor({kRows, kSteps, kInputs});
  const Numbers in = numbers(x);
  const std::size_t width = kFeatures * (GetParam() ? 2 : 1);
  Numbers all(kRows * kSteps * width, 0.0), last;
  for (std::size_t b = 0; b < kRows; ++b) {
    std::vector<Numbers> steps;
    for (std::size_t t = 0; t < static_cast<std::size_t>(lengths[b]); ++t) {
      const auto begin = in.begin() + static_cast<std::ptrdiff_t>((b * kSteps + t) * kInputs);
      steps.emplace_back(begin, begin + kInputs);
    }
    for (const bool reverse : {false, true}) {
      if (reverse && !GetParam()) continue;
      if (reverse) std::reverse(steps.begin(), steps.end());
      const auto states = lstm_states(*layer, reverse ? "_reverse" : "", steps);
      for (std::size_t t = 0; t < states.size(); ++t) {
        const std::size_t step = reverse ? states.size() - 1 - t : t;
        for (std::size_t d = 0; d < kFeatures; ++d) {
          all[(b * kSteps + step) * width + (reverse ? kFeatures : 0) + d] = states[t][d];
        }
      }
      last.insert(last.end(), states.back().begin(), states.back().end());
    }
  }
  const torch::Tensor given = torch::tensor(lengths);
  expect_near(layer->forward(x, given).all, all, 1e-12);
  expect_near(layer->forward(x, given).last, last, 1e-12);
  expect_gradients(
      [&] {
        const Lstm::Output output = layer->forward(x, given);
        return weighed(output.all) + weighed(output.last);
      },
      with_parameters(*layer, x));
}

INSTANTIATE_TEST_SUITE_P(Directions, LstmOf, testing::Bool());

TEST(Lstm, StartsByRemembering) {
  const auto layer = made<Lstm>(Lstm::Options{2, 3, true});
  for (const char* suffix : {"", "_reverse"}) {
    const Numbers bias = numbers(parameter(*layer, std::string("bias_ih") + suffix));
    EXPECT_EQ(bias, (Numbers{0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0}));
  }
}

TEST(Dropout, KeepsTheExpectationAndDrawsFromItsOwnGenerator) {
  const torch::Tensor x = torch::ones({100, 100}, at::kDouble);
  const auto dropped = [&](double p, bool training) {
    Pass pass;
    pass.training = training;
    pass.generator = generator_of(5);
    return dropout(x, p, pass);
  };
  const torch::Tensor some = dropped(0.25, true);
  EXPECT_TRUE(torch::equal(some, dropped(0.25, true)));
  EXPECT_NEAR(some.mean().item<double>(), 1, 0.02);
  EXPECT_NEAR((some == 0).to(at::kDouble).mean().item<double>(), 0.25, 0.02);
  EXPECT_TRUE(((some == 0) | ((some - 4.0 / 3).abs() < 1e-12)).all().item<bool>());
  EXPECT_TRUE(torch::equal(dropped(0.25, false), x));
  EXPECT_TRUE(torch::equal(dropped(0, true), x));

  const torch::Tensor input = made_up_tensor({4, 5});
  expect_gradients(
      [&] {
        Pass pass;
        pass.training = true;
        pass.generator = generator_of(5);
        return weighed(dropout(input, 0.25, pass).square());
      },
      {input});
}

TEST(InitialWeights, HaveTheSpreadThatTheirLayerNames) {
  const auto spread = [](const torch::nn::Module& layer) {
    return parameter(layer, "weight").square().mean().sqrt().item<double>();
  };
  // Uniform over ±bound has the deviation bound / √3.
  EXPECT_NEAR(spread(*made<Dense>(200, 100)), std::sqrt(6.0 / 300 / 3), 0.001);
  EXPECT_NEAR(spread(*made<Convolution>(Convolution::Options{32, 64})),
              std::sqrt(6.0 / (96 * 9) / 3), 0.001);
  EXPECT_NEAR(spread(*made<Convolution>(Convolution::Options{32, 64, false, true})),
              std::sqrt(2.0 / (64 * 9)), 0.001);
}

}  // namespace
}  // namespace diptych
