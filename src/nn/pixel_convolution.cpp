#include "nn/pixel_convolution.h"

#include <ATen/Parallel.h>

#include "nn/packed_kernels.h"
#include "nn/patch_convolution.h"
#include "nn/profile.h"

namespace diptych {
namespace {

constexpr std::int64_t kColours = 3;

BytePictures byte_pictures_of(const Pixels& pixels) {
  BytePictures pictures{pixels.bytes.const_data_ptr<std::uint8_t>(), pixels.bytes.size(0),
                        pixels.bytes.size(2)};
  const auto* mean = pixels.mean.const_data_ptr<float>();
  const auto* deviation = pixels.deviation.const_data_ptr<float>();
  for (std::size_t c = 0; c < kColours; ++c) {
    pictures.scale[c] = 1 / (255 * deviation[c]);
    pictures.shift[c] = -mean[c] / deviation[c];
  }
  return pictures;
}

BytePictures part_of(BytePictures all, std::int64_t begin, std::int64_t end) {
  all.bytes += begin * all.side * all.side * kColours;
  all.count = end - begin;
  return all;
}

class PixelConvolution : public torch::autograd::Function<PixelConvolution> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context,
                               const torch::Tensor& weight, const Pixels& pixels,
                               at::ScalarType precision) {
    context->save_for_backward({pixels.bytes, pixels.mean, pixels.deviation});
    const torch::Tensor filters = weight.permute({2, 3, 1, 0}).contiguous();
    const BytePictures pictures = byte_pictures_of(pixels);
    const std::int64_t side = (pictures.side + 1) / 2;
    const torch::Tensor result =
        torch::empty({pictures.count, weight.size(0), side, side},
                     weight.options().requires_grad(false).dtype(precision).memory_format(
                         at::MemoryFormat::ChannelsLast));
    const WrittenPictures outputs = pictures_of<std::byte>(result);
    at::parallel_for(0, pictures.count, 1, [&](std::int64_t begin, std::int64_t end) {
      packed_kernels().convolve_pixels(part_of(pictures, begin, end),
                                       filters.const_data_ptr<float>(),
                                       part_of(outputs, begin, end));
    });
    return result;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const BytePictures pictures = byte_pictures_of({saved[0], saved[1], saved[2]});
    const torch::Tensor slope = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const Pictures slopes = pictures_of<const std::byte>(slope);
    const torch::Tensor sums =
        torch::empty({pictures.count, 3, 3, kColours, slopes.channels}, at::kFloat);
    at::parallel_for(0, pictures.count, 1, [&](std::int64_t begin, std::int64_t end) {
      packed_kernels().pixel_gradients(part_of(pictures, begin, end), part_of(slopes, begin, end),
                                       sums.data_ptr<float>() + begin * sums.stride(0));
    });
    return {sums.sum(0).permute({3, 2, 0, 1}), torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace

// On the host each of the 256 values that a byte takes is standardised once a channel, and looked
// up.
torch::Tensor standardised(const Pixels& from, at::ScalarType precision) {
  const ProfileScope scope("image.standardise");
  if (!from.bytes.is_cpu()) {
    const auto each = [](const torch::Tensor& channels) {
      return channels.view({1, kColours, 1, 1});
    };
    const torch::Tensor values = from.bytes.to(at::kFloat) / 255.0;
    return ((values - each(from.mean)) / each(from.deviation))
        .to(precision)
        .contiguous(at::MemoryFormat::ChannelsLast);
  }
  const torch::Tensor bytes = torch::arange(256, at::kFloat).unsqueeze(1) / 255.0;
  const auto each = [](const torch::Tensor& channels) { return channels.view({1, kColours}); };
  const torch::Tensor values =  // [256,3]
      ((bytes - each(from.mean)) / each(from.deviation)).to(precision);
  const torch::Tensor pixels = from.bytes.contiguous(at::MemoryFormat::ChannelsLast);
  torch::Tensor result = torch::empty_like(pixels, values.options());
  const auto look_up = [&](auto* to, const auto* table) {
    const auto* byte = pixels.const_data_ptr<std::uint8_t>();
    constexpr std::int64_t kGrain = 1 << 14;
    at::parallel_for(0, pixels.numel() / 3, kGrain, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = 3 * begin; i < 3 * end; i += 3) {
        for (std::int64_t c = 0; c < 3; ++c) to[i + c] = table[3 * byte[i + c] + c];
      }
    });
  };
  if (precision == at::kBFloat16) {
    look_up(result.data_ptr<at::BFloat16>(), values.data_ptr<at::BFloat16>());
  } else {
    look_up(result.data_ptr<float>(), values.data_ptr<float>());
  }
  return result;
}

bool fits_pixel_convolution(const Pixels& pixels, const torch::Tensor& weight) {
  constexpr std::int64_t kOutputs = 16;  // the largest register's
  return packs_here() && pixels.bytes.is_cpu() &&
         pixels.bytes.is_contiguous(at::MemoryFormat::ChannelsLast) &&
         pixels.bytes.size(1) == kColours && pixels.bytes.size(2) == pixels.bytes.size(3) &&
         weight.scalar_type() == at::kFloat && weight.size(0) % kOutputs == 0;
}

torch::Tensor pixel_convolution(const Pixels& pixels, const torch::Tensor& weight,
                                at::ScalarType precision) {
  return PixelConvolution::apply(weight, pixels, precision);
}

}  // namespace diptych
