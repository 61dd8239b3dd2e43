#include "nn/layers.h"

#include <cmath>
#include <optional>

#include "nn/first_block.h"
#include "nn/patch_convolution.h"
#include "nn/pooled_convolution.h"
#include "nn/relu_max_pool.h"

namespace diptych {

namespace {
thread_local std::optional<at::Device> leaves_unfilled;
}  // namespace

LeaveUnfilled::LeaveUnfilled(at::Device device) { leaves_unfilled = device; }
LeaveUnfilled::~LeaveUnfilled() { leaves_unfilled.reset(); }

at::TensorOptions memory_of(const at::Generator& generator) {
  if (!generator.defined()) return at::TensorOptions().device(at::kMeta);
  return at::TensorOptions().device(leaves_unfilled.value_or(at::kCPU));
}

void fill_uniform(torch::Tensor tensor, double bound, const at::Generator& generator) {
  if (!generator.defined() || leaves_unfilled) return;
  const torch::NoGradGuard no_grad;
  tensor.uniform_(-bound, bound, generator);
}

void fill_normal(torch::Tensor tensor, double deviation, const at::Generator& generator) {
  if (!generator.defined() || leaves_unfilled) return;
  const torch::NoGradGuard no_grad;
  tensor.normal_(0.0, deviation, generator);
}

torch::Tensor dropout(const torch::Tensor& x, double p, Pass& pass) {
  if (!pass.training || p <= 0) return x;
  const torch::Tensor keep = whole_like(x, pass.part).bernoulli_(1.0 - p, pass.generator);
  return x * own_rows(keep, pass.part).mul_(1.0 / (1.0 - p));
}

Dense::Dense(int inputs, int outputs, const at::Generator& generator) {
  weight_ = register_parameter("weight", torch::empty({outputs, inputs}, memory_of(generator)));
  bias_ = register_parameter("bias", torch::zeros({outputs}, memory_of(generator)));
  fill_uniform(weight_, std::sqrt(6.0 / (inputs + outputs)), generator);
}

torch::Tensor Dense::forward(const torch::Tensor& x) const {
  return torch::linear(x, weight_.to(x.scalar_type()), bias_.to(x.scalar_type()));
}

Convolution::Convolution(const Options& options, const at::Generator& generator)
    : stride_(options.stride) {
  constexpr int kArea = 9;
  const at::TensorOptions memory = memory_of(generator);
  weight_ =
      register_parameter("weight", torch::empty({options.outputs, options.inputs, 3, 3}, memory));
  if (options.bias) bias_ = register_parameter("bias", torch::zeros({options.outputs}, memory));
  if (options.he) {
    fill_normal(weight_, std::sqrt(2.0 / (options.outputs * kArea)), generator);
  } else {
    fill_uniform(weight_, std::sqrt(6.0 / ((options.inputs + options.outputs) * kArea)), generator);
  }
}

torch::Tensor Convolution::forward(const torch::Tensor& x) const {
  if (stride_ == 1 && !bias_.defined() && fits_patch_convolution(x, weight_)) {
    return patch_convolution(x, weight_);
  }
  // A processor that does not multiply bf16 would take very long.
  const bool widens = x.is_cpu() && x.scalar_type() == at::kBFloat16 && !multiplies_bf16_here();
  const torch::Tensor seen = widens ? x.to(at::kFloat) : x;
  const torch::Tensor weight =
      weight_.to(seen.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
  const torch::Tensor bias = bias_.defined() ? bias_.to(seen.scalar_type()) : bias_;
  return torch::conv2d(seen, weight, bias, stride_, /*padding=*/1).to(x.scalar_type());
}

torch::Tensor Convolution::forward(const Pixels& pixels, at::ScalarType precision) const {
  if (stride_ == 2 && !bias_.defined() && fits_pixel_convolution(pixels, weight_)) {
    return pixel_convolution(pixels, weight_, precision);
  }
  return forward(standardised(pixels, precision));
}

torch::Tensor Convolution::forward_pooled(const torch::Tensor& x) const {
  const bool may_fit = x.is_cpu() && bias_.defined() && stride_ == 1;
  if (may_fit && fits_first_block(x, weight_)) return first_block(x, weight_, bias_);
  if (may_fit && fits_pooled_convolution(x, weight_)) {
    return pooled_convolution(x, weight_, bias_);
  }
  return relu_max_pool(forward(x));
}

BatchNorm::BatchNorm(int channels, const at::Generator& generator) {
  const at::TensorOptions memory = memory_of(generator);
  weight_ = register_parameter("weight", torch::ones({channels}, memory));
  bias_ = register_parameter("bias", torch::zeros({channels}, memory));
  running_mean_ = register_buffer("running_mean", torch::zeros({channels}, memory));
  running_variance_ = register_buffer("running_var", torch::ones({channels}, memory));
}

NormedMap BatchNorm::forward(const torch::Tensor& x, const Pass& pass,
                             const AfterNorm& after) const {
  constexpr double kMomentum = 0.1;
  // A single value has no variance: it would make the running one not a number, for ever.
  const std::int64_t rows = pass.part.world ? pass.part.whole : x.size(0);
  const bool learns = pass.training && rows * x.size(2) * x.size(3) > 1;
  if (x.is_cpu() && (learns || !torch::GradMode::is_enabled())) {
    const Normalising how{weight_,   bias_,    running_mean_, running_variance_,
                          kMomentum, kEpsilon, pass.part};
    return learns ? normed_map(x, how, after) : normed_as_remembered(x, how, after);
  }
  return follow(torch::batch_norm(x, weight_, bias_, running_mean_, running_variance_, learns,
                                  kMomentum, kEpsilon, /*cudnn_enabled=*/true),
                after);
}

Filters BatchNorm::folded_into(const Filters& filters) const {
  const torch::NoGradGuard no_grad;
  const torch::Tensor scale = weight_ / (running_variance_ + kEpsilon).sqrt();
  const torch::Tensor bias = filters.bias.defined() ? filters.bias : torch::zeros_like(scale);
  return {filters.weight * scale.view({-1, 1, 1, 1}), bias_ + (bias - running_mean_) * scale,
          filters.stride};
}

Lstm::Lstm(const Options& options, const at::Generator& generator)
    : features_(options.features), bidirectional_(options.bidirectional) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(features_));
  for (int direction = 0; direction < (bidirectional_ ? 2 : 1); ++direction) {
    const std::string suffix = direction ? "_reverse" : "";
    const auto add = [&](const std::string& name, at::IntArrayRef shape) {
      weights_.push_back(
          register_parameter(name + suffix, torch::zeros(shape, memory_of(generator))));
      return weights_.back();
    };
    fill_uniform(add("weight_ih", {4 * features_, options.inputs}), bound, generator);
    fill_uniform(add("weight_hh", {4 * features_, features_}), bound, generator);
    const torch::NoGradGuard no_grad;
    add("bias_ih", {4 * features_}).slice(0, features_, 2 * features_).fill_(1.0);
    add("bias_hh", {4 * features_});
  }
}

