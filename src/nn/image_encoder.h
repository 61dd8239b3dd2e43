// Image encoders: [B,3,H,W] → [B,D]. One row in make_image_encoder() and one class each.
#pragma once
#include <memory>

#include "config/config.h"
#include "nn/packed_image_encoder.h"

namespace diptych {

class ImageEncoder : public torch::nn::Module {
 public:
  // Maps are in pass.compute. Returns fp32 [B,features()].
  virtual torch::Tensor forward(const Pixels& pixels, Pass& pass) = 0;
  virtual int features() const = 0;
  virtual TrainedImageEncoder trained() const = 0;
};

// One linear map of histograms of colours and gradients: [B,I] → [B,D]. Few pictures are too few to
// learn them; its table is trained like that of words (see AdaptiveMoments).
class DescriptorEncoder : public torch::nn::Module {
 public:
  DescriptorEncoder(int inputs, int features, const at::Generator& generator);
  torch::Tensor forward(const torch::Tensor& histograms) const {
    return histograms.matmul(weight_);
  }

 private:
  torch::Tensor weight_;  // [I,D]
};

// fp32 or bf16, of maps in training: what config.precision stands for there. auto: bf16 where it is
// faster.
Precision resolve_precision(const Config& config, at::Device device);
std::string precision_name(Precision resolved);

std::shared_ptr<ImageEncoder> make_image_encoder(const Config& config,
                                                 const at::Generator& generator);

}  // namespace diptych
