// A batch that processes share against the same batch in one.
#include "nn/batch_part.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "nn/gradient_check.h"
#include "nn/layers.h"
#include "nn/made_up_world.h"

namespace diptych {
namespace {

constexpr int kRows = 7;  // no multiple of any number of processes here

torch::Tensor made_up_rows_of(at::IntArrayRef shape, at::ScalarType type = at::kFloat) {
  return made_up_tensor(shape).detach().to(type);
}

void expect_near(const torch::Tensor& got, const torch::Tensor& expected, double tolerance) {
  EXPECT_TRUE(torch::allclose(got, expected, tolerance, tolerance))
      << "differ by " << (got - expected).abs().max().item<double>();
}

TEST(BatchPart, HasEveryRowInOneProcess) {
  for (const int size : {2, 3, 4}) {
    in_world(size, [&](World& world) {
      const BatchPart part(world, kRows);
      const torch::Tensor rows = torch::arange(kRows);
      const torch::Tensor own = torch::full({kRows}, -1, at::kLong);
      own.slice(0, part.begin, part.end).copy_(own_rows(rows, part));
      EXPECT_GE(part.size(), kRows / size);
      EXPECT_LE(part.size(), kRows / size + 1);
      world.sum(own);  // each row once, and -1 from every other process
      EXPECT_TRUE(torch::equal(own, rows - (size - 1)));
    });
  }
}

TEST(BatchPart, DropsWhatTheWholeBatchWouldDrop) {
  const auto dropped = [](const torch::Tensor& x, const BatchPart& part) {
    Pass pass{true, at::kFloat, at::make_generator<at::CPUGeneratorImpl>(5), part};
    const torch::Tensor first = dropout(x, 0.4, pass);
    return first + dropout(x, 0.4, pass);
  };
  const torch::Tensor x = torch::ones({kRows, 3, 5});
  const torch::Tensor whole = dropped(x, {});
  in_world(3, [&](World& world) {
    const BatchPart part(world, kRows);
    EXPECT_TRUE(torch::equal(dropped(own_rows(x, part), part), own_rows(whole, part)));
  });
}

TEST(BatchPart, GivesEachRowTheGradientsThatAllProcessesHaveOfIt) {
  const torch::Tensor x = made_up_rows_of({kRows, 4});
  in_world(3, [&](World& world) {
    const BatchPart part(world, kRows);
    const torch::Tensor own = own_rows(x, part).clone().set_requires_grad(true);
    const torch::Tensor all = rows_of_all(own, part);
    EXPECT_TRUE(torch::equal(all, x));
    (all * (world.rank() + 1)).sum().backward();
    EXPECT_TRUE(torch::equal(own.grad(), torch::full({part.size(), 4}, 1 + 2 + 3)));
  });
}

struct Outcome {
  torch::Tensor y, of_x, of_weight, of_bias, mean, variance;
};

// Of two passes, the second with gradients.
Outcome normed(const torch::Tensor& rows, const BatchPart& part) {
  BatchNorm layer(3, at::make_generator<at::CPUGeneratorImpl>(3));
  const auto parameters = layer.parameters();
  {
    const torch::NoGradGuard no_grad;
    parameters[0].copy_(torch::tensor({0.5, -1.5, 2.0}));
    parameters[1].copy_(torch::tensor({0.1, 0.2, -0.3}));
  }
  Pass pass;
  pass.training = true;
  pass.part = part;
  layer.forward(own_rows(rows * 2, part), pass);
  const torch::Tensor x = own_rows(rows, part).clone().set_requires_grad(true);
  const torch::Tensor y = layer.forward(x, pass);
  const torch::Tensor weights = torch::cos(torch::arange(rows.numel()) * 1.7).view(rows.sizes());
  (y.to(at::kFloat) * own_rows(weights, part)).sum().backward();
  return {y.detach(),           x.grad(),           parameters[0].grad(),
          parameters[1].grad(), layer.buffers()[0], layer.buffers()[1]};
}

TEST(BatchPart, IsNormedOverTheWholeBatch) {
  for (const auto& [type, tolerance] :
       {std::pair(at::kFloat, 1e-5), std::pair(at::kBFloat16, 2e-2)}) {
    const torch::Tensor rows = (made_up_rows_of({kRows, 3, 4, 4}) * 3 + 5).to(type);
    const Outcome whole = normed(rows, {});
    in_world(3, [&](World& world) {
      const BatchPart part(world, kRows);
      const Outcome own = normed(rows, part);
      expect_near(own.y, own_rows(whole.y, part), tolerance);
      expect_near(own.of_x, own_rows(whole.of_x, part), tolerance);
      expect_near(own.mean, whole.mean, tolerance);
      expect_near(own.variance, whole.variance, tolerance);
      for (const torch::Tensor& sum : {own.of_weight, own.of_bias}) world.sum(sum);
      expect_near(own.of_weight, whole.of_weight, 10 * tolerance);
      expect_near(own.of_bias, whole.of_bias, 10 * tolerance);
    });
  }
}

}  // namespace
}  // namespace diptych
