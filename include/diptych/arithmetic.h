// In which numbers a trained network multiplies when it answers.
#pragma once

namespace diptych {

// int8: the convolutions, and the dense layer behind them, of a model that `diptych quantize`
// wrote.
enum class Arithmetic { fp32, bf16, int8 };

}  // namespace diptych
