// A bounded pool for work whose results do not depend on how it is cut: run(i) is called once for
// each i, from several threads, and may throw; the exception of the least i is passed on.
#pragma once
#include <cstddef>
#include <functional>

namespace diptych {

// Number of processors this process may use (its affinity and cgroup, not the machine's).
int available_threads();

// Calls run(0) … run(count-1) on at most `threads` threads (1: the calling thread alone).
// After the first failure no new index is started.
void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& run);

}  // namespace diptych
