// Worlds of threads: sums, what is sent with them, and what a process hears of one that ended.
#include "nn/world.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "base/error.h"
#include "nn/made_up_world.h"

namespace diptych {
namespace {

TEST(World, OfOneLeavesNumbersAndWordsAsTheyAre) {
  World world;
  const torch::Tensor numbers = torch::arange(3);
  world.sum(numbers);
  EXPECT_TRUE(torch::equal(numbers, torch::arange(3)));
  EXPECT_EQ(world.of_first("word"), "word");
  EXPECT_THAT(world.of_all("word"), testing::ElementsAre("word"));
}

TEST(World, AddsUpToTheSameBitsInEveryProcess) {
  for (const auto& [size, on_one_machine] :
       {std::pair{2, true}, {3, true}, {5, true}, {2, false}, {3, false}, {5, false}}) {
    std::mutex mutex;
    std::vector<torch::Tensor> sums;
    const auto run = [&](World& world) {
      const torch::Tensor numbers = torch::sin(torch::arange(9001) * (1.3 + world.rank()));
      const torch::Tensor ranks = torch::full({2}, world.rank(), at::kLong);
      const auto wait = world.begin_sum(numbers);
      world.sum(ranks);
      wait();
      EXPECT_EQ(ranks[1].item<int>(), world.size() * (world.size() - 1) / 2);
      const std::lock_guard lock(mutex);
      sums.push_back(numbers);
    };
    in_world(size, run, on_one_machine);
    torch::Tensor expected = torch::zeros({9001});
    for (int rank = 0; rank < size; ++rank)
      expected += torch::sin(torch::arange(9001) * (1.3 + rank));
    EXPECT_TRUE(torch::allclose(sums[0], expected, 1e-5, 1e-5));
    for (const torch::Tensor& sum : sums) EXPECT_TRUE(torch::equal(sum, sums[0]));
  }
}

TEST(World, TellsAllWhatTheFirstSaysAndWhatEachSays) {
  in_world(3, [](World& world) {
    EXPECT_EQ(world.of_first(world.is_first() ? "the first" : ""), "the first");
    EXPECT_EQ(world.of_first(world.is_first() ? "" : "others"), "");
    EXPECT_THAT(world.of_all(fmt::format("process {}", world.rank())),
                testing::ElementsAre("process 0", "process 1", "process 2"));
  });
}

// One is shown to a slow reader while the next ones are on their way.
TEST(World, KeepsWhatAnotherHasNotReadYet) {
  in_world(2, [](World& world) {
    for (int round = 0; round < 4; ++round) {
      const torch::Tensor first = torch::full({5000}, round + 1), second = torch::full({9}, 10);
      const auto wait_for_first = world.begin_sum(first);
      const auto wait_for_second = world.begin_sum(second);
      if (!world.is_first()) std::this_thread::sleep_for(std::chrono::milliseconds(30));
      wait_for_second();
      wait_for_first();
      EXPECT_TRUE(first.eq(2 * (round + 1)).all().item<bool>());
      EXPECT_TRUE(second.eq(20).all().item<bool>());
    }
  });
}

TEST(World, AddsUpWhatTheMemoryOfAllHasNoRoomFor) {
  in_world(2, [](World& world) {
    constexpr std::int64_t kMany = 150'000'000;  // bytes; the second one does not fit beside it
    const torch::Tensor first = torch::ones({kMany}, at::kByte);
    const torch::Tensor second = torch::ones({kMany}, at::kByte);
    const auto wait_for_first = world.begin_sum(first);
    const auto wait_for_second = world.begin_sum(second);
    wait_for_first();
    wait_for_second();
    EXPECT_EQ(first.sum().item<std::int64_t>(), 2 * kMany);
    EXPECT_EQ(second.sum().item<std::int64_t>(), 2 * kMany);
  });
}

std::string failure_without(int gone, const std::string& reason, bool on_one_machine = true) {
  std::string heard;
  const auto run = [&](World& world) {
    if (world.rank() == gone) {
      if (!reason.empty()) world.leave(reason);
      return;
    }
    try {
      world.sum(torch::zeros({4}));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::interrupted);
      EXPECT_THAT(error.hint(), testing::HasSubstr("--resume"));
      heard = error.what();
    }
  };
  in_world(2, run, on_one_machine);
  return heard;
}

TEST(World, NamesTheProcessThatWasLost) {
  EXPECT_EQ(failure_without(0, ""), "process 0 of 2 was lost");
  EXPECT_EQ(failure_without(1, ""), "process 1 of 2 was lost");
  EXPECT_EQ(failure_without(1, "", /*on_one_machine=*/false), "process 1 of 2 was lost");
}

TEST(World, PassesOnWhyAProcessEnded) {
  EXPECT_EQ(failure_without(1, "the disk is full"), "process 1 of 2 ended: the disk is full");
}

TEST(World, DoesNotWaitForEverForAProcessThatIsSilent) {
  const auto store = c10::make_intrusive<c10d::HashStore>();
  const auto join = [&](int rank) {
    return std::make_unique<GlooWorld>(store,
                                       Place{rank, 2, "127.0.0.1", std::chrono::milliseconds(500)});
  };
  std::unique_ptr<World> silent;
  std::jthread other([&] { silent = join(1); });
  const auto world = join(0);
  other.join();
  EXPECT_THROW(world->sum(torch::zeros({4})), Error);
}

TEST(Meeting, OfOneIsAWorldAlone) {
  EXPECT_EQ(join_world({}, [] {})->size(), 1);
}

TEST(Meeting, CannotBeWhereThereIsNoHost) {
  try {
    join_world({.rank = 1, .size = 2, .host = "", .port = 1, .is_kept = true, .name = ""}, [] {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
  }
}

}  // namespace
}  // namespace diptych
