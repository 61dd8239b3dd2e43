// Where a network trains and answers.
#pragma once

namespace diptych {

// cuda: the first GPU that CUDA shows. automatic: that, where torch was built with CUDA and the
// machine has one, else the processor.
enum class Device { automatic, cpu, cuda };

}  // namespace diptych
