// One pass against torch's operators, one after the other, in double precision.
#include "nn/normed_map.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

namespace diptych {
namespace {

constexpr double kMomentum = 0.1, kEpsilon = 1e-5;

struct Given {
  torch::Tensor x, added, weight, bias;
  bool rectifies = false, adds = false, measures = false, pools = false;
};

std::string name_of(const Given& given) {
  std::ostringstream name;
  name << given.x.scalar_type() << ' ' << given.x.sizes() << (given.rectifies ? ", ReLU" : "")
       << (given.adds ? ", sum" : "") << (given.measures ? ", measures" : "")
       << (given.pools ? ", pools" : "");
  return name.str();
}

Given made_up(at::IntArrayRef shape, at::ScalarType type, int mode) {
  torch::manual_seed(shape[0] + shape[1] + shape[2] + mode);
  Given given;
  given.x = (torch::randn(shape) * 2 + 3).to(type).contiguous(at::MemoryFormat::ChannelsLast);
  given.added = torch::randn(shape).to(type).contiguous(at::MemoryFormat::ChannelsLast);
  const at::ScalarType own = type == at::kDouble ? at::kDouble : at::kFloat;
  given.weight = torch::randn({shape[1]}).to(own);
  given.bias = torch::randn({shape[1]}).to(own);
  given.rectifies = mode & 1;
  given.adds = mode & 2;
  given.measures = mode & 4;
  given.pools = mode & 8;
  return given;
}

// What comes out, the moments that are remembered, and gradients.
using Outcome = std::vector<std::pair<const char*, torch::Tensor>>;

template <typename Norm>
Outcome outcome(const Given& given, at::ScalarType type, const Norm& norm) {
  const auto leaf = [](const torch::Tensor& x, at::ScalarType as) {
    return x.detach().to(as).clone().set_requires_grad(true);
  };
  const at::ScalarType own = type == at::kDouble ? at::kDouble : at::kFloat;
  const torch::Tensor x = leaf(given.x, type), added = leaf(given.added, type);
  Normalising how;
  how.weight = leaf(given.weight, own);
  how.bias = leaf(given.bias, own);
  how.running_mean = torch::zeros_like(how.weight);
  how.running_variance = torch::ones_like(how.weight);
  how.momentum = kMomentum;
  how.epsilon = kEpsilon;
  AfterNorm after{.rectifies = given.rectifies, .measures = given.measures, .pools = given.pools};
  if (given.adds) after.added = added;
  const NormedMap result = norm(x, how, after);
  Outcome all{{"mean", how.running_mean}, {"variance", how.running_variance}};
  torch::Tensor loss = torch::zeros({}, at::kDouble);
  for (const auto& [name, tensor] :
       {std::pair("map", result.map), std::pair("measures", result.measures)}) {
    if (!tensor.defined()) continue;
    all.emplace_back(name, tensor.detach());
    const torch::Tensor slopes =  // which bf16 can hold
        torch::cos(torch::arange(tensor.numel()) * 1.7 + 0.3)
            .to(at::kBFloat16)
            .view(tensor.sizes());
    loss = loss + (tensor.to(at::kDouble) * slopes).sum();
  }
  loss.backward();
  all.emplace_back("gradient of x", x.grad());
  all.emplace_back("gradient of the weight", how.weight.grad());
  all.emplace_back("gradient of the bias", how.bias.grad());
  if (given.adds) all.emplace_back("gradient of what is added", added.grad());
  return all;
}

NormedMap one_by_one(const torch::Tensor& x, const Normalising& how, const AfterNorm& after) {
  NormedMap result =
      follow(torch::batch_norm(x, how.weight, how.bias, how.running_mean, how.running_variance,
                               /*training=*/true, kMomentum, kEpsilon, /*cudnn_enabled=*/false),
             after);
  if (after.measures && !after.pools) result.map.reset();
  return result;
}

double tolerance_of(at::ScalarType type) {
  return type == at::kDouble ? 1e-10 : type == at::kFloat ? 5e-5 : 4e-2;
}

TEST(NormedMap, IsTheOperatorsAndHasTheirGradients) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kBFloat16}) {
    for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{1, 1, 2, 2},
                                                   {5, 3, 4, 6},
                                                   {3, 17, 5, 7},
                                                   {9, 16, 20, 20},
                                                   {4, 40, 1, 3}}) {
      for (int mode = 0; mode < 16; ++mode) {
        const Given given = made_up(shape, type, mode);
        if (given.pools && (shape[2] < 2 || shape[3] < 2)) continue;
        SCOPED_TRACE(name_of(given));
        const auto one_pass = [](const auto&... all) { return normed_map(all...); };
        const Outcome found = outcome(given, type, one_pass);
        const Outcome wanted = outcome(given, at::kDouble, one_by_one);
        ASSERT_EQ(found.size(), wanted.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
          const torch::Tensor a = found[i].second, b = wanted[i].second;
          ASSERT_EQ(a.sizes(), b.sizes()) << found[i].first;
          EXPECT_LT((a.to(at::kDouble) - b).norm().item<double>(),
                    tolerance_of(type) * (1 + b.norm().item<double>()))
              << found[i].first;
        }
      }
    }
  }
}

