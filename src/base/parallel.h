// A bounded pool for work whose results do not depend on how it is cut: run(i) is called once for
// each i, from several threads, and may throw; the exception of the least i is passed on.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace diptych {

// Number of processors this process may use (its affinity and cgroup, not the machine's).
int available_threads();

// Calls run(0) … run(count-1) on at most `threads` threads (1: the calling thread alone).
// After the first failure no new index is started.
void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& run);

// Threads for work that comes bit by bit.
class WorkerPool {
 public:
  WorkerPool(int threads, std::size_t most_waiting);
  ~WorkerPool();  // what has not been started is dropped
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Waits while most_waiting are waiting. Passes on what an earlier piece of work has thrown.
  void run(std::function<void()> work);
  void finish();  // waits until all is done, and passes on likewise

 private:
  void serve();
  void pass_on();

  const std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::size_t running_ = 0;
  bool stopped_ = false;
  std::exception_ptr failure_;
  std::vector<std::jthread> threads_;
};

}  // namespace diptych
