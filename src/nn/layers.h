// The layers that Diptych's networks are made of: torch's operators with explicit random
// generators, so that several trainings in one process never disturb each other's numbers.
#pragma once
#include <torch/torch.h>

#include "nn/batch_part.h"
#include "nn/normed_map.h"
#include "nn/packed_lstm.h"
#include "nn/pixel_convolution.h"

namespace diptych {

// What one forward pass needs to know. In training, dropout draws from `generator`.
struct Pass {
  bool training = false;
  at::ScalarType compute = at::kFloat;  // of convolutions: kFloat or kBFloat16
  at::Generator generator;              // set when training
  BatchPart part;                       // of the batch, in training
};

// Where a layer's new parameters live. Without a generator a network is a plan: shapes that no
// memory stands behind (torch's meta device), to compare a file with before believing it.
at::TensorOptions memory_of(const at::Generator& generator);

// While it lives, networks that this thread makes are left unfilled, on that device: their weights
// come from elsewhere.
class LeaveUnfilled {
 public:
  explicit LeaveUnfilled(at::Device device);
  ~LeaveUnfilled();
  LeaveUnfilled(const LeaveUnfilled&) = delete;
};

// Fills with U(-bound, bound) or N(0, deviation); leaves a plan as it is.
void fill_uniform(torch::Tensor tensor, double bound, const at::Generator& generator);
void fill_normal(torch::Tensor tensor, double deviation, const at::Generator& generator);

// Srivastava et al., JMLR 15, 2014. Identity when not training or p is 0.
torch::Tensor dropout(const torch::Tensor& x, double p, Pass& pass);

// [B,I] → [B,O]. Glorot uniform weights, zero bias.
class Dense : public torch::nn::Module {
 public:
  Dense(int inputs, int outputs, const at::Generator& generator);
  torch::Tensor forward(const torch::Tensor& x) const;
  const torch::Tensor& weight() const { return weight_; }
  const torch::Tensor& bias() const { return bias_; }

 private:
  torch::Tensor weight_, bias_;
};

// Weights as they are once trained: [O,I,3,3] and [O] (undefined: none).
struct Filters {
  torch::Tensor weight, bias;
  int stride = 1;
};

// [B,I,H,W] → [B,O,H/stride,W/stride], 3×3, same padding, channels last, in x's precision.
class Convolution : public torch::nn::Module {
 public:
  struct Options {
    int inputs = 0, outputs = 0;
    bool bias = true;
    bool he = false;  // He et al. normal (fan out) instead of Glorot uniform
    int stride = 1;
  };
  Convolution(const Options& options, const at::Generator& generator);
  torch::Tensor forward(const torch::Tensor& x) const;
  torch::Tensor forward(const Pixels& pixels, at::ScalarType precision) const;
  // relu_max_pool() of it, in one pass where a fast one fits.
  torch::Tensor forward_pooled(const torch::Tensor& x) const;
  Filters filters() const { return {weight_, bias_, stride_}; }

 private:
  int stride_;
  torch::Tensor weight_, bias_;
};

// Ioffe and Szegedy, ICML 2015. [B,C,H,W] → same; statistics in fp32 whatever x's precision.
class BatchNorm : public torch::nn::Module {
 public:
  BatchNorm(int channels, const at::Generator& generator);
  torch::Tensor forward(const torch::Tensor& x, const Pass& pass) const {
    return forward(x, pass, {}).map;
  }
  NormedMap forward(const torch::Tensor& x, const Pass& pass, const AfterNorm& after) const;
  // The convolution before it, with what this layer does to its outputs when not training.
  Filters folded_into(const Filters& filters) const;

 private:
  static constexpr double kEpsilon = 1e-5;
  torch::Tensor weight_, bias_, running_mean_, running_variance_;
};

// Hochreiter and Schmidhuber, Neural Computation 9(8), 1997; forget gate's bias 1 (Jozefowicz et
// al., ICML 2015). Padded [B,T,I] and lengths [B] ≥ 1 on the host → [B,T,D·directions], zero
// beyond each length, and the last state [B,D·directions].
class Lstm : public torch::nn::Module {
 public:
  struct Options {
    int inputs = 0, features = 0;
    bool bidirectional = false;
  };
  struct Output {
    torch::Tensor all, last;
  };
  Lstm(const Options& options, const at::Generator& generator);
  Output forward(const torch::Tensor& x, const torch::Tensor& lengths) const;
  // Of the first direction.
  PackedLstm packed() const;

 private:
  int features_;
  bool bidirectional_;
  std::vector<torch::Tensor> weights_;  // per direction: input, recurrent, bias, bias
};

}  // namespace diptych
