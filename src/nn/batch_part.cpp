#include "nn/batch_part.h"

#include <ATen/Parallel.h>

#include <bit>

#include "base/vectorised.h"

namespace diptych {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

World* world_of(AutogradContext* context) {
  return std::bit_cast<World*>(context->saved_data["world"].toInt());
}

void remember(AutogradContext* context, World* world) {
  context->saved_data["world"] = std::bit_cast<std::int64_t>(world);
}

// Every process' loss is a share of the whole loss, so the gradient of a sum is the sum of theirs.
class SumOfAll : public torch::autograd::Function<SumOfAll> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, World* world) {
    remember(context, world);
    const torch::Tensor sum = x.clone(at::MemoryFormat::Contiguous);
    world->sum(sum);
    return sum;
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const torch::Tensor sum = gradients[0].clone(at::MemoryFormat::Contiguous);
    world_of(context)->sum(sum);
    return {sum, torch::Tensor()};
  }
};

// Of maps [N,C]: gradient · a + x · b + c, each of these [C].
struct Lines {
  const float *a, *b, *c;
  std::int64_t channels;
};

template <typename Number>
struct Maps {
  const Number *gradient, *x;
  Number* to;
};

template <typename Number>
[[gnu::always_inline]] inline void map_rows(const Maps<Number>& maps, const Lines& lines,
                                            std::int64_t begin, std::int64_t end) {
  const float* __restrict a = lines.a, * __restrict b = lines.b, * __restrict c = lines.c;
  for (std::int64_t row = begin; row < end; ++row) {
    const Number* __restrict gradient = maps.gradient + row * lines.channels;
    const Number* __restrict x = maps.x + row * lines.channels;
    Number* __restrict to = maps.to + row * lines.channels;
    for (std::int64_t i = 0; i < lines.channels; ++i) {
      to[i] = static_cast<float>(gradient[i]) * a[i] + static_cast<float>(x[i]) * b[i] + c[i];
    }
  }
}

DIPTYCH_VECTORISED void map_some(const Maps<float>& maps, const Lines& lines, std::int64_t begin,
                                 std::int64_t end) {
  map_rows(maps, lines, begin, end);
}

DIPTYCH_VECTORISED void map_some(const Maps<at::BFloat16>& maps, const Lines& lines,
                                 std::int64_t begin, std::int64_t end) {
  map_rows(maps, lines, begin, end);
}

template <typename Number>
torch::Tensor mapped(const torch::Tensor& gradient, const torch::Tensor& x, const Lines& lines) {
  constexpr std::int64_t kGrain = 1 << 14;
  torch::Tensor result = torch::empty_like(x);
  const Maps<Number> maps{gradient.data_ptr<Number>(), x.data_ptr<Number>(),
                          result.data_ptr<Number>()};
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / lines.channels);
  at::parallel_for(0, x.numel() / lines.channels, grain, [&](std::int64_t begin, std::int64_t end) {
    map_some(maps, lines, begin, end);
  });
  return result;
}

class BatchNormOfAll : public torch::autograd::Function<BatchNormOfAll> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x,
                               const torch::Tensor& weight, const torch::Tensor& bias,
                               const Standardising& how, const BatchPart& part) {
    const double count = static_cast<double>(part.whole * x.size(2) * x.size(3));
    const auto [mean, variance] = moments(x, count, *part.world);
    how.running_mean.lerp_(mean, how.momentum);
    how.running_variance.lerp_(variance * (count / (count - 1)), how.momentum);
    remember(context, part.world);
    context->saved_data["count"] = count;
    context->saved_data["epsilon"] = how.epsilon;
    context->save_for_backward({x, weight, mean, variance});
    return std::get<0>(at::native_batch_norm(x, weight, bias, mean, variance, /*training=*/false,
                                             /*momentum=*/0, how.epsilon));
  }

  // The gradient as if the moments were constant, less what it has of the constant and of the
  // standardised map, both over the whole batch.
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &variance = saved[3];
    const torch::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const double count = context->saved_data["count"].toDouble();
    const double epsilon = context->saved_data["epsilon"].toDouble();
    const auto [none, of_weight, of_bias] =
        at::native_batch_norm_backward(gradient, x, weight, mean, variance, {}, {},
                                       /*train=*/false, epsilon, {false, true, true});
    const torch::Tensor sums = torch::stack({of_weight, of_bias});
    world_of(context)->sum(sums);
    const torch::Tensor inverse = (variance + epsilon).rsqrt();
    const torch::Tensor a = weight.detach() * inverse;
    const torch::Tensor b = -a * inverse * sums[0] / count;
    const torch::Tensor c = -a * sums[1] / count - b * mean;
    const Lines lines{a.data_ptr<float>(), b.data_ptr<float>(), c.data_ptr<float>(), a.numel()};
    const torch::Tensor of_x = x.scalar_type() == at::kBFloat16
                                   ? mapped<at::BFloat16>(gradient, x, lines)
                                   : mapped<float>(gradient, x, lines);
    return {of_x, of_weight, of_bias, torch::Tensor(), torch::Tensor()};
  }

 private:
  // Mean and variance [C] over the whole batch, of which each channel has so many numbers.
  static std::pair<torch::Tensor, torch::Tensor> moments(const torch::Tensor& x, double count,
                                                         World& world) {
    const std::int64_t channels = x.size(1);
    const auto [mean, variance] = at::batch_norm_update_stats(
        x, torch::zeros({channels}), torch::ones({channels}), /*momentum=*/0);
    const torch::Tensor own = mean.to(at::kDouble);
    torch::Tensor sums = torch::stack({own, own.square() + variance.to(at::kDouble)});
    sums.mul_(static_cast<double>(x.numel() / channels) / count);
    world.sum(sums);
    return {sums[0].to(at::kFloat), (sums[1] - sums[0].square()).clamp_min(0).to(at::kFloat)};
  }
};

}  // namespace

BatchPart::BatchPart(World& all, std::int64_t rows) : end(rows), whole(rows) {
  if (all.size() == 1) return;
  world = &all;
  begin = rows * all.rank() / all.size();
  end = rows * (all.rank() + 1) / all.size();
}

torch::Tensor whole_like(const torch::Tensor& x, const BatchPart& part) {
  if (!part.world) return torch::empty_like(x);
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.front() = part.whole;
  return torch::empty(shape, x.options());
}

torch::Tensor own_rows(const torch::Tensor& whole, const BatchPart& part) {
  return part.world ? whole.slice(0, part.begin, part.end) : whole;
}

std::span<const std::int64_t> own_rows(std::span<const std::int64_t> whole, const BatchPart& part) {
  return whole.subspan(static_cast<std::size_t>(part.begin), static_cast<std::size_t>(part.size()));
}

torch::Tensor rows_of_all(const torch::Tensor& x, const BatchPart& part) {
  if (!part.world) return x;
  const torch::Tensor padded =
      at::constant_pad_nd(x, {0, 0, part.begin, part.whole - part.end}, 0);  // [whole,D]
  return SumOfAll::apply(padded, part.world);
}

torch::Tensor batch_norm_of_all(const torch::Tensor& x, const Standardising& how,
                                const BatchPart& part) {
  return BatchNormOfAll::apply(x.contiguous(at::MemoryFormat::ChannelsLast), how.weight, how.bias,
                               how, part);
}

}  // namespace diptych
