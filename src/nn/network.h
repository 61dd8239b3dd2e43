// The network of figure 1: an image encoder, a text encoder, a fusion, dense layers, classes. Any
// of the inputs may be left out. With branch heads, image and text also classify on their own: each
// adds its loss in training, and the answer is the geometric mean of all three.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "diptych/batch.h"
#include "image/augment.h"
#include "nn/fusion.h"
#include "nn/image_encoder.h"
#include "nn/text_encoder.h"

namespace diptych {

struct NetworkInput {
  torch::Tensor pixels;       // [B,3,H,W] uint8, channels last; undefined: no image input
  torch::Tensor has_image;    // [B] fp32
  torch::Tensor descriptors;  // [B,D] fp32: colour and gradient histograms; undefined: none
  TextInput text;
};

// Verma et al., "Manifold mixup", ICML 2019: the features of rows are mixed, and so are their
// losses.
struct Mixing {
  double own = 1.0;     // weight of the row itself
  torch::Tensor other;  // int64, of each row of the whole batch: the row it is mixed with
};

struct NetworkShape {
  int words = 0;    // rows of the word part of the embedding table
  int classes = 0;  // K
};

class Network : public torch::nn::Module {
 public:
  Network(const Config& config, const NetworkShape& shape, std::uint64_t seed);
  // Shapes alone, whatever their size: its tensors have no memory (see memory_of()).
  static Network plan(const Config& config, const NetworkShape& shape);

  // One whose weights and buffers come from elsewhere, all of them.
  static std::shared_ptr<Network> unfilled(const Config& config, const NetworkShape& shape,
                                           at::Device device = at::kCPU);

  // Logits [B,K] of each head: the joined one first, then those of the branches.
  std::vector<torch::Tensor> forward(const NetworkInput& input, Pass& pass,
                                     const Mixing* mixing = nullptr);
  // [B,K] probabilities from the heads' logits.
  static torch::Tensor probabilities(const std::vector<torch::Tensor>& logits);

  // Readies the fast way to answer, where this processor has it; weights stay as they are from then
  // on. limits: those of limits(), for int8.
  void pack(Arithmetic arithmetic, const std::vector<float>& limits = {});
  std::size_t convolutions() const;  // of the image encoder
  // The largest output of each of them over these pictures.
  std::vector<float> limits(const Batch& batch) const;

  // Copies a batch's host memory to where the weights are; the batch may go afterwards. drawn: what
  // becomes of each picture there; empty: nothing.
  NetworkInput input_from(const Batch& batch, std::span<const Augmentation> drawn = {}) const;
  at::Device device() const { return head_->weight().device(); }

  // Per-channel mean and deviation of training pixels, on the scale 0..1.
  void set_pixel_statistics(const std::vector<float>& mean, const std::vector<float>& deviation);
  // Inverse document frequencies from the training texts, each handed over as a batch of one.
  void set_document_frequencies(std::size_t count, const std::function<Batch(std::size_t)>& text);

 private:
  Network(const Config& config, const NetworkShape& shape, const at::Generator& generator);
  torch::Tensor descriptors_on_device(const torch::Tensor& pixels) const;
  torch::Tensor present(const NetworkInput& input, Pass& pass) const;
  // [rows,2] of 1 and 0: in training each of two is hidden with a probability, never both.
  torch::Tensor keep_either(std::int64_t rows, Pass& pass) const;
  // Features [B,D] of each branch: image, text; zero where a row lacks that input.
  std::vector<torch::Tensor> branches(const NetworkInput& input, Pass& pass);
  torch::Tensor classify(const torch::Tensor& fused, Pass& pass);
  PackOptions pack_options(Arithmetic arithmetic) const;

  Config config_;
  int words_;
  bool takes_image_, takes_text_;
  torch::Tensor pixel_mean_, pixel_deviation_;  // [3]
  std::shared_ptr<ImageEncoder> image_;
  std::unique_ptr<PackedImageEncoder> packed_image_;
  std::shared_ptr<DescriptorEncoder> descriptors_;
  std::shared_ptr<TextEncoder> text_;
  std::shared_ptr<Fusion> fusion_;
  std::shared_ptr<Dense> hidden_, head_;
  std::vector<std::shared_ptr<Dense>> branch_heads_;  // in the order of branches()
};

}  // namespace diptych
