#include "nn/patch_convolution.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "nn/packed_kernels.h"

namespace diptych {
namespace {

Pictures seen_of(const torch::Tensor& x) { return pictures_of<const std::byte>(x); }

// Memory of so many numbers, given back with the tensor.
torch::Tensor room_for(std::int64_t count) { return torch::empty({count}, at::kFloat); }

torch::Tensor convolved(const torch::Tensor& x, const FilterView& filters) {
  PointFilters points{nullptr, filters.outputs, filters.channels};
  const torch::Tensor room = room_for(points.size());
  points.numbers = room.data_ptr<float>();
  const PackedKernels& kernels = packed_kernels();
  at::parallel_for(0, filters.channels, 1, [&](std::int64_t begin, std::int64_t end) {
    kernels.pack_filters_at_points(filters, begin, end, points);
  });
  const Pictures inputs = seen_of(x);
  const torch::Tensor result =
      torch::empty({x.size(0), filters.outputs, x.size(2), x.size(3)},
                   x.options().memory_format(at::MemoryFormat::ChannelsLast));
  const WrittenPictures outputs = pictures_of<std::byte>(result);
  at::parallel_for(0, inputs.count, 1, [&](std::int64_t begin, std::int64_t end) {
    kernels.convolve_pictures(points, part_of(inputs, begin, end), part_of(outputs, begin, end));
  });
  return result;
}

// The filters that give an input's gradient: turned by half, outputs and channels changed over.
FilterView turned(const FilterView& filters) {
  return {filters.first + 2 * (filters.row + filters.column),
          filters.channels,
          filters.outputs,
          filters.channel,
          filters.output,
          -filters.row,
          -filters.column};
}

// Patches are cut over threads while they go to points, points while they are multiplied: one sum
// for any number of threads.
torch::Tensor filter_gradient(const torch::Tensor& x, const torch::Tensor& gradient) {
  constexpr std::int64_t kTogether = 64;  // patches
  const PackedKernels& kernels = packed_kernels();
  const Pictures inputs = seen_of(x), slopes = seen_of(gradient);
  const std::int64_t across = inputs.patches_across();
  const std::int64_t pictures = std::max<std::int64_t>(1, kTogether / (across * across));
  const std::int64_t channels = inputs.channels, outputs = slopes.channels;
  PatchPoints seen{nullptr, 0, channels}, gradients{nullptr, 0, outputs};
  torch::Tensor room;
  const torch::Tensor sums = room_for(kPatchPoints * points_apart(channels * outputs));
  for (std::int64_t first = 0; first < inputs.count; first += pictures) {
    const std::int64_t last = std::min(first + pictures, inputs.count);
    const Pictures part = part_of(inputs, first, last), slope = part_of(slopes, first, last);
    if (seen.patches != part.patches()) {
      seen.patches = gradients.patches = part.patches();
      room = room_for(seen.size() + gradients.size());
      seen.numbers = room.data_ptr<float>();
      gradients.numbers = seen.numbers + seen.size();
    }
    at::parallel_for(0, seen.patches, 1, [&](std::int64_t begin, std::int64_t end) {
      kernels.patches_at_points(part, slope, begin, end, seen, gradients);
    });
    at::parallel_for(0, kPatchPoints, 1, [&](std::int64_t begin, std::int64_t end) {
      kernels.add_filter_gradient(seen, gradients, first > 0, begin, end, sums.data_ptr<float>());
    });
  }
  const torch::Tensor result = torch::empty({outputs, channels, 3, 3});
  at::parallel_for(0, channels, 1, [&](std::int64_t begin, std::int64_t end) {
    kernels.filters_from_points(sums.const_data_ptr<float>(), channels, outputs, begin, end,
                                result.data_ptr<float>());
  });
  return result;
}

class PatchConvolution : public torch::autograd::Function<PatchConvolution> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               const torch::Tensor& weight) {
    context->save_for_backward({x, weight});
    return convolved(x, filters_of(weight));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor &x = saved[0], &weight = saved[1];
    const torch::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    return {context->needs_input_grad(0) ? convolved(gradient, turned(filters_of(weight)))
                                         : torch::Tensor(),
            filter_gradient(x, gradient)};
  }
};

}  // namespace

FilterView filters_of(const torch::Tensor& weight) {
  return {weight.const_data_ptr<float>(),
          static_cast<int>(weight.size(0)),
          static_cast<int>(weight.size(1)),
          weight.stride(0),
          weight.stride(1),
          weight.stride(2),
          weight.stride(3)};
}

std::span<const float> span_of(const torch::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

void read_pixels(const std::byte* from, Map& map) {
  const std::int64_t row = map.side() * map.pixel_bytes();
  for (int y = 0; y < map.side(); ++y, from += row) std::copy_n(from, row, map.at(y, 0));
}

void write_pixels(const Map& map, std::byte* to) {
  const std::int64_t row = map.side() * map.pixel_bytes();
  for (int y = 0; y < map.side(); ++y, to += row) std::copy_n(map.at(y, 0), row, to);
}

bool fits_patch_convolution(std::int64_t channels, std::int64_t outputs) {
  constexpr std::int64_t kChannels = 16, kOutputs = 32;  // the largest tile that they come in
  return packs_here() && channels % kChannels == 0 && outputs % kOutputs == 0;
}

bool fits_patch_convolution(const torch::Tensor& x, const torch::Tensor& weight) {
  return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) &&
         weight.scalar_type() == at::kFloat && x.is_contiguous(at::MemoryFormat::ChannelsLast) &&
         x.size(2) == x.size(3) && fits_patch_convolution(x.size(1), weight.size(0));
}

torch::Tensor patch_convolution(const torch::Tensor& x, const torch::Tensor& weight) {
  return PatchConvolution::apply(x, weight);
}

}  // namespace diptych