TEST(NormedMap, IsTheOperatorsByMomentsThatWereRemembered) {
  const torch::NoGradGuard nothing_is_learnt;
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kBFloat16}) {
    for (int mode = 0; mode < 16; ++mode) {
      const Given given = made_up({5, 24, 6, 7}, type, mode);
      SCOPED_TRACE(name_of(given));
      Normalising how;
      how.weight = given.weight;
      how.bias = given.bias;
      how.running_mean = torch::randn_like(how.weight);
      how.running_variance = torch::rand_like(how.weight) + 0.5;
      how.epsilon = kEpsilon;
      AfterNorm after{
          .rectifies = given.rectifies, .measures = given.measures, .pools = given.pools};
      if (given.adds) after.added = given.added;
      const NormedMap found = normed_as_remembered(given.x, how, after);
      const auto wide = [](const torch::Tensor& x) { return x.to(at::kDouble); };
      if (given.adds) after.added = wide(given.added);
      const NormedMap wanted = follow(
          torch::batch_norm(wide(given.x), wide(how.weight), wide(how.bias), wide(how.running_mean),
                            wide(how.running_variance), /*training=*/false, kMomentum, kEpsilon,
                            /*cudnn_enabled=*/false),
          after);
      const auto near = [&](const torch::Tensor& a, const torch::Tensor& b) {
        return (wide(a) - b).norm().item<double>() < tolerance_of(type) * b.norm().item<double>();
      };
      EXPECT_TRUE(after.measures && !after.pools || near(found.map, wanted.map));
      EXPECT_TRUE(!after.measures || near(found.measures, wanted.measures));
    }
  }
}

TEST(NormedMap, DoesNotDependOnTheNumberOfThreads) {
  const int threads = at::get_num_threads();
  for (const int mode : {1, 9, 15}) {
    const Given given = made_up({13, 24, 7, 7}, at::kFloat, mode);
    const auto answer = [&](int number) {
      at::set_num_threads(number);
      return outcome(given, at::kFloat, [](const auto&... all) { return normed_map(all...); });
    };
    const Outcome one = answer(1), three = answer(3);
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_TRUE(torch::equal(one[i].second, three[i].second)) << one[i].first;
    }
  }
  at::set_num_threads(threads);
}

TEST(NormedMap, TakesAnyLayoutOfMemory) {
  Given given = made_up({3, 5, 6, 6}, at::kFloat, 15);
  const auto answer = [&] {
    return outcome(given, at::kFloat, [](const auto&... all) { return normed_map(all...); });
  };
  const Outcome last = answer();
  given.x = given.x.contiguous();
  given.added = given.added.contiguous();
  const Outcome first = answer();
  for (std::size_t i = 0; i < last.size(); ++i) {
    EXPECT_TRUE(torch::equal(first[i].second, last[i].second)) << last[i].first;
  }
}

TEST(NormedMap, LetsWhatIsNotANumberBeSeen) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    for (int mode = 0; mode < 16; ++mode) {
      Given given = made_up({2, 3, 4, 4}, type, mode);
      given.x[1][2][3][3] = NAN;
      SCOPED_TRACE(name_of(given));
      for (const auto& [name, tensor] :
           outcome(given, type, [](const auto&... all) { return normed_map(all...); })) {
        if (name != std::string("map") && name != std::string("measures")) continue;
        EXPECT_FALSE(tensor.isfinite().all().template item<bool>()) << name;
      }
    }
  }
}

TEST(NormedMap, RefusesOtherNumbers) {
  const Given given = made_up({2, 3, 4, 4}, at::kHalf, 0);
  EXPECT_THROW(outcome(given, at::kHalf, [](const auto&... all) { return normed_map(all...); }),
               c10::Error);
}

}  // namespace
}  // namespace diptych
