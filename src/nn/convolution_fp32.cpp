#include "nn/convolution_fp32.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "nn/packed_kernels.h"

namespace diptych {
namespace {

Pictures pictures_of(const torch::Tensor& x) {
  return {x.const_data_ptr<float>(), x.size(0), x.size(2), x.size(1)};
}

// Those from `begin` on.
Pictures part_of(const Pictures& all, std::int64_t begin, std::int64_t end) {
  return {all.numbers + begin * all.side * all.side * all.channels, end - begin, all.side,
          all.channels};
}

torch::Tensor convolved(const torch::Tensor& x, const FilterView& filters) {
  PackedConvolution convolution;
  convolution.weights = pack_at_points(filters, {});
  const Pictures inputs = pictures_of(x);
  const torch::Tensor result =
      torch::empty({x.size(0), filters.outputs, x.size(2), x.size(3)},
                   x.options().memory_format(at::MemoryFormat::ChannelsLast));
  at::parallel_for(0, inputs.count, 1, [&](std::int64_t begin, std::int64_t end) {
    packed_kernels().convolve_pictures(convolution, part_of(inputs, begin, end),
                                       result.data_ptr<float>() + begin * result.stride(0));
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

// Of so many sums of a filter's gradient at its points, [C,kPoints,O] each: [O,C,3,3].
torch::Tensor from_points(const torch::Tensor& sums, std::int64_t channels, std::int64_t outputs) {
  constexpr std::int64_t kTogether = 16;  // outputs
  using Numbers = float[kTogether];
  torch::Tensor gradient = torch::empty({outputs, channels, 3, 3});
  const auto add_up = [&](const float* from, Numbers(&all)[4][4]) {
    for (std::int64_t sum = 0; sum < sums.size(0); ++sum, from += sums.stride(0)) {
      for (int point = 0; point < kPoints; ++point) {
        Numbers& to = all[point / 4][point % 4];
        for (std::int64_t i = 0; i < kTogether; ++i) to[i] += from[point * outputs + i];
      }
    }
  };
  const auto write = [&](std::int64_t channel, std::int64_t output) {
    Numbers all[4][4] = {}, rows[3][4];
    add_up(sums.const_data_ptr<float>() + channel * kPoints * outputs + output, all);
    for (int x = 0; x < 4; ++x) {
      for (std::int64_t i = 0; i < kTogether; ++i) {
        const float middle = (all[1][x][i] + all[2][x][i]) / 2;
        rows[0][x][i] = all[0][x][i] + middle;
        rows[1][x][i] = (all[1][x][i] - all[2][x][i]) / 2;
        rows[2][x][i] = middle + all[3][x][i];
      }
    }
    float* to = gradient.data_ptr<float>() + (output * channels + channel) * 9;
    for (std::int64_t i = 0; i < kTogether; ++i, to += channels * 9) {
      for (int y = 0; y < 3; ++y) {
        const float middle = (rows[y][1][i] + rows[y][2][i]) / 2;
        to[3 * y] = rows[y][0][i] + middle;
        to[3 * y + 1] = (rows[y][1][i] - rows[y][2][i]) / 2;
        to[3 * y + 2] = middle + rows[y][3][i];
      }
    }
  };
  at::parallel_for(0, channels, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t channel = begin; channel < end; ++channel) {
      for (std::int64_t at = 0; at < outputs; at += kTogether) write(channel, at);
    }
  });
  return gradient;
}

// In as many sums, whatever the number of threads, which are then added up.
torch::Tensor filter_gradient(const torch::Tensor& x, const torch::Tensor& gradient) {
  constexpr std::int64_t kWindows = 160;  // as stay in the cache, at a point
  const Pictures inputs = pictures_of(x), slopes = pictures_of(gradient);
  const std::int64_t parts = std::min<std::int64_t>(4, inputs.count);
  const std::int64_t pairs = (inputs.side + 1) / 2;
  const std::int64_t together = std::max<std::int64_t>(1, kWindows / (pairs * pairs));
  const torch::Tensor sums = torch::empty({parts, inputs.channels * kPoints * slopes.channels});
  at::parallel_for(0, parts, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t part = first; part < last; ++part) {
      float* const to = sums.data_ptr<float>() + part * sums.stride(0);
      const std::int64_t begin = part * inputs.count / parts;
      const std::int64_t end = (part + 1) * inputs.count / parts;
      for (std::int64_t at = begin; at < end; at += together) {
        const std::int64_t until = std::min(at + together, end);
        packed_kernels().add_filter_gradient(part_of(inputs, at, until), part_of(slopes, at, until),
                                             at > begin, to);
      }
    }
  });
  return from_points(sums, inputs.channels, slopes.channels);
}

class ConvolutionFp32 : public torch::autograd::Function<ConvolutionFp32> {
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
