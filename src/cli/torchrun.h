// What torchrun tells each of the processes that it starts, in variables of the environment.
#pragma once
#include <optional>

#include "nn/world.h"

namespace diptych {

// Nothing: the variable is not there. Throws Error{config} where it is no number.
std::optional<int> torchrun_number(const char* name);

// Of RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT. One process, where they are not there.
Meeting torchrun_meeting();

// This process' share of the processors: those of the machine, among LOCAL_WORLD_SIZE.
int threads_of_process();

}  // namespace diptych
