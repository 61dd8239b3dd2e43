// A network's weights and statistics in another network of its shape: as they are, or averaged.
#pragma once
#include <cstdint>

#include "nn/network.h"

namespace diptych {

void copy_state(const Network& from, const Network& to);

// After step `step` (0-based): exponential moving average, with a short memory at first (Polyak
// averaging).
void move_average(const Network& from, const Network& to, std::int64_t step, double decay);

}  // namespace diptych