Lstm::Output Lstm::forward(const torch::Tensor& x, const torch::Tensor& lengths) const {
  const auto packed = torch::nn::utils::rnn::pack_padded_sequence(x, lengths, /*batch_first=*/true,
                                                                  /*enforce_sorted=*/false);
  const int directions = bidirectional_ ? 2 : 1;
  const torch::Tensor zero = torch::zeros({directions, x.size(0), features_}, x.options());
  const bool has_backward = !x.is_cpu() && torch::GradMode::is_enabled();  // cuDNN asks
  auto [data, hidden, cell] =
      torch::lstm(packed.data(), packed.batch_sizes(), {zero, zero}, weights_, /*has_biases=*/true,
                  /*num_layers=*/1, /*dropout=*/0.0, /*train=*/has_backward, bidirectional_);
  // pad_packed_sequence() without the lengths, for which it would wait for the device.
  const torch::Tensor padded =
      std::get<0>(at::_pad_packed_sequence(data, packed.batch_sizes(), /*batch_first=*/true,
                                           /*padding_value=*/0.0, /*total_length=*/x.size(1)));
  const torch::Tensor all = padded.index_select(0, packed.unsorted_indices());
  const torch::Tensor last = hidden.index_select(1, packed.unsorted_indices());
  return {all, last.permute({1, 0, 2}).reshape({x.size(0), directions * features_})};
}

PackedLstm Lstm::packed() const {
  const torch::NoGradGuard no_grad;
  const auto pack = [](const torch::Tensor& weight, const torch::Tensor& bias) {
    const PackShape shape{static_cast<int>(weight.size(0)), 1, weight.size(1)};
    return pack_weights({weight.data_ptr<float>(), static_cast<std::size_t>(weight.numel())},
                        {bias.data_ptr<float>(), static_cast<std::size_t>(bias.numel())}, shape,
                        Arithmetic::fp32);
  };
  const torch::Tensor bias = weights_[2] + weights_[3];
  return {pack(weights_[0], bias), pack(weights_[1], torch::zeros_like(bias)),
          static_cast<int>(weights_[0].size(1)), features_};
}

}  // namespace diptych
