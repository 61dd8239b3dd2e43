// DIPTYCH_VECTORISED before a function compiles one copy of its loops for each instruction set; the
// processor's own is chosen when the program starts. For plain loops over numbers only: integers
// give the same in every copy, floating-point sums may not.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define DIPTYCH_VECTORISED \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), optimize("O3")))
#else
#define DIPTYCH_VECTORISED
#endif
