#include "nn/packed_image_encoder.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "nn/patch_convolution.h"

namespace diptych {
namespace {

constexpr int kBytes = 256;  // values of one
constexpr float kLargestByte = 255;

torch::Tensor plain(const torch::Tensor& tensor) {
  return tensor.detach().to(at::kFloat).contiguous();
}

// Channels last, [O, …, C'] with zeros up to whole groups.
torch::Tensor grouped(const torch::Tensor& weight, Arithmetic arithmetic) {
  const torch::Tensor last = weight.permute({0, 2, 3, 1});
  const std::int64_t width = numbers_in_group(arithmetic);
  const std::int64_t missing = (width - last.size(3) % width) % width;
  return plain(missing > 0 ? torch::constant_pad_nd(last, {0, missing}) : last);
}

}  // namespace

// One for each thread; maps keep their borders from picture to picture.
struct PackedImageEncoder::Workspace {
  std::vector<Map> maps;  // what each convolution reads, then what the last one wrote
  std::vector<Measured> measured;

  explicit Workspace(const PackedImageEncoder& encoder) {
    int side = encoder.side_, channels = 3;
    for (const PackedConvolution& convolution : encoder.convolutions_) {
      maps.emplace_back(side, channels, encoder.arithmetic_);
      const auto pairs = static_cast<std::size_t>(convolution.pairs(side));
      const std::size_t sums = convolution.measures ? pairs * convolution.weights.bias.size() : 0;
      measured.push_back({std::vector<float>(sums), std::vector<float>(sums)});
      side = convolution.output_side(side);
      channels = convolution.weights.outputs;
    }
    maps.emplace_back(side, channels, encoder.arithmetic_);
    if (encoder.arithmetic_ != Arithmetic::int8) return;
    Map& first = maps.front();
    for (int y = -1; y <= first.side(); ++y) {
      for (int x = -1; x <= first.side(); ++x) {
        std::copy_n(reinterpret_cast<const std::byte*>(encoder.border_.data()), 3, first.at(y, x));
      }
    }
  }
};

PackedImageEncoder::PackedImageEncoder(const TrainedImageEncoder& trained,
                                       const PackOptions& options)
    : arithmetic_(options.arithmetic), side_(options.side), last_side_(options.side) {
  const torch::NoGradGuard no_grad;
  set_pixels(options);
  for (const TrainedConvolution& convolution : trained.convolutions) {
    add_convolution(convolution, options);
  }
  if (trained.dense_weight.defined()) add_dense(trained);
}

void PackedImageEncoder::set_pixels(const PackOptions& options) {
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const float mean = options.mean[channel];
    border_[channel] =
        static_cast<std::uint8_t>(std::clamp(std::round(mean * kLargestByte), 0.0F, kLargestByte));
    for (std::size_t byte = 0; byte < kBytes; ++byte) {
      const float value =
          (static_cast<float>(byte) / kLargestByte - mean) / options.deviation[channel];
      bits_[byte][channel] = arithmetic_ == Arithmetic::bf16 ? at::BFloat16(value).x
                                                             : std::bit_cast<std::uint32_t>(value);
    }
  }
}

// The first of int8 reads bytes as they are: standardising is folded into it.
void PackedImageEncoder::add_convolution(const TrainedConvolution& trained,
                                         const PackOptions& options) {
  torch::Tensor weight = plain(trained.filters.weight);
  torch::Tensor bias =
      trained.filters.bias.defined() ? plain(trained.filters.bias) : torch::zeros({weight.size(0)});
  PackedConvolution packed;
  if (arithmetic_ == Arithmetic::int8) {
    const std::size_t index = convolutions_.size();
    packed.output_scale = kLargestByte / std::max(options.limits.at(index), 1e-6F);
    packed.input_scale = index > 0 ? convolutions_.back().output_scale : 1;
    if (index == 0) {
      const torch::Tensor mean =
          torch::tensor(at::ArrayRef<float>(options.mean)).view({1, 3, 1, 1});
      weight = weight / torch::tensor(at::ArrayRef<float>(options.deviation)).view({1, 3, 1, 1});
      bias = bias - (weight * mean).sum({1, 2, 3});
      weight = weight / kLargestByte;
    }
  }
  const torch::Tensor groups = grouped(weight, arithmetic_);
  packed.stride = trained.filters.stride;
  packed.adds_input = trained.adds_input;
  packed.measures = trained.measures;
  packed.pools = trained.pools;
  pack_filters(packed,
               {span_of(groups), span_of(bias), static_cast<int>(weight.size(0)),
                static_cast<int>(groups.size(3))},
               arithmetic_);
  last_side_ = packed.output_side(last_side_);
  last_channels_ = packed.weights.outputs;
  if (packed.measures) features_ += 2 * last_channels_;
  convolutions_.push_back(std::move(packed));
}

