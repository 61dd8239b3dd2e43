// Memory that all processes of one machine see: each shows its numbers there, and the others read
// them in place. On their way through sockets they are copied four times, and whoever waits for
// them is woken by the system.
#pragma once
#include <torch/torch.h>

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "nn/wires.h"

namespace diptych {

class Board {
 public:
  // Throws std::exception where the memory of another process cannot be seen: it is on another
  // machine, or another user's. Tells the store in any case, so that none waits for this one.
  Board(c10d::Store& store, const Place& place);
  ~Board();

  // These are collective: every process calls them in the same order.
  struct Notice {
    std::uint64_t number = 0;  // from 1
    std::size_t offset = 0;    // of the bytes, in the memory of every process
  };
  bool has_room(std::size_t bytes) const;
  Notice show(std::span<const char> bytes);
  void done();  // with one of them, read from all

  // Waits until that process has shown its own, and now and then calls `waiting`, which may throw.
  const void* read(const Notice& notice, int rank, const std::function<void()>& waiting) const;

 private:
  struct Region;
  struct Unmap {
    void operator()(Region* region) const;
  };

  Place place_;
  std::vector<std::unique_ptr<Region, Unmap>> regions_;  // by rank
  std::uint64_t shown_ = 0;
  std::size_t under_way_ = 0;
  // Numbers are shown in one half until all that was under way is done, then in the other: whoever
  // has read something of a half from all others knows that they are done with the half before.
  std::size_t half_ = 0, used_ = 0;
};

}  // namespace diptych
