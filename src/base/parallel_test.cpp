#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

namespace diptych {
namespace {

TEST(ParallelFor, RunsEachIndexOnce) {
  std::vector<std::atomic<int>> counts(1000);
  parallel_for(counts.size(), 4, [&](std::size_t i) { ++counts[i]; });
  for (const auto& count : counts) EXPECT_EQ(count, 1);
}

TEST(ParallelFor, PassesAFailureOnAndStops) {
  std::atomic<int> ran{0};
  const auto run = [&](std::size_t i) {
    ++ran;
    if (i == 3) throw std::runtime_error("three");
    std::this_thread::sleep_for(std::chrono::microseconds(50));  // lets the other thread fail
  };
  EXPECT_THROW(parallel_for(20000, 2, run), std::runtime_error);
  EXPECT_LT(ran, 20000);
}

TEST(WorkerPool, DoesAllThatItWasGivenBeforeItFinishes) {
  std::atomic<int> done{0};
  WorkerPool pool(3, 2);
  for (int i = 0; i < 500; ++i) pool.run([&] { ++done; });
  pool.finish();
  EXPECT_EQ(done, 500);
}

TEST(WorkerPool, LetsNoMoreWaitThanItMay) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<bool> may_end{false};
    std::atomic<int> given{0};
    WorkerPool pool(1, 2);
    std::jthread giver([&] {
      for (int i = 0; i < 10; ++i, ++given) {
        pool.run([&] {
          while (!may_end) std::this_thread::yield();
        });
      }
    });
    while (given < 3) std::this_thread::yield();  // one runs, two wait
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    EXPECT_EQ(given, 3);
    may_end = true;
    giver.join();
    pool.finish();
  }
}

// Before the worker has taken the first piece, the second finds no room: taking must wake it.
TEST(WorkerPool, TakesMoreAsSoonAsAPieceBegins) {
  for (int round = 0; round < 200; ++round) {
    std::promise<void> second_given;
    WorkerPool pool(1, 1);
    pool.run([given = second_given.get_future().share()] { given.wait(); });
    pool.run([] {});
    second_given.set_value();
    pool.finish();
  }
}

TEST(WorkerPool, PassesAFailureOn) {
  WorkerPool pool(2, 4);
  pool.run([] { throw std::runtime_error("one"); });
  EXPECT_THROW(pool.finish(), std::runtime_error);
}

}  // namespace
}  // namespace diptych
