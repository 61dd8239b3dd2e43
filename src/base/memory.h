// How the program asks its C library to treat memory.
#pragma once

namespace diptych {

// Keeps freed memory instead of giving it back at once: a decoder asks for the same few hundred
// kilobytes for every picture, and getting them anew means a page fault for each four of them.
// For the start of a program.
void keep_freed_memory();

}  // namespace diptych
