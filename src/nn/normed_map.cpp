#include "nn/normed_map.h"

#include <ATen/Parallel.h>

#include "nn/norm_tasks.h"

namespace diptych {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Whether anything reads more of the map than its measures.
bool has_map(const AfterNorm& after) { return after.pools || !after.measures; }

template <typename Number>
Number* numbers_of(const torch::Tensor& tensor) {
  return tensor.defined() ? static_cast<Number*>(tensor.data_ptr()) : nullptr;
}

// [C] repeated for each pixel of a row.
template <typename Real>
std::vector<Real> along_row(const torch::Tensor& values, std::int64_t width) {
  const torch::Tensor row = values.to(c10::CppTypeToScalarType<Real>::value).repeat({width});
  return {row.data_ptr<Real>(), row.data_ptr<Real>() + row.numel()};
}

// What both directions know: how, of what, and the moments and scales that were found, [C] fp64.
struct Known {
  Normalising how;
  AfterNorm after;
  torch::Tensor x, place, highest;
  torch::Tensor mean, inverse, scale, shift;  // inverse: of the standard deviation

  double count() const {
    const std::int64_t rows = how.part.world ? how.part.whole : x.size(0);
    return static_cast<double>(rows * x.size(2) * x.size(3));
  }
  void sum_over_processes(const torch::Tensor& sums) const {
    if (how.part.world) how.part.world->sum(sums);
  }
  template <typename Number>
  NormBatch<Number> batch() const {
    using Real = Wide<Number>;
    NormBatch<Number> batch;
    batch.height = x.size(2);
    batch.width = x.size(3);
    batch.channels = x.size(1);
    batch.rectifies = after.rectifies;
    batch.measures = after.measures;
    batch.pools = after.pools;
    batch.x = numbers_of<Number>(x);
    batch.added = numbers_of<Number>(after.added);
    batch.place = numbers_of<std::uint8_t>(place);
    batch.highest = numbers_of<std::int32_t>(highest);
    if (scale.defined()) {
      batch.scale = along_row<Real>(scale, batch.width);
      batch.shift = along_row<Real>(shift, batch.width);
      batch.mean = along_row<Real>(mean, batch.width);
    }
    return batch;
  }
};

template <typename Number>
void run_all(NormTask task, const NormBatch<Number>& batch, std::int64_t pictures) {
  at::parallel_for(0, pictures, 1,
                   [&](std::int64_t begin, std::int64_t end) { run(task, batch, begin, end); });
}

template <typename Number>
torch::Tensor sums_of(NormTask task, NormBatch<Number> batch, std::int64_t pictures) {
  using Real = Wide<Number>;
  const torch::Tensor sums =
      torch::empty({pictures, 2, batch.channels}, c10::CppTypeToScalarType<Real>::value);
  batch.sums = sums.data_ptr<Real>();
  run_all(task, batch, pictures);
  return sums.to(at::kDouble);
}

template <typename Number>
void find_moments(Known& known) {
  const torch::Tensor of_pictures =
      sums_of(NormTask::moments, known.batch<Number>(), known.x.size(0));
  const auto area = static_cast<double>(known.x.size(2) * known.x.size(3));
  const torch::Tensor means = of_pictures.select(1, 0), squares = of_pictures.select(1, 1);
  const torch::Tensor sums =
      torch::stack({means.sum(0) * area, (squares + means.square() * area).sum(0)});
  known.sum_over_processes(sums);
  const double count = known.count();
  known.mean = sums[0] / count;
  const torch::Tensor variance = (sums[1] / count - known.mean.square()).clamp_min(0);
  const Normalising& how = known.how;
  how.running_mean.lerp_(known.mean.to(how.running_mean.scalar_type()), how.momentum);
  how.running_variance.lerp_(
      (variance * (count / (count - 1))).to(how.running_variance.scalar_type()), how.momentum);
  known.inverse = (variance + how.epsilon).rsqrt();
  known.scale = how.weight.detach().to(at::kDouble) * known.inverse;
  known.shift = how.bias.detach().to(at::kDouble) - known.mean * known.scale;
}

template <typename Number>
NormedMap forward_of(Known& known) {
  using Real = Wide<Number>;
  find_moments<Number>(known);
  const torch::Tensor& x = known.x;
  const std::int64_t pictures = x.size(0), channels = x.size(1);
  NormedMap result;
  std::vector<std::int64_t> shape = x.sizes().vec();
  if (known.after.pools) {
    shape[2] /= 2;
    shape[3] /= 2;
    known.place = torch::empty(
        shape, at::TensorOptions(at::kByte).memory_format(at::MemoryFormat::ChannelsLast));
  }
  if (known.after.measures) {
    known.highest = torch::empty({pictures, channels}, at::kInt);
    result.measures = torch::empty({pictures, 2 * channels}, c10::CppTypeToScalarType<Real>::value);
  }
  NormBatch<Number> batch = known.batch<Number>();
  if (has_map(known.after)) {
    result.map = torch::empty(shape, x.options().memory_format(at::MemoryFormat::ChannelsLast));
  }
  batch.map = numbers_of<Number>(result.map);
  batch.measured = numbers_of<Real>(result.measures);
  run_all(NormTask::forward, batch, pictures);
  return result;
}

struct Gradients {
  torch::Tensor x, weight, bias, added;
};

// of: of what came out.
template <typename Number>
Gradients backward_of(const Known& known, const NormedMap& of) {
  using Real = Wide<Number>;
  const torch::Tensor& x = known.x;
  const std::int64_t pictures = x.size(0);
  NormBatch<Number> batch = known.batch<Number>();
  batch.map = numbers_of<Number>(of.map);
  batch.measured = numbers_of<Real>(of.measures);
  Gradients gradients;
  const bool adds = known.after.added.defined();
  if (adds || batch.measures) gradients.added = torch::empty_like(x);
  batch.slope = numbers_of<Number>(gradients.added);
  const torch::Tensor own = sums_of(NormTask::sums, batch, pictures).sum(0);
  gradients.bias = own[0].to(known.how.bias.scalar_type());
  gradients.weight = (own[1] * known.inverse).to(known.how.weight.scalar_type());
  const torch::Tensor sums = own.clone();
  known.sum_over_processes(sums);
  // As if the moments were constant, less what the gradient has of the constant and of x.
  const torch::Tensor by_x = -known.scale * known.inverse.square() * sums[1] / known.count();
  const torch::Tensor constant = -known.scale * sums[0] / known.count() - by_x * known.mean;
  batch.by_x = along_row<Real>(by_x, batch.width);
  batch.constant = along_row<Real>(constant, batch.width);
  gradients.x = torch::empty_like(x);
  batch.of_x = numbers_of<Number>(gradients.x);
  if (batch.slope) {
    batch.map = batch.slope;
    batch.pools = batch.measures = false;
  }
  run_all(NormTask::backward, batch, pictures);
  if (!adds) gradients.added.reset();
  return gradients;
}

// Calls function.operator()<Number>() for the numbers of x.
template <typename Function>
auto of_numbers(const torch::Tensor& x, const Function& function) {
  switch (x.scalar_type()) {
    case at::kBFloat16:
      return function.template operator()<Bits>();
    case at::kDouble:
      return function.template operator()<double>();
    default:
      TORCH_CHECK(x.scalar_type() == at::kFloat, "a map of ", x.scalar_type(), " is not normed");
      return function.template operator()<float>();
  }
}

torch::Tensor last_of(const torch::Tensor& x) {
  return x.defined() ? x.contiguous(at::MemoryFormat::ChannelsLast) : x;
}

class Norm : public torch::autograd::Function<Norm> {
 public:
  static variable_list forward(AutogradContext* context, const torch::Tensor& x,
                               const std::optional<torch::Tensor>& added,
                               const torch::Tensor& /*weight*/, const torch::Tensor& /*bias*/,
                               const Normalising& how, const AfterNorm& after) {
    Known known;
    known.how = how;
    known.after = after;
    known.x = last_of(x);
    known.after.added = added ? last_of(*added) : torch::Tensor();
    const NormedMap result =
        of_numbers(x, [&]<typename Number> { return forward_of<Number>(known); });
    remember(context, known);
    variable_list all;
    for (const torch::Tensor& tensor : {result.map, result.measures}) {
      if (tensor.defined()) all.push_back(tensor);
    }
    return all;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const Known known = remembered(context);
    NormedMap of;
    if (has_map(known.after)) of.map = last_of(gradients.front());
    if (known.after.measures) of.measures = gradients.back().contiguous();
    const Gradients found =
        of_numbers(known.x, [&]<typename Number> { return backward_of<Number>(known, of); });
    return {found.x, found.added, found.weight, found.bias, torch::Tensor(), torch::Tensor()};
  }