// Block by block: all of it laid out anew would be as large as itself once more.
void PackedImageEncoder::add_dense(const TrainedImageEncoder& trained) {
  const std::int64_t outputs = trained.dense_weight.size(0);
  const std::int64_t pixel = grouped(torch::empty({1, last_channels_, 1, 1}), arithmetic_).numel();
  const std::int64_t length = static_cast<std::int64_t>(last_side_) * last_side_ * pixel;
  dense_ = unfilled_weights(span_of(plain(trained.dense_bias)),
                            {static_cast<int>(outputs), 1, length}, arithmetic_);
  at::parallel_for(0, dense_->blocks(), 1, [&](std::int64_t begin, std::int64_t end) {
    const torch::NoGradGuard no_grad;
    for (auto block = static_cast<int>(begin); block < static_cast<int>(end); ++block) {
      const int count = dense_->outputs_of(block);
      const torch::Tensor filters = grouped(
          trained.dense_weight.slice(0, dense_->width * block, dense_->width * block + count)
              .view({count, last_channels_, last_side_, last_side_}),
          arithmetic_);
      fill_block(*dense_, block, span_of(filters), 1 / convolutions_.back().output_scale);
    }
  });
}

void PackedImageEncoder::read(const std::uint8_t* picture, Map& map) const {
  for (int y = 0; y < side_; ++y) {
    std::byte* to = map.at(y, 0);
    for (int x = 0; x < side_; ++x, picture += 3, to += map.pixel_bytes()) {
      for (std::size_t c = 0; c < 3; ++c) {
        const std::uint32_t bits = bits_[picture[c]][c];
        if (arithmetic_ == Arithmetic::fp32) std::memcpy(to + 4 * c, &bits, 4);
        if (arithmetic_ == Arithmetic::bf16) std::memcpy(to + 2 * c, &bits, 2);
        if (arithmetic_ == Arithmetic::int8) std::memcpy(to + c, picture + c, 1);
      }
    }
  }
}

void PackedImageEncoder::encode(const std::uint8_t* picture, Workspace& workspace) const {
  read(picture, workspace.maps.front());
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    const Map& input = workspace.maps[i];
    const PackedConvolution& convolution = convolutions_[i];
    at::parallel_for(0, convolution.pairs(input.side()), 1, [&](auto begin, auto end) {
      convolve(convolution, input, {begin, end}, workspace.maps[i + 1], workspace.measured[i]);
    });
  }
}

// Mean and maximum of each measured map.
void PackedImageEncoder::write_measured(const Workspace& workspace, float* to) const {
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    if (!convolutions_[i].measures) continue;
    const PackedConvolution& convolution = convolutions_[i];
    const Measured& measured = workspace.measured[i];
    const auto rows = static_cast<float>(convolution.rows(workspace.maps[i].side()));
    const std::size_t width = convolution.weights.bias.size();
    const auto outputs = static_cast<std::size_t>(convolution.weights.outputs);
    for (std::size_t channel = 0; channel < outputs; ++channel) {
      float sum = 0, largest = 0;
      for (std::size_t at = channel; at < measured.sums.size(); at += width) {
        sum += measured.sums[at];
        largest = std::max(largest, measured.largest[at]);
      }
      to[channel] = sum / (rows * rows);
      to[outputs + channel] = largest;
    }
    to += 2 * outputs;
  }
}

torch::Tensor PackedImageEncoder::forward(const torch::Tensor& pixels) const {
  const torch::Tensor bytes = pixels.permute({0, 2, 3, 1}).contiguous();
  const std::int64_t rows = bytes.size(0);
  const std::int64_t row_bytes = last_side_ * Map(1, last_channels_, arithmetic_).pixel_bytes();
  std::vector<std::byte> flat(static_cast<std::size_t>(dense_ ? rows * last_side_ * row_bytes : 0));
  const torch::Tensor features =
      torch::empty({rows, dense_ ? dense_->blocks() * dense_->width : features_});
  at::parallel_for(0, rows, 1, [&](std::int64_t begin, std::int64_t end) {
    Workspace workspace(*this);
    for (std::int64_t row = begin; row < end; ++row) {
      encode(bytes.const_data_ptr<std::uint8_t>() + row * 3 * side_ * side_, workspace);
      if (!dense_) {
        write_measured(workspace, features.data_ptr<float>() + row * features_);
        continue;
      }
      for (int y = 0; y < last_side_; ++y) {
        std::copy_n(workspace.maps.back().at(y, 0), row_bytes,
                    flat.data() + (row * last_side_ + y) * row_bytes);
      }
    }
  });
  if (!dense_) return features;
  at::parallel_for(0, dense_->blocks(), 1, [&](std::int64_t begin, std::int64_t end) {
    multiply(*dense_, {flat.data(), dense_->steps, static_cast<int>(rows)},
             {static_cast<int>(begin), static_cast<int>(end)}, features.data_ptr<float>());
  });
  return torch::relu(features.slice(1, 0, dense_->outputs));
}

std::vector<float> PackedImageEncoder::limits(const torch::Tensor& pixels) const {
  const torch::Tensor bytes = pixels.permute({0, 2, 3, 1}).contiguous();
  std::vector<float> limits(convolutions_.size(), 0);
  Workspace workspace(*this);
  for (std::int64_t row = 0; row < bytes.size(0); ++row) {
    encode(bytes.const_data_ptr<std::uint8_t>() + row * 3 * side_ * side_, workspace);
    for (std::size_t i = 0; i < limits.size(); ++i) {
      const Map& map = workspace.maps[i + 1];
      for (int y = 0; y < map.side(); ++y) {
        const auto* numbers = reinterpret_cast<const float*>(map.at(y, 0));
        limits[i] =
            std::max(limits[i], *std::max_element(numbers, numbers + map.side() * map.channels()));
      }
    }
  }
  return limits;
}

}  // namespace diptych
