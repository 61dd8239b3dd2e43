// The rows of one process in a batch that the processes of a world share: contiguous, in the order
// of ranks. What layers do across rows goes through here, so that a batch that is shared gives what
// one process would make of it.
#pragma once
#include <torch/torch.h>

#include <span>

#include "nn/world.h"

namespace diptych {

struct BatchPart {
  BatchPart() = default;
  BatchPart(World& world, std::int64_t whole);
  std::int64_t size() const { return end - begin; }

  World* world = nullptr;  // null: alone, all rows are its own
  std::int64_t begin = 0, end = 0, whole = 0;
};

// Room for numbers drawn for every row of the whole batch, as x: [B,…] for those of the part.
torch::Tensor whole_like(const torch::Tensor& x, const BatchPart& part);
// The part's rows of those of the whole.
torch::Tensor own_rows(const torch::Tensor& whole, const BatchPart& part);
std::span<const std::int64_t> own_rows(std::span<const std::int64_t> whole, const BatchPart& part);
// The rows of all parts; gradients find their way back.
torch::Tensor rows_of_all(const torch::Tensor& x, const BatchPart& part);

}  // namespace diptych
