#include "nn/normed_map.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <span>

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

// Of a tensor of fp64, [rows, C].
std::span<double> row_of(const torch::Tensor& numbers, std::int64_t index) {
  return {numbers.data_ptr<double>() + index * numbers.size(1),
          static_cast<std::size_t>(numbers.size(1))};
}

// Of each channel: mean, inverse of the standard deviation, and what is made of them, x·scale +
// shift.
struct Coefficients {
  explicit Coefficients(std::int64_t channels)
      : numbers(torch::empty({4, channels}, at::kDouble)) {}
  explicit Coefficients(const torch::Tensor& kept) : numbers(kept) {}
  std::span<double> mean() const { return row_of(numbers, 0); }
  std::span<double> inverse() const { return row_of(numbers, 1); }
  std::span<double> scale() const { return row_of(numbers, 2); }
  std::span<double> shift() const { return row_of(numbers, 3); }

  torch::Tensor numbers;
};

template <typename Real>
std::vector<Real> as(std::span<const double> values) {
  return {values.begin(), values.end()};
}

// What both directions know: how, of what, and the coefficients that were found.
struct Known {
  Normalising how;
  AfterNorm after;
  torch::Tensor x, place, highest, coefficients;

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
    if (coefficients.defined()) {
      const Coefficients found(coefficients);
      batch.scale = as<Real>(found.scale());
      batch.shift = as<Real>(found.shift());
      batch.mean = as<Real>(found.mean());
    }
    return batch;
  }
};

template <typename Number>
void run_all(NormTask task, const NormBatch<Number>& batch, std::int64_t pictures) {
  at::parallel_for(0, pictures, 1,
                   [&](std::int64_t begin, std::int64_t end) { run(task, batch, begin, end); });
}

// [B,2,C]: what the task finds of each picture.
template <typename Number>
torch::Tensor found_by(NormTask task, NormBatch<Number> batch, std::int64_t pictures) {
  using Real = Wide<Number>;
  const torch::Tensor found =
      torch::empty({pictures, 2, batch.channels}, c10::CppTypeToScalarType<Real>::value);
  batch.sums = found.data_ptr<Real>();
  run_all(task, batch, pictures);
  return found;
}

// Over pictures, in fp64: [2,C]. add(of a picture and channel: first and second, to: the same).
template <typename Real, typename Add>
torch::Tensor over_pictures(const torch::Tensor& found, const Add& add) {
  const std::int64_t pictures = found.size(0), channels = found.size(2);
  const torch::Tensor sums = torch::zeros({2, channels}, at::kDouble);
  const Real* from = found.const_data_ptr<Real>();
  double* const first = sums.data_ptr<double>();
  double* const second = first + channels;
  for (std::int64_t picture = 0; picture < pictures; ++picture, from += 2 * channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      add(static_cast<double>(from[c]), static_cast<double>(from[channels + c]), first[c],
          second[c]);
    }
  }
  return sums;
}

// A vector of fp32 or fp64, which is the module's.
template <typename Change>
void change(const torch::Tensor& vector, const Change& change_one) {
  const auto change_all = [&](auto* numbers) {
    for (std::int64_t c = 0; c < vector.numel(); ++c) {
      numbers[c] = static_cast<std::remove_reference_t<decltype(*numbers)>>(
          change_one(static_cast<double>(numbers[c]), static_cast<std::size_t>(c)));
    }
  };
  if (vector.scalar_type() == at::kDouble) return change_all(vector.data_ptr<double>());
  change_all(vector.data_ptr<float>());
}

std::vector<double> doubles_of(const torch::Tensor& vector) {
  const torch::Tensor wide = vector.detach().to(at::kDouble);
  return {wide.const_data_ptr<double>(), wide.const_data_ptr<double>() + wide.numel()};
}

// Where mean and inverse are known, scale and shift.
void scale_by(const Normalising& how, const Coefficients& found) {
  const std::vector<double> weight = doubles_of(how.weight), bias = doubles_of(how.bias);
  for (std::size_t c = 0; c < weight.size(); ++c) {
    found.scale()[c] = weight[c] * found.inverse()[c];
    found.shift()[c] = bias[c] - found.mean()[c] * found.scale()[c];
  }
}

