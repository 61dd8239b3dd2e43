#include "nn/image_encoder.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <fmt/format.h>

#include <numeric>

#include "nn/patch_convolution.h"
#include "nn/profile.h"

namespace diptych {
namespace {

// The paper's: (convolution, ReLU, max-pool)×n, flatten, dense, ReLU.
class PlainEncoder : public ImageEncoder {
 public:
  PlainEncoder(const Config& config, const at::Generator& generator)
      : features_(config.image_features) {
    int inputs = 3, side = config.image_size;
    for (int outputs : config.channels) {
      blocks_.push_back(register_module(
          "conv" + std::to_string(blocks_.size() + 1),
          std::make_shared<Convolution>(Convolution::Options{inputs, outputs}, generator)));
      inputs = outputs;
      side /= 2;
    }
    dense_ = register_module("dense",
                             std::make_shared<Dense>(inputs * side * side, features_, generator));
  }

  torch::Tensor forward(const Pixels& pixels, Pass& pass) override {
    torch::Tensor x = standardised(pixels, pass.compute);
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const ProfileScope scope(fmt::format("image.conv{}", i + 1));
      x = blocks_[i]->forward_pooled(x);
    }
    const ProfileScope scope("image.dense");
    return torch::relu(dense_->forward(x.flatten(1))).to(at::kFloat);
  }

  int features() const override { return features_; }

  TrainedImageEncoder trained() const override {
    TrainedImageEncoder trained;
    for (const auto& block : blocks_) {
      trained.convolutions.push_back({.filters = block->filters(), .pools = true});
    }
    trained.dense_weight = dense_->weight();
    trained.dense_bias = dense_->bias();
    return trained;
  }

 private:
  int features_;
  std::vector<std::shared_ptr<Convolution>> blocks_;
  std::shared_ptr<Dense> dense_;
};

// Convolution, batch normalisation, ReLU.
class Unit : public torch::nn::Module {
 public:
  Unit(int inputs, int outputs, const at::Generator& generator, int stride = 1) {
    convolution_ = register_module(
        "conv",
        std::make_shared<Convolution>(
            Convolution::Options{inputs, outputs, /*bias=*/false, /*he=*/true, stride}, generator));
    norm_ = register_module("norm", std::make_shared<BatchNorm>(outputs, generator));
  }
  // after: as AfterNorm.
  NormedMap forward(const torch::Tensor& x, const Pass& pass, AfterNorm after = {}) const {
    return follow(convolution_->forward(x), pass, after);
  }
  NormedMap forward(const Pixels& pixels, const Pass& pass, AfterNorm after = {}) const {
    return follow(convolution_->forward(pixels, pass.compute), pass, after);
  }
  Filters filters() const { return norm_->folded_into(convolution_->filters()); }

 private:
  NormedMap follow(const torch::Tensor& convolved, const Pass& pass, AfterNorm after) const {
    after.rectifies = true;
    return norm_->forward(convolved, pass, after);
  }

  std::shared_ptr<Convolution> convolution_;
  std::shared_ptr<BatchNorm> norm_;
};

// A stem, then stages of one widening unit and one residual unit (He et al., CVPR 2016), halved by
// max-pooling in between; mean and maximum over the map of every stage, fine and coarse alike.
class ResidualEncoder : public ImageEncoder {
 public:
  ResidualEncoder(const Config& config, const at::Generator& generator)
      : features_(2 * std::accumulate(config.channels.begin() + 1, config.channels.end(), 0)) {
    int inputs = 3;
    for (int outputs : config.channels) {
      const std::string index = std::to_string(widen_.size());
      widen_.push_back(register_module(
          "widen" + index,
          std::make_shared<Unit>(inputs, outputs, generator, widen_.empty() ? 2 : 1)));
      if (widen_.size() > 1) {
        residual_.push_back(register_module("residual" + index,
                                            std::make_shared<Unit>(outputs, outputs, generator)));
      }
      inputs = outputs;
    }
  }

  torch::Tensor forward(const Pixels& pixels, Pass& pass) override {
    torch::Tensor x = stem(pixels, pass);
    std::vector<torch::Tensor> measures;
    for (std::size_t stage = 1; stage < widen_.size(); ++stage) {
      const ProfileScope scope(fmt::format("image.stage{}", stage));
      x = widen_[stage]->forward(x, pass).map;
      const bool pools = stage + 1 < widen_.size();
      const NormedMap sum =
          residual_[stage - 1]->forward(x, pass, {.added = x, .measures = true, .pools = pools});
      measures.push_back(sum.measures);
      x = sum.map;
    }
    return torch::cat(measures, 1);
  }

  int features() const override { return features_; }

  TrainedImageEncoder trained() const override {
    TrainedImageEncoder trained;
    for (std::size_t stage = 0; stage < widen_.size(); ++stage) {
      trained.convolutions.push_back({.filters = widen_[stage]->filters(), .pools = stage == 0});
      if (stage == 0) continue;
      trained.convolutions.push_back({.filters = residual_[stage - 1]->filters(),
                                      .adds_input = true,
                                      .measures = true,
                                      .pools = stage + 1 < widen_.size()});
    }
    return trained;
  }

 private:
  torch::Tensor stem(const Pixels& pixels, const Pass& pass) const {
    const ProfileScope scope("image.stem");
    return widen_.front()->forward(pixels, pass, {.pools = true}).map;
  }
  int features_;
  std::vector<std::shared_ptr<Unit>> widen_, residual_;
};

// Whether all but its first convolution read and write bf16 at no cost.
bool goes_in_patches(const Config& config) {
  bool fits = config.image_encoder == ImageEncoderKind::residual;
  for (std::size_t stage = 1; stage < config.channels.size(); ++stage) {
    fits = fits && fits_patch_convolution(config.channels[stage - 1], config.channels[stage]);
  }
  return fits;
}

}  // namespace

Precision resolve_precision(const Config& config, at::Device device) {
  if (config.precision != Precision::automatic) return config.precision;
  const bool gains = device.is_cuda()
                         ? at::detail::getCUDAHooks().supportsBFloat16ConvolutionWithCuDNNv8()
                         : device.is_cpu() && (multiplies_bf16_here() || goes_in_patches(config));
  return gains ? Precision::bf16 : Precision::fp32;
}

std::string precision_name(Precision resolved) {
  return resolved == Precision::bf16 ? "bf16" : "fp32";
}

DescriptorEncoder::DescriptorEncoder(int inputs, int features, const at::Generator& generator) {
  weight_ = register_parameter("embedding", torch::empty({inputs, features}, memory_of(generator)));
  constexpr double kDeviation = 0.01;
  fill_normal(weight_, kDeviation, generator);
}

std::shared_ptr<ImageEncoder> make_image_encoder(const Config& config,
                                                 const at::Generator& generator) {
  switch (config.image_encoder) {
    case ImageEncoderKind::plain:
      return std::make_shared<PlainEncoder>(config, generator);
    case ImageEncoderKind::residual:
      return std::make_shared<ResidualEncoder>(config, generator);
  }
  TORCH_INTERNAL_ASSERT(false);
}

}  // namespace diptych
