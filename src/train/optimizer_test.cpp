// The optimiser against plain loops, and the schedules at their ends.
#include "train/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace diptych {
namespace {

using Numbers = std::vector<double>;

// Weights [2,3], a bias [3] and a table of word vectors [4,2], each with a gradient per step.
struct Parameters {
  std::vector<std::pair<std::string, torch::Tensor>> named{
      {"head.weight", torch::linspace(-1, 1, 6).view({2, 3}).clone()},
      {"head.bias", torch::linspace(0.1, 0.5, 3)},
      {"text.embedding.weight", torch::linspace(2, -2, 8).view({4, 2}).clone()}};

  Parameters() {
    for (auto& [name, tensor] : named) tensor.set_requires_grad(true);
  }
  void set_gradients(int step) {
    for (auto& [name, tensor] : named) {
      tensor.mutable_grad() =
          torch::sin(torch::arange(tensor.numel()) * 1.3F + step * 0.9F).view(tensor.sizes()) * 2;
    }
  }
};

Numbers numbers(const torch::Tensor& tensor) {
  const torch::Tensor whole = tensor.detach().contiguous().to(at::kDouble);
  return {whole.data_ptr<double>(), whole.data_ptr<double>() + whole.numel()};
}

double gradient_norm(const Parameters& parameters) {
  double sum = 0;
  for (const auto& [name, tensor] : parameters.named) {
    for (double g : numbers(tensor.grad())) sum += g * g;
  }
  return std::sqrt(sum);
}

// Algorithm 1 of Kingma and Ba; 2 of Loshchilov and Hutter when the decay is decoupled. A table
// shares the second moment of all its numbers (Ginsburg et al.).
struct PlainMoments {
  bool decoupled, shared;
  double decay, beta2;
  Numbers weights, first, second;
  int steps = 0;

  void step(Numbers gradients, double rate) {
    ++steps;
    first.resize(weights.size());
    second.resize(weights.size());
    double mean_square = 0;
    for (const double g : gradients) mean_square += g * g / static_cast<double>(gradients.size());
    for (std::size_t i = 0; i < weights.size(); ++i) {
      double& w = weights[i];
      if (decoupled) w -= rate * decay * w;
      const double g = gradients[i] + (decoupled ? 0 : decay * w);
      first[i] = 0.9 * first[i] + 0.1 * g;
      second[i] = beta2 * second[i] + (1 - beta2) * (shared ? mean_square : g * g);
      const double mean = first[i] / (1 - std::pow(0.9, steps));
      const double variance = second[i] / (1 - std::pow(beta2, steps));
      w -= rate * mean / (std::sqrt(variance) + 1e-8);
    }
  }
};

void expect_as_plain_loops(const Config& config) {
  Parameters parameters;
  AdaptiveMoments optimizer(config, parameters.named);
  const bool decoupled = config.optimizer == Optimizer::adamw;
  std::vector<PlainMoments> plain;
  for (const auto& [name, tensor] : parameters.named) {
    const double decay = name == "head.weight" ? config.weight_decay : 0;
    const bool shared = decoupled && name == "text.embedding.weight";
    plain.push_back({decoupled, shared, decay, decoupled ? 0.99 : 0.999, numbers(tensor), {}, {}});
  }
  for (int step = 0; step < 6; ++step) {
    parameters.set_gradients(step);
    const double rate = 0.05 / (step + 1), norm = gradient_norm(parameters);
    const double scale =
        config.clip_norm > 0 && norm > config.clip_norm ? config.clip_norm / norm : 1;
    for (std::size_t p = 0; p < plain.size(); ++p) {
      Numbers gradients = numbers(parameters.named[p].second.grad());
      for (double& g : gradients) g *= scale;
      plain[p].step(gradients, plain[p].shared ? config.embedding_rate * rate : rate);
    }
    ASSERT_TRUE(optimizer.step(rate));
    for (std::size_t p = 0; p < plain.size(); ++p) {
      EXPECT_FALSE(parameters.named[p].second.grad().defined());
      const Numbers found = numbers(parameters.named[p].second);
      for (std::size_t i = 0; i < found.size(); ++i) {
        ASSERT_NEAR(found[i], plain[p].weights[i], 2e-6)
            << parameters.named[p].first << ", element " << i << ", step " << step;
      }
    }
  }
}

Config config_of(Optimizer optimizer, double weight_decay, double clip_norm) {
  Config config;
  config.optimizer = optimizer;
  config.weight_decay = weight_decay;
  config.clip_norm = clip_norm;
  return config;
}

TEST(AdaptiveMoments, StepAsTheirPublicationsSay) {
  for (const Optimizer optimizer : {Optimizer::adam, Optimizer::adamw}) {
    for (const double decay : {0.0, 0.3}) {
      for (const double clip : {0.0, 1.0, 1000.0}) {
        SCOPED_TRACE(testing::Message()
                     << static_cast<int>(optimizer) << " " << decay << " " << clip);
        expect_as_plain_loops(config_of(optimizer, decay, clip));
      }
    }
  }
}

TEST(AdaptiveMoments, LeaveEverythingAsItWasWhenAGradientIsNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    Parameters parameters;
    AdaptiveMoments optimizer(config_of(Optimizer::adamw, 0.3, 0), parameters.named);
    parameters.set_gradients(0);
    ASSERT_TRUE(optimizer.step(0.1));
    std::vector<torch::Tensor> before;
    for (const auto& [name, tensor] : parameters.named) before.push_back(tensor.detach().clone());
    for (const auto& [name, tensor] : optimizer.state()) before.push_back(tensor.clone());

    parameters.set_gradients(1);
    parameters.named[1].second.mutable_grad()[2] = bad;
    EXPECT_FALSE(optimizer.step(0.1));
    std::size_t i = 0;
    for (const auto& [name, tensor] : parameters.named) {
      EXPECT_TRUE(torch::equal(tensor, before[i++])) << name;
      EXPECT_FALSE(tensor.grad().defined()) << name;
    }
    for (const auto& [name, tensor] : optimizer.state()) {
      EXPECT_TRUE(torch::equal(tensor, before[i++])) << name;
    }
  }
}

