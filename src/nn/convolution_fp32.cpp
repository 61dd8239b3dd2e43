#include "nn/convolution_fp32.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "nn/packed_kernels.h"

namespace diptych {
namespace {

constexpr int kTaps = 9;

// [kPoints, 9]: a filter at the points of F(2×2, 3×3).
torch::Tensor points_of_taps() {
  const torch::Tensor line =
      torch::tensor({1.0F, 0.0F, 0.0F, 0.5F, 0.5F, 0.5F, 0.5F, -0.5F, 0.5F, 0.0F, 0.0F, 1.0F})
          .view({4, 3});
  return torch::kron(line, line);
}

// As many pictures as have windows enough for the weights of a layer, read once for these, to be
// few beside them.
std::int64_t pictures_together(std::int64_t side) {
  constexpr std::int64_t kWindows = 128;
  const std::int64_t pairs = (side + 1) / 2;
  return std::max<std::int64_t>(1, kWindows / (pairs * pairs));
}

std::int64_t parts_of(const torch::Tensor& x, std::int64_t together) {
  return (x.size(0) + together - 1) / together;
}

std::vector<Map> maps_of(const torch::Tensor& x, std::int64_t count) {
  return {static_cast<std::size_t>(count),
          Map(static_cast<int>(x.size(2)), static_cast<int>(x.size(1)), Arithmetic::fp32)};
}

// The pictures from `first` on; returns how many there are.
std::int64_t read_part(const torch::Tensor& x, std::int64_t first, std::vector<Map>& maps) {
  const std::int64_t count = std::min(static_cast<std::int64_t>(maps.size()), x.size(0) - first);
  for (std::int64_t i = 0; i < count; ++i) {
    const float* from = x.const_data_ptr<float>() + (first + i) * x.stride(0);
    read_pixels(reinterpret_cast<const std::byte*>(from), maps[static_cast<std::size_t>(i)]);
  }
  return count;
}

torch::Tensor convolved(const torch::Tensor& x, const torch::Tensor& weight) {
  PackedConvolution convolution;
  convolution.rectifies = false;
  convolution.weights = packed_at_points(weight, {});
  const auto side = static_cast<int>(x.size(2));
  const torch::Tensor result =
      torch::empty({x.size(0), weight.size(0), side, side},
                   x.options().memory_format(at::MemoryFormat::ChannelsLast));
  const std::int64_t together = pictures_together(side);
  at::parallel_for(0, parts_of(x, together), 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Map> inputs = maps_of(x, together);
    std::vector<Map> outputs = maps_of(result, together);
    for (std::int64_t part = begin; part < end; ++part) {
      const auto count = static_cast<std::size_t>(read_part(x, part * together, inputs));
      packed_kernels().convolve_maps(convolution, std::span(inputs).first(count),
                                     std::span(outputs).first(count));
      for (std::size_t i = 0; i < count; ++i) {
        float* const to = result.data_ptr<float>() +
                          (part * together + static_cast<std::int64_t>(i)) * result.stride(0);
        write_pixels(outputs[i], reinterpret_cast<std::byte*>(to));
      }
    }
  });
  return result;
}

// In as many sums, whatever the number of threads, which are then added up.
torch::Tensor filter_gradient(const torch::Tensor& x, const torch::Tensor& gradient) {
  constexpr std::int64_t kSums = 4;
  const std::int64_t channels = x.size(1), outputs = gradient.size(1);
  const std::int64_t together = pictures_together(x.size(2)), parts = parts_of(x, together);
  const torch::Tensor sums = torch::zeros({kSums, kPoints, channels * outputs});
  at::parallel_for(0, kSums, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Map> inputs = maps_of(x, together), slopes = maps_of(gradient, together);
    for (std::int64_t sum = begin; sum < end; ++sum) {
      for (std::int64_t part = sum; part < parts; part += kSums) {
        const auto count = static_cast<std::size_t>(read_part(x, part * together, inputs));
        read_part(gradient, part * together, slopes);
        packed_kernels().add_filter_gradient(std::span(inputs).first(count),
                                             std::span(slopes).first(count),
                                             sums.data_ptr<float>() + sum * sums.stride(0));
      }
    }
  });
  return torch::mm(points_of_taps().t(), sums.sum(0))
      .view({3, 3, channels, outputs})
      .permute({3, 2, 0, 1})
      .contiguous();
}

class ConvolutionFp32 : public torch::autograd::Function<ConvolutionFp32> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               const torch::Tensor& weight) {
    context->save_for_backward({x, weight});
    return convolved(x, weight.detach());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor &x = saved[0], weight = saved[1].detach();
    const torch::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    return {context->needs_input_grad(0)
                ? convolved(gradient, weight.permute({1, 0, 2, 3}).flip({2, 3}))
                : torch::Tensor(),
            filter_gradient(x, gradient)};
  }
};

}  // namespace

PackedWeights packed_at_points(const torch::Tensor& weight, const torch::Tensor& bias) {
  const std::int64_t outputs = weight.size(0), channels = weight.size(1);
  const torch::Tensor biases = bias.defined() ? bias.to(at::kFloat).contiguous() : torch::Tensor();
  PackedWeights packed =
      unfilled_weights(bias.defined() ? span_of(biases) : std::span<const float>(),
                       {static_cast<int>(outputs), kPoints, channels}, Arithmetic::fp32);
  const std::int64_t missing = packed.blocks() * packed.width - outputs;
  // [kPoints, O, C] → [blocks, kPoints, C, width]
  const torch::Tensor points =
      torch::mm(points_of_taps(), weight.reshape({outputs * channels, kTaps}).t());
  const torch::Tensor groups =
      torch::constant_pad_nd(points.view({kPoints, outputs, channels}), {0, 0, 0, missing})
          .view({kPoints, packed.blocks(), packed.width, channels})
          .permute({1, 0, 3, 2})
          .contiguous();
  std::memcpy(packed.groups.data(), groups.const_data_ptr(),
              packed.groups.size() * sizeof(std::uint32_t));
  return packed;
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

bool fits_convolution_fp32(const torch::Tensor& x, const torch::Tensor& weight) {
  constexpr std::int64_t kChannels = 16, kOutputs = 32;  // the largest tile that they come in
  return packs_here() && x.is_cpu() && x.scalar_type() == at::kFloat &&
         weight.scalar_type() == at::kFloat && x.is_contiguous(at::MemoryFormat::ChannelsLast) &&
         x.size(2) == x.size(3) && x.size(1) % kChannels == 0 && weight.size(0) % kOutputs == 0;
}

torch::Tensor convolution_fp32(const torch::Tensor& x, const torch::Tensor& weight) {
  return ConvolutionFp32::apply(x, weight);
}

}  // namespace diptych
