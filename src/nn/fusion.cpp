#include "nn/fusion.h"

namespace diptych {
namespace {

// The paper's `concatenate`.
class Concatenation : public Fusion {
 public:
  Concatenation(int image_features, int text_features)
      : features_(image_features + text_features) {}
  torch::Tensor forward(const torch::Tensor& image, const torch::Tensor& text,
                        const torch::Tensor& present) override {
    return torch::cat(
        {image * present.select(1, 0).unsqueeze(1), text * present.select(1, 1).unsqueeze(1)}, 1);
  }
  int features() const override { return features_; }

 private:
  int features_;
};

}  // namespace

std::shared_ptr<Fusion> make_fusion(const Config& config, int image_features, int text_features) {
  switch (config.fusion) {
    case FusionKind::concatenate:
      return std::make_shared<Concatenation>(image_features, text_features);
  }
  TORCH_INTERNAL_ASSERT(false);
}

}  // namespace diptych
