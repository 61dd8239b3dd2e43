// Fusions: image [B,Di], text [B,Dt], present [B,2] → [B,D]. One row in make_fusion(), one class
// each.
#pragma once
#include <memory>

#include "config/config.h"
#include "nn/layers.h"

namespace diptych {

class Fusion : public torch::nn::Module {
 public:
  // present: 1 where the row has that input. An input that is hidden or missing is zero.
  virtual torch::Tensor forward(const torch::Tensor& image, const torch::Tensor& text,
                                const torch::Tensor& present) = 0;
  virtual int features() const = 0;
};

std::shared_ptr<Fusion> make_fusion(const Config& config, int image_features, int text_features);

}  // namespace diptych
