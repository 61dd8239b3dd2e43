// What a training minimises: cross entropy with smoothed labels (Szegedy et al., CVPR 2016),
// classes weighted, rows mixed, each head's share added.
#pragma once
#include <torch/torch.h>

#include <vector>

#include "base/rng.h"
#include "config/config.h"
#include "nn/network.h"
#include "train/trainer.h"

namespace diptych {

// [K], fp32. Balanced: mean 1 over the training rows.
torch::Tensor class_weights(const Config& config, const TrainingData& data);

// Of the rows of a batch with another order of them.
Mixing draw_mixing(Rng& draws, std::size_t rows);

struct Target {
  torch::Tensor labels;            // int64, of the whole batch
  torch::Tensor class_weights;     // [K]
  const Mixing* mixing = nullptr;  // null: rows are not mixed
  BatchPart part = {};
};

// logits: [B,K] of each head, the fused one first. A scalar: its loss and config.branch_loss times
// that of every other head, each a mean over the rows by the weight of their classes. Of a part of
// the batch: its share of that, so that the parts add up to the loss of the whole.
torch::Tensor training_loss(const Config& config, const std::vector<torch::Tensor>& logits,
                            const Target& target);

}  // namespace diptych