 private:
  static void remember(AutogradContext* context, const Known& known) {
    context->save_for_backward({known.x, known.how.weight, known.how.bias, known.mean,
                                known.inverse, known.scale, known.shift, known.place,
                                known.highest});
    context->saved_data["rectifies"] = known.after.rectifies;
    context->saved_data["adds"] = known.after.added.defined();
    context->saved_data["measures"] = known.after.measures;
    context->saved_data["pools"] = known.after.pools;
    context->saved_data["whole"] = known.how.part.whole;
    context->saved_data["world"] = std::bit_cast<std::int64_t>(known.how.part.world);
  }

  static Known remembered(AutogradContext* context) {
    const variable_list saved = context->get_saved_variables();
    const auto number = [&](const char* name) { return context->saved_data[name].toInt(); };
    const auto is = [&](const char* name) { return context->saved_data[name].toBool(); };
    Known known;
    known.x = saved[0];
    known.how.weight = saved[1];
    known.how.bias = saved[2];
    known.mean = saved[3];
    known.inverse = saved[4];
    known.scale = saved[5];
    known.shift = saved[6];
    known.place = saved[7];
    known.highest = saved[8];
    known.after.rectifies = is("rectifies");
    if (is("adds"))
      known.after.added = known.x;  // of the same shape; its numbers are not asked for
    known.after.measures = is("measures");
    known.after.pools = is("pools");
    known.how.part.whole = number("whole");
    known.how.part.world = std::bit_cast<World*>(number("world"));
    return known;
  }
};

}  // namespace

NormedMap normed_map(const torch::Tensor& x, const Normalising& how, const AfterNorm& after) {
  std::optional<torch::Tensor> added;
  if (after.added.defined()) added = after.added;
  const variable_list all = Norm::apply(x, added, how.weight, how.bias, how, after);
  NormedMap result;
  if (has_map(after)) result.map = all.front();
  if (after.measures) result.measures = all.back();
  return result;
}

NormedMap follow(const torch::Tensor& normed, const AfterNorm& after) {
  NormedMap result;
  result.map = after.rectifies ? torch::relu(normed) : normed;
  if (after.added.defined()) result.map = after.added + result.map;
  if (after.measures) {
    const torch::Tensor map =
        normed.scalar_type() == at::kDouble ? result.map : result.map.to(at::kFloat);
    result.measures = torch::cat({map.mean({2, 3}), std::get<0>(map.flatten(2).max(2))}, 1);
  }
  if (after.pools) result.map = torch::max_pool2d(result.map, 2);
  return result;
}

}  // namespace diptych
