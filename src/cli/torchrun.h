// What torchrun tells each of the processes that it starts, in variables of the environment.
#pragma once
#include <cstddef>
#include <optional>

#include "nn/world.h"

namespace diptych {

// Nothing: the variable is not there. Throws Error{config} where it is no number.
std::optional<int> torchrun_number(const char* name);

struct Rank {
  int rank = 0, size = 1;
  // The first of so many things that are this process' share; the next process' is where it ends.
  std::size_t first_of(std::size_t count) const {
    return count * static_cast<std::size_t>(rank) / static_cast<std::size_t>(size);
  }
};

// Of RANK and WORLD_SIZE.
Rank torchrun_rank();

// Of RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT. One process, where they are not there.
Meeting torchrun_meeting();

// This process' share of the processors: those of the machine, among LOCAL_WORLD_SIZE.
int threads_of_process();

}  // namespace diptych
