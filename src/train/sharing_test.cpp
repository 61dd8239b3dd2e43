// Trainings that processes share against the same training in one.
#include "train/sharing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "base/error.h"
#include "base/file.h"
#include "nn/made_up_world.h"
#include "train/made_up_training.h"

namespace diptych {
namespace {

std::vector<TrainResult> train_in_world(int size, const Config& config, const MadeUpRows& made,
                                        TrainOptions options = {}) {
  std::vector<TrainResult> results(static_cast<std::size_t>(size));
  in_world(size, [&](World& world) {
    TrainOptions own = options;
    own.world = &world;
    results[static_cast<std::size_t>(world.rank())] = train_quickly(config, made, own);
  });
  return results;
}

void expect_the_same_course(const std::vector<EpochRecord>& got,
                            const std::vector<EpochRecord>& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i].train_loss, expected[i].train_loss, tolerance) << "epoch " << i + 1;
    EXPECT_NEAR(got[i].train_accuracy, expected[i].train_accuracy, 1e-9);
    EXPECT_NEAR(got[i].validation_loss, expected[i].validation_loss, tolerance);
    EXPECT_NEAR(got[i].validation_accuracy, expected[i].validation_accuracy, 1e-9);
  }
}

class SharedTrainingOfEveryPreset : public testing::TestWithParam<Preset> {};
INSTANTIATE_TEST_SUITE_P(Training, SharedTrainingOfEveryPreset,
                         testing::Values(Preset::standard, Preset::paper), [](const auto& item) {
                           return item.param == Preset::paper ? "paper" : "standard";
                         });

// Everything that looks across rows or draws numbers for them.
Config with_everything(Preset preset) {
  Config config = quick(preset);
  config.mixup = 0.7;
  config.word_dropout = 0.2;
  config.dropout = 0.3;
  config.embedding_dropout = 0.2;
  config.branch_dropout = 0.2;
  config.augment_erase = 0.5;
  config.class_weights = ClassWeights::balanced;
  config.clip_norm = 1;
  return config;
}

TEST_P(SharedTrainingOfEveryPreset, TakesTheCourseOfOneProcessHoweverManyShareIt) {
  const MadeUpRows made = quick_rows();
  for (const TextEncoderKind encoder : {TextEncoderKind::bag, TextEncoderKind::bilstm}) {
    Config config = with_everything(GetParam());
    config.text_encoder = encoder;
    const TrainResult alone = train_quickly(config, made);
    for (const int size : {2, 3}) {
      const auto shared = train_in_world(size, config, made);
      expect_the_same_course(shared[0].history, alone.history, 1e-4);
      for (const TrainResult& other : shared) EXPECT_EQ(other.model, shared[0].model);
    }
  }
}

TEST(SharedTraining, GoesOnFromTheFirstProcessCheckpointInAnyNumberOfProcesses) {
  const MadeUpRows made = quick_rows();
  const TemporaryFolder folder("sharing_test");
  Config config = quick(Preset::standard);
  const TrainResult alone = train_quickly(config, made);
  for (const int size : {1, 2, 3}) {
    class Stop : public Observer {
     public:
      void on_epoch(const EpochRecord& record) override {
        if (record.epoch == 2) throw Error(ErrorKind::interrupted, "stopped");
      }
    } stop;
    const auto path = folder / "checkpoint";
    std::filesystem::remove(path);
    EXPECT_THROW(in_world(2,
                          [&](World& world) {
                            train_quickly(config, made, {1, path, false, 0, &world}, stop);
                          }),
                 Error);
    const auto resumed = train_in_world(size, config, made, {1, path, true});
    expect_the_same_course(resumed[0].history, alone.history, 1e-4);
  }
}

std::string refusal(const std::function<void(World&)>& run) {
  try {
    in_world(2, run);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    return error.what();
  }
  return "none";
}

TEST(SharedTraining, NamesTheProcessThatHasOtherDataOrSettings) {
  const auto checked = [](const RunIdentity& other) {
    return refusal([&](World& world) {
      require_same_run(world, world.is_first() ? RunIdentity{"settings", "data"} : other);
    });
  };
  EXPECT_EQ(checked({"settings", "date"}), "process 1 of 2 has other data than process 0");
  EXPECT_EQ(checked({"setting", "data"}), "process 1 of 2 has other settings than process 0");
  EXPECT_EQ(checked({"settings", "data"}), "none");
}

TEST(SharedTraining, NeedsARowOfEveryBatchForEachProcess) {
  Config config = quick(Preset::standard);
  config.batch_size = 1;
  const MadeUpRows made = quick_rows();
  EXPECT_EQ(refusal([&](World& world) {
              train_quickly(config, made, {1, {}, false, 0, &world});
            }),
            "a batch of 1 rows cannot be shared by 2 processes");
}

TEST(GradientSum, AddsUpWhatEachProcessHasAndLeavesTheUnusedAtZero) {
  in_world(2, [](World& world) {
    TensorList parameters;
    for (const int size : {3, 1 << 18, 5}) {
      parameters.emplace_back("", torch::ones({size}).set_requires_grad(true));
    }
    GradientSum sum(world, parameters);
    for (int step = 1; step <= 2; ++step) {
      ((parameters[0].second * (world.rank() + step)).sum() + parameters[1].second.sum())
          .backward();
      sum.finish();
      EXPECT_TRUE(torch::equal(parameters[0].second.grad(), torch::full({3}, 1 + 2 * step)));
      EXPECT_TRUE(torch::equal(parameters[1].second.grad(), torch::full({1 << 18}, 2)));
      EXPECT_TRUE(torch::equal(parameters[2].second.grad(), torch::zeros({5})));
      for (auto& [name, parameter] : parameters) parameter.mutable_grad().reset();
    }
  });
}

}  // namespace
}  // namespace diptych
