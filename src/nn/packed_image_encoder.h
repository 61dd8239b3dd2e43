// A trained image encoder as the answering path runs it: from bytes of pixels to features, each
// picture through all its convolutions while they lie in the cache.
#pragma once
#include <torch/torch.h>

#include <array>
#include <optional>

#include "nn/layers.h"
#include "nn/packed_convolution.h"

namespace diptych {

// What an image encoder computes once it is trained: convolutions in order, with normalisation
// folded into their weights; then either a dense layer with ReLU over the last map, or mean and
// maximum of every map that is measured.
struct TrainedConvolution {
  Filters filters;
  bool adds_input = false, measures = false, pools = false;
};
struct TrainedImageEncoder {
  std::vector<TrainedConvolution> convolutions;
  torch::Tensor dense_weight, dense_bias;  // [D,C·H·W], [D]; undefined: none
};

struct PackOptions {
  Arithmetic arithmetic = Arithmetic::fp32;
  int side = 0;
  std::array<float, 3> mean, deviation;  // of pixels, on the scale 0..1
  std::vector<float> limits;             // int8: the largest output of each convolution
};

class PackedImageEncoder {
 public:
  PackedImageEncoder(const TrainedImageEncoder& trained, const PackOptions& options);

  // [B,3,H,W] bytes, channels last → [B,D] fp32. A picture's features depend on nothing else.
  torch::Tensor forward(const torch::Tensor& pixels) const;
  // The largest output of each convolution over these pictures; fp32 only.
  std::vector<float> limits(const torch::Tensor& pixels) const;

 private:
  struct Workspace;
  void add_convolution(const TrainedConvolution& trained, const PackOptions& options);
  void add_dense(const TrainedImageEncoder& trained);
  void set_pixels(const PackOptions& options);
  void read(const std::uint8_t* picture, Map& map) const;
  void encode(const std::uint8_t* picture, Workspace& workspace) const;
  void write_measured(const Workspace& workspace, float* features) const;

  Arithmetic arithmetic_;
  int side_, last_side_, last_channels_ = 3, features_ = 0;
  std::vector<PackedConvolution> convolutions_;
  std::optional<PackedWeights> dense_;
  std::array<std::array<std::uint32_t, 3>, 256> bits_;  // of a standardised byte, by channel
  std::array<std::uint8_t, 3> border_{};                // int8: the byte nearest the mean
};

}  // namespace diptych
