// A world of processes that meet at a store of c10d. On one machine they add up in memory that all
// of them see; elsewhere, few numbers over connections of their own, and many by Gloo. They may be
// threads of one process.
#pragma once
#include <torch/torch.h>

#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <deque>

#include "nn/board.h"
#include "nn/wires.h"
#include "nn/world.h"

namespace diptych {

class GlooWorld : public World {
 public:
  // uses_board: as if all were on machines of their own, if not.
  GlooWorld(c10::intrusive_ptr<c10d::Store> store, const Place& place, bool uses_board = true);

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
  std::function<void()> begin(const at::Tensor& tensor);
  std::function<void()> begin_exchange(const at::Tensor& tensor);
  std::function<void()> begin_showing(const at::Tensor& tensor);
  std::function<void()> begin_ring(const at::Tensor& tensor);
  void receive_until(const Exchange& exchange);
  [[noreturn]] void blame(const std::string& failure);
  // Of a lost process there is none; of one that is there it is empty.
  std::vector<std::optional<std::string>> reasons();

  c10::intrusive_ptr<c10d::Store> store_;
  Place place_;
  bool has_left_ = false;
  Wires wires_;
  std::unique_ptr<Board> board_;  // null: not all are on one machine
  std::deque<std::shared_ptr<Exchange>> under_way_;
  c10d::ProcessGroupGloo group_;
};

}  // namespace diptych
