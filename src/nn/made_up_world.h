// Worlds whose processes are threads of this one, for the tests of this layer and of training.
#pragma once
#include <exception>
#include <functional>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <vector>

#include "nn/gloo_world.h"

namespace diptych {

// Runs as each process of a world, and passes on what the first that failed has thrown.
// uses_board: see GlooWorld.
inline void in_world(int size, const std::function<void(World&)>& run, bool uses_board = true) {
  const auto store = c10::make_intrusive<c10d::HashStore>();
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(size));
  {
    std::vector<std::jthread> processes;
    for (int rank = 0; rank < size; ++rank) {
      processes.emplace_back([&, rank] {
        try {
          GlooWorld world(store, {rank, size, "127.0.0.1"}, uses_board);
          run(world);
        } catch (...) {
          failures[static_cast<std::size_t>(rank)] = std::current_exception();
        }
      });
    }
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace diptych
