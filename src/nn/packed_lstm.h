// An LSTM whose last state is all that is asked for, as the answering path runs it: rows of like
// length together, eight at a time, in fp32.
#pragma once
#include <span>

#include "nn/packed_weights.h"

namespace diptych {

struct PackedLstm {
  PackedWeights input, recurrent;  // 4·D outputs each: gates i, f, g, o; both biases in `input`
  int inputs = 0, features = 0;    // I, D

  // x: [B,T,I]; lengths: [B], 1 to T. Writes the state after each row's last token, [B,D].
  void last_states(std::span<const float> x, std::span<const std::int64_t> lengths,
                   float* states) const;
};

}  // namespace diptych