TEST(AdaptiveMoments, StepTheSameWithoutWaitingForTheDevice) {
  for (const Optimizer optimizer : {Optimizer::adam, Optimizer::adamw}) {
    for (const double clip : {0.0, 1.0, 1000.0}) {
      Parameters a, b;
      const Config config = config_of(optimizer, 0.3, clip);
      AdaptiveMoments waiting(config, a.named), unseen(config, b.named);
      for (int step = 0; step < 6; ++step) {
        a.set_gradients(step);
        b.set_gradients(step);
        const bool fails = step == 0 || step == 3;
        if (fails) {
          for (Parameters* each : {&a, &b}) {
            each->named[step > 0 ? 1 : 2].second.mutable_grad().fill_(
                std::numeric_limits<float>::quiet_NaN());
          }
        }
        EXPECT_EQ(waiting.step(0.05), !fails);
        EXPECT_EQ(unseen.step_unseen(0.05).item<float>(), fails);
        for (std::size_t i = 0; i < a.named.size(); ++i) {
          EXPECT_TRUE(torch::allclose(a.named[i].second, b.named[i].second, 1e-5, 1e-6));
          EXPECT_FALSE(b.named[i].second.grad().defined());
        }
      }
      const auto expected = waiting.state(), found = unseen.state();
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_TRUE(torch::allclose(found[i].second, expected[i].second, 1e-5, 1e-6))
            << expected[i].first;
      }
    }
  }
}

TEST(AdaptiveMoments, TakeAParameterWithoutGradientForOneOfZeros) {
  Parameters parameters;
  AdaptiveMoments optimizer(config_of(Optimizer::adam, 0, 0), parameters.named);
  parameters.set_gradients(0);
  parameters.named[0].second.mutable_grad() = torch::Tensor();
  const torch::Tensor before = parameters.named[0].second.detach().clone();
  EXPECT_TRUE(optimizer.step(0.1));
  EXPECT_TRUE(torch::equal(parameters.named[0].second, before));
}

TEST(AdaptiveMoments, ShowAStateThatCanBeStoredAndPutBack) {
  Parameters a, b;
  const Config config = config_of(Optimizer::adamw, 0.1, 0);
  AdaptiveMoments first(config, a.named), second(config, b.named);
  const auto step = [](Parameters& parameters, AdaptiveMoments& optimizer, int index) {
    parameters.set_gradients(index);
    optimizer.step(0.1);
  };
  for (int index = 0; index < 3; ++index) step(a, first, index);
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < a.named.size(); ++i) b.named[i].second.copy_(a.named[i].second);
  const auto from = first.state(), to = second.state();
  ASSERT_EQ(from.size(), 3 * a.named.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    EXPECT_EQ(from[i].first, to[i].first);
    to[i].second.copy_(from[i].second);
  }
  step(a, first, 3);
  step(b, second, 3);
  for (std::size_t i = 0; i < a.named.size(); ++i) {
    EXPECT_TRUE(torch::equal(a.named[i].second, b.named[i].second));
  }
}

Config schedule_of(Schedule schedule, double warmup = 0) {
  Config config;
  config.schedule = schedule;
  config.learning_rate = 0.5;
  config.warmup = warmup;
  return config;
}

TEST(LearningRate, OfAConstantScheduleIsTheSameAllAlong) {
  for (const std::int64_t step : {0, 50, 99}) {
    EXPECT_EQ(learning_rate_at(schedule_of(Schedule::constant), step, 100), 0.5);
  }
}

TEST(LearningRate, OfACosineFallsFromItsPeakToZero) {
  const Config config = schedule_of(Schedule::cosine);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 0, 100), 0.5);
  EXPECT_NEAR(learning_rate_at(config, 50, 100), 0.25, 1e-12);
  EXPECT_NEAR(learning_rate_at(config, 100, 100), 0, 1e-12);
  for (int step = 0; step < 99; ++step) {
    EXPECT_GT(learning_rate_at(config, step, 100), learning_rate_at(config, step + 1, 100));
  }
}

TEST(LearningRate, OfOneCycleRisesToItsPeakAndFallsToZero) {
  const Config config = schedule_of(Schedule::one_cycle, 0.2);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 0, 100), 0.5 / 20);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 9, 100), 0.25);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 19, 100), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 20, 100), 0.5);
  EXPECT_NEAR(learning_rate_at(config, 60, 100), 0.25, 1e-12);
  EXPECT_NEAR(learning_rate_at(config, 100, 100), 0, 1e-12);
}

TEST(LearningRate, IsNeverAboveItsPeakNorBelowZeroHoweverFewTheSteps) {
  for (const Schedule schedule : {Schedule::constant, Schedule::cosine, Schedule::one_cycle}) {
    for (const double warmup : {0.0, 0.15, 0.5, 0.9}) {
      for (const std::int64_t steps : {1, 2, 3, 7, 10}) {
        for (std::int64_t step = 0; step < steps; ++step) {
          const double rate = learning_rate_at(schedule_of(schedule, warmup), step, steps);
          EXPECT_GT(rate, 0) << step << " of " << steps << ", warmup " << warmup;
          EXPECT_LE(rate, 0.5) << step << " of " << steps << ", warmup " << warmup;
        }
      }
    }
  }
}

}  // namespace
}  // namespace diptych
