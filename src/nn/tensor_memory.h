// Where tensors lie. glibc before 2.38 asks for a little more than an aligned block needs, so that
// the hole one leaves never fits the next of the same size; tensors come and go in the same sizes
// at every step.
#pragma once

namespace diptych {

// From now on tensors of this process are aligned by hand inside blocks of malloc(), whose holes
// fit. Once, before the first tensor is made.
void use_refillable_tensor_memory();

}  // namespace diptych
