// What the processes that share one training (nn/world.h) do together beside their layers.
#pragma once
#include <torch/torch.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nn/world.h"
#include "train/checkpoint.h"

namespace diptych {

// Throw Error{config}, in every process: where one of them would train something else; where a
// batch has fewer rows than there are processes.
void require_same_run(World& world, const RunIdentity& identity);
void require_rows_for_all(const World& world, std::int64_t rows);

// The first process' checkpoint, for all; nothing where it has none.
std::optional<std::string> checkpoint_of_first(World& world, const std::filesystem::path& path);

// Adds up the gradients of all processes while the backward pass goes on: in buckets, in the order
// in which it comes to them. A process alone has nothing to add up.
class GradientSum {
 public:
  // Must outlive every backward pass through the parameters.
  GradientSum(World& world, const TensorList& parameters);
  GradientSum(const GradientSum&) = delete;
  GradientSum& operator=(const GradientSum&) = delete;
  // After the backward pass: waits until every gradient is that of the whole batch.
  void finish();

 private:
  struct Bucket {
    std::vector<torch::Tensor> parameters;
    torch::Tensor numbers;              // of all gradients, flat
    std::vector<torch::Tensor> shaped;  // the same memory, as each parameter
    std::size_t missing = 0;
    std::function<void()> wait;
  };
  struct Hook;
  void add_bucket(std::vector<torch::Tensor> parameters);
  static void take(Bucket& bucket, std::size_t index);
  void begin_all_ready();

  World& world_;
  std::vector<Bucket> buckets_;
  std::size_t begun_ = 0;
};

}  // namespace diptych