// Of the moments that were remembered.
torch::Tensor remembered_coefficients(const Normalising& how) {
  const Coefficients found(how.weight.numel());
  const std::vector<double> mean = doubles_of(how.running_mean);
  const std::vector<double> variance = doubles_of(how.running_variance);
  for (std::size_t c = 0; c < mean.size(); ++c) {
    found.mean()[c] = mean[c];
    found.inverse()[c] = 1 / std::sqrt(variance[c] + how.epsilon);
  }
  scale_by(how, found);
  return found.numbers;
}

template <typename Number>
void find_coefficients(Known& known) {
  using Real = Wide<Number>;
  const auto area = static_cast<double>(known.x.size(2) * known.x.size(3));
  const torch::Tensor sums =
      over_pictures<Real>(found_by(NormTask::moments, known.batch<Number>(), known.x.size(0)),
                          [&](double mean, double squares, double& sum, double& square) {
                            sum += mean * area;
                            square += squares + mean * mean * area;
                          });
  known.sum_over_processes(sums);
  const double count = known.count();
  const Normalising& how = known.how;
  const Coefficients found(known.x.size(1));
  std::vector<double> variance;
  for (std::size_t c = 0; c < found.mean().size(); ++c) {
    const double mean = row_of(sums, 0)[c] / count;
    found.mean()[c] = mean;
    variance.push_back(std::max(0.0, row_of(sums, 1)[c] / count - mean * mean));
    found.inverse()[c] = 1 / std::sqrt(variance[c] + how.epsilon);
  }
  const auto moved = [&](double old, double now) { return old + how.momentum * (now - old); };
  change(how.running_mean, [&](double old, std::size_t c) { return moved(old, found.mean()[c]); });
  change(how.running_variance,
         [&](double old, std::size_t c) { return moved(old, variance[c] * count / (count - 1)); });
  scale_by(how, found);
  known.coefficients = found.numbers;
}

template <typename Number>
NormedMap forward_of(Known& known) {
  using Real = Wide<Number>;
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
  if (known.after.added.defined()) gradients.added = torch::empty_like(x);
  batch.slope = numbers_of<Number>(gradients.added);
  const Coefficients found(known.coefficients);
  const torch::Tensor sums =
      over_pictures<Real>(found_by(NormTask::sums, batch, pictures),
                          [](double slope, double by_x, double& first, double& second) {
                            first += slope;
                            second += by_x;
                          });
  gradients.bias = torch::empty_like(known.how.bias);
  gradients.weight = torch::empty_like(known.how.weight);
  change(gradients.bias, [&](double, std::size_t c) { return row_of(sums, 0)[c]; });
  change(gradients.weight,
         [&](double, std::size_t c) { return row_of(sums, 1)[c] * found.inverse()[c]; });
  known.sum_over_processes(sums);
  // As if the moments were constant, less what the gradient has of the constant and of x.
  const double count = known.count();
  for (std::size_t c = 0; c < batch.scale.size(); ++c) {
    const double scale = found.scale()[c], inverse = found.inverse()[c];
    const double by_x = -scale * inverse * inverse * row_of(sums, 1)[c] / count;
    batch.by_x.push_back(static_cast<Real>(by_x));
    batch.constant.push_back(
        static_cast<Real>(-scale * row_of(sums, 0)[c] / count - by_x * found.mean()[c]));
  }
  gradients.x = torch::empty_like(x);
  batch.of_x = numbers_of<Number>(gradients.x);
  run_all(NormTask::backward, batch, pictures);
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
    const NormedMap result = of_numbers(x, [&]<typename Number> {
      find_coefficients<Number>(known);
      return forward_of<Number>(known);
    });
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
    context->save_for_backward({known.x, known.how.weight, known.how.bias, known.coefficients,
                                known.place, known.highest});
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
    known.coefficients = saved[3];
    known.place = saved[4];
    known.highest = saved[5];
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

NormedMap normed_as_remembered(const torch::Tensor& x, const Normalising& how,
                               const AfterNorm& after) {
  Known known;
  known.how = how;
  known.after = after;
  known.x = last_of(x);
  known.after.added = last_of(after.added);
  known.coefficients = remembered_coefficients(how);
  return of_numbers(x, [&]<typename Number> { return forward_of<Number>(known); });
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
