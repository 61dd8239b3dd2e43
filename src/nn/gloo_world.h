// A world whose sums are Gloo's, of c10d, if they are large. Its processes may be threads of one.
#pragma once
#include <torch/torch.h>

#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <deque>

#include "nn/wires.h"
#include "nn/world.h"

namespace diptych {

class GlooWorld : public World {
 public:
  GlooWorld(c10::intrusive_ptr<c10d::Store> store, const Place& place);

  int rank() const override { return place_.rank; }
  int size() const override { return place_.size; }
  std::function<void()> begin_sum(at::Tensor tensor) override;
  void leave(const std::string& reason) override;

 private:
  // A sum of few numbers, which go straight to every other process.
  struct Exchange {
    std::vector<at::Tensor> parts;  // of each process
    bool is_here = false;
  };
  std::function<void()> begin_exchange(const at::Tensor& tensor);
  std::function<void()> begin_ring(const at::Tensor& tensor);
  void receive_until(const Exchange& exchange);
  [[noreturn]] void blame(const std::string& failure);
  // Of a lost process there is none; of one that is there it is empty.
  std::vector<std::optional<std::string>> reasons();

  c10::intrusive_ptr<c10d::Store> store_;
  Place place_;
  bool has_left_ = false;
  Wires wires_;
  std::deque<std::shared_ptr<Exchange>> under_way_;
  c10d::ProcessGroupGloo group_;
};

}  // namespace diptych
