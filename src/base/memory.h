// How the program asks its C library to treat memory.
#pragma once

namespace diptych {

// Keeps freed memory, large blocks too, instead of giving it back at once: a training step and a
// decoder ask for the same sizes again and again, and new memory costs a page fault for each 4 KiB,
// which is more than most operators do with it. For the start of a program.
void keep_freed_memory();

// Gives back, once, what is free now: for the end of a phase that the next one is not like.
void give_back_freed_memory();

}  // namespace diptych
