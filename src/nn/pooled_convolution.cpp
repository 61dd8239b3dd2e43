#include "nn/pooled_convolution.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "nn/packed_convolution.h"
#include "nn/patch_convolution.h"
#include "nn/pooled_gradients.h"

namespace diptych {

#if defined(__x86_64__)
namespace {

PackedConvolution packed(const torch::Tensor& weight, const torch::Tensor& bias,
                         Arithmetic arithmetic) {
  PackedConvolution convolution;
  convolution.pools = true;
  if (arithmetic == Arithmetic::fp32 && weight.size(1) % 16 == 0) {
    convolution.weights = pack_at_points(filters_of(weight), span_of(bias));
    return convolution;
  }
  const torch::Tensor last = weight.permute({0, 2, 3, 1}).contiguous();
  pack_filters(convolution,
               {span_of(last), span_of(bias), static_cast<int>(last.size(0)),
                static_cast<int>(last.size(3))},
               arithmetic);
  return convolution;
}

class PooledConvolution : public torch::autograd::Function<PooledConvolution> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               const torch::Tensor& weight, const torch::Tensor& bias) {
    const PooledShape shape = pooled_shape(x, weight.size(0));
    const Arithmetic arithmetic = arithmetic_of(x);
    const std::int64_t bytes = bytes_of_number(arithmetic);
    const PackedConvolution convolution = packed(weight.detach(), bias.detach(), arithmetic);
    torch::Tensor largest =
        torch::empty({shape.batch, shape.outputs, shape.side / 2, shape.side / 2},
                     x.options().memory_format(at::MemoryFormat::ChannelsLast));
    torch::Tensor place = torch::empty_like(largest, largest.options().dtype(at::kByte));
    at::parallel_for(0, shape.batch, 1, [&](std::int64_t begin, std::int64_t end) {
      Map input(shape.side, shape.channels, arithmetic);
      Map output(shape.side / 2, shape.outputs, arithmetic);
      Measured measured;
      for (std::int64_t picture = begin; picture < end; ++picture) {
        read_pixels(
            static_cast<const std::byte*>(x.const_data_ptr()) + picture * shape.pixels() * bytes,
            input);
        measured.places = place.data_ptr<std::uint8_t>() + picture * shape.windows();
        convolve(convolution, input, {0, convolution.pairs(shape.side)}, output, measured);
        write_pixels(output, static_cast<std::byte*>(largest.data_ptr()) +
                                 picture * shape.windows() * bytes);
      }
    });
    context->save_for_backward({x, weight, place});
    return largest;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor &x = saved[0], weight = saved[1].detach(), &place = saved[2];
    const torch::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const PooledGradients sums = pooled_weight_gradients(x, place, gradient);
    return {context->needs_input_grad(0) ? pooled_input_gradient(x, weight, place, gradient)
                                         : torch::Tensor(),
            sums.weight.permute({0, 3, 1, 2}).contiguous(), sums.bias};
  }
};

}  // namespace

bool fits_pooled_convolution(const torch::Tensor& x, const torch::Tensor& weight) {
  constexpr std::int64_t kLanes = 16;
  const bool is_fp32 = x.scalar_type() == at::kFloat && packs_here();
  const bool is_bf16 = x.scalar_type() == at::kBFloat16 && multiplies_bf16_here();
  const bool has_channels = x.size(1) % kLanes == 0 || (is_fp32 && !x.requires_grad());
  return (is_fp32 || is_bf16) && has_channels && weight.scalar_type() == at::kFloat &&
         x.is_contiguous(at::MemoryFormat::ChannelsLast) && x.size(2) == x.size(3) &&
         x.size(2) % 2 == 0 && weight.size(0) % kLanes == 0;
}

torch::Tensor pooled_convolution(const torch::Tensor& x, const torch::Tensor& weight,
                                 const torch::Tensor& bias) {
  return PooledConvolution::apply(x, weight, bias);
}

#else

bool fits_pooled_convolution(const torch::Tensor&, const torch::Tensor&) { return false; }
torch::Tensor pooled_convolution(const torch::Tensor&, const torch::Tensor&, const torch::Tensor&) {
  TORCH_CHECK(false, "pooled_convolution: another processor");
}

#endif

}  // namespace diptych
