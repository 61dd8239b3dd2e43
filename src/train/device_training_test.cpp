// Whole trainings on a made-up device, which stands for a GPU.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "diptych/model.h"
#include "nn/device.h"
#include "nn/made_up_device.h"
#include "train/made_up_training.h"

namespace diptych {
namespace {

class DeviceTraining : public testing::TestWithParam<Preset> {
 protected:
  DeviceTraining() {
    config_.mixup = 0.5;
    config_.augment_colour = 0.2;
    config_.augment_erase = 0.3;
  }
  TrainResult on(Device device, const TrainOptions& options = {}) {
    Config config = config_;
    config.device = device;
    const InPlaceOfCuda gpu(kMadeUpDevice);
    return train_quickly(config, made_, options);
  }
  Config config_ = quick(GetParam());
  MadeUpRows made_ = quick_rows();
};
INSTANTIATE_TEST_SUITE_P(OfPreset, DeviceTraining, testing::Values(Preset::standard, Preset::paper),
                         [](const auto& item) {
                           return item.param == Preset::paper ? "paper" : "standard";
                         });

void expect_same_course(const TrainResult& found, const TrainResult& expected) {
  ASSERT_EQ(found.history.size(), expected.history.size());
  for (std::size_t i = 0; i < expected.history.size(); ++i) {
    const EpochRecord &a = found.history[i], &b = expected.history[i];
    EXPECT_NEAR(a.train_loss, b.train_loss, 1e-3) << "epoch " << i + 1;
    EXPECT_NEAR(a.validation_loss, b.validation_loss, 1e-3) << "epoch " << i + 1;
    EXPECT_EQ(a.learning_rate, b.learning_rate);
    EXPECT_EQ(a.skipped_steps, 0);
  }
}

TEST_P(DeviceTraining, TakesTheCourseOfTheProcessor) {
  made_up_operators = 0;
  const TrainResult host = on(Device::cpu);
  EXPECT_EQ(made_up_operators, 0);
  const TrainResult there = on(Device::cuda);
  EXPECT_GT(made_up_operators, 1000);
  expect_same_course(there, host);
}

TEST_P(DeviceTraining, GoesOnFromACheckpointOfTheOtherDevice) {
  const TrainResult whole = on(Device::cpu);
  const TemporaryFolder folder("device_training_test");
  for (const bool begins_there : {true, false}) {
    struct Stop {};
    class Stopper : public Observer {
      void on_epoch(const EpochRecord& epoch) override {
        if (epoch.epoch == 2) throw Stop();
      }
    } stopper;
    TrainOptions options;
    options.checkpoint = folder / "checkpoint";
    Config config = config_;
    config.device = begins_there ? Device::cuda : Device::cpu;
    const InPlaceOfCuda gpu(kMadeUpDevice);
    EXPECT_THROW(train_quickly(config, made_, options, stopper), Stop);
    options.resume = true;
    expect_same_course(on(begins_there ? Device::cpu : Device::cuda, options), whole);
  }
}

TEST_P(DeviceTraining, WaitsForTheDeviceOnlyAtTheEndOfAnEpoch) {
  const auto waits = [&](int batch_size) {
    config_.batch_size = batch_size;
    made_up_waits = 0;
    on(Device::cuda);
    return made_up_waits.load();
  };
  const int of_few_steps = waits(32);
  EXPECT_EQ(waits(8), of_few_steps);
}

TEST_P(DeviceTraining, TellsInTheModelWhereItWas) {
  config_.epochs = 1;
  const auto device_in = [](const TrainResult& result) {
    const Model model = Model::from_bytes(result.model, "test");
    return nlohmann::json::parse(model.provenance()).at("device").get<std::string>();
  };
  EXPECT_EQ(device_in(on(Device::cpu)), "cpu");
  EXPECT_EQ(device_in(on(Device::automatic)), "made_up");
}

TEST_P(DeviceTraining, HasNoProfile) {
  TrainOptions options;
  options.profiled_steps = 1;
  EXPECT_THROW(on(Device::cuda, options), Error);
}

TEST(DeviceTrainingThatDiverges, SkipsStepsAndIsGivenUpAfterTwentyInARow) {
  Config config = quick(Preset::paper);  // 45 rows: 3 steps an epoch
  config.learning_rate = 1e30;           // the first step leaves nothing finite behind
  config.device = Device::cuda;
  const MadeUpRows made = quick_rows();
  const InPlaceOfCuda gpu(kMadeUpDevice);
  const TrainResult result = train_quickly(config, made);
  EXPECT_EQ(result.history[0].skipped_steps, 2);
  EXPECT_EQ(result.history[1].skipped_steps, 3);
  EXPECT_TRUE(std::isfinite(result.history[0].train_loss));
  config.epochs = 100;
  try {
    train_quickly(config, made);
    FAIL() << "twenty steps failed and the training went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::numeric);
  }
}

}  // namespace
}  // namespace diptych
