// Checkpoints and trial files: of another run, damaged or made up, none of them is taken for ours.
#include "train/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "nn/hostile_file.h"
#include "train/made_up_training.h"
#include "train/trial_file.h"

namespace diptych {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// Without the fsync of write_file(): these are thousands.
void put(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

class Checkpoint : public testing::Test {
 protected:
  Checkpoint() {
    state_.best_epoch = 2;
    state_.history = {{1, 0.9, 0.5, 0.8, 0.6, 0.01, 0, 1.5}, {2, 0.7, 0.6, 0.7, 0.7, 0.01, 1, 1.5}};
    save_checkpoint(path_, state_, tensors(1), identity_);
    bytes_ = read_file(path_);
  }

  static TensorList tensors(float value) {
    return {{"weight", torch::full({2, 3}, value)}, {"steps", torch::full({}, value)}};
  }

  TrainingState load(const TensorList& into) const {
    return load_checkpoint(read_file(path_), path_, into, identity_);
  }

  // The reason for which these bytes are refused; "" when they are taken.
  std::string reason_to_refuse(const std::string& bytes) const {
    put(path_, bytes);
    const TensorList into = tensors(7);
    try {
      load(into);
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::model_file) << error.full();
      EXPECT_EQ(error.where(), path_.string());
      EXPECT_TRUE(torch::equal(into[0].second, tensors(7)[0].second)) << "half read";
      return error.what();
    }
  }
  std::string reason_after(const HeaderEdit& edit) const {
    return reason_to_refuse(edited(bytes_, edit));
  }
  std::string reason_with_state(const std::function<void(json&)>& edit) const {
    return reason_after([&](ordered_json& header, std::string&) {
      json state = json::parse(header["__metadata__"]["state"].get<std::string>());
      edit(state);
      header["__metadata__"]["state"] = state.dump();
    });
  }

  const TemporaryFolder folder_{"checkpoint_test"};
  const std::filesystem::path path_ = folder_ / "checkpoint";
  const RunIdentity identity_{to_json(Config()).dump(), "data"};
  TrainingState state_;
  std::string bytes_;
};

TEST_F(Checkpoint, IsReadAsItWasWritten) {
  const TensorList into = tensors(7);
  const TrainingState state = load(into);
  EXPECT_EQ(state.best_epoch, 2);
  ASSERT_EQ(state.history.size(), 2u);
  EXPECT_EQ(state.history[1].skipped_steps, 1);
  EXPECT_EQ(state.history[1].validation_loss, 0.7);
  for (std::size_t i = 0; i < into.size(); ++i) {
    EXPECT_TRUE(torch::equal(into[i].second, tensors(1)[i].second));
  }
}

TEST_F(Checkpoint, OfOtherSettingsIsRefusedNamingWhatDiffers) {
  Config other;
  other.epochs = 7;
  other.learning_rate = 0.5;
  try {
    load_checkpoint(read_file(path_), path_, tensors(0), {to_json(other).dump(), "data"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    EXPECT_THAT(error.what(), testing::HasSubstr("epochs: 30 → 7"));
    EXPECT_THAT(error.what(), testing::HasSubstr("learning-rate: 0.004 → 0.5"));
    EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("batch-size")));
  }
}

TEST_F(Checkpoint, OfOtherDataIsRefused) {
  try {
    load_checkpoint(read_file(path_), path_, tensors(0), {identity_.config, "other"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    EXPECT_THAT(error.what(), testing::HasSubstr("other data"));
  }
}

TEST_F(Checkpoint, IsRefusedWhereverItEndsAndWithAnyBitChanged) {
  Rng rng(1);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_NE(reason_to_refuse(bytes_.substr(0, rng.below(bytes_.size()))), "");
    std::string bytes = bytes_;
    const std::uint64_t bit = rng.below(bytes.size() * 8);
    bytes[bit / 8] ^= static_cast<char>(1 << bit % 8);
    ASSERT_NE(reason_to_refuse(bytes), "") << "bit " << bit;
  }
  EXPECT_EQ(reason_to_refuse(bytes_), "");
}

TEST_F(Checkpoint, UnderARightDigestIsStillHeldToWhatItMustSay) {
  for (const char* key : {"format", "state", "config", "data"}) {
    EXPECT_NE(reason_after([&](auto& header, auto&) { header["__metadata__"].erase(key); }), "");
  }
  for (const char* text : {"", "{", "null", "3", "{}", "[[[[[[[[[[[[1]]]]]]]]]]]]"}) {
    for (const char* key : {"state", "config"}) {
      EXPECT_NE(reason_after([&](auto& header, auto&) { header["__metadata__"][key] = text; }), "")
          << key << " " << text;
    }
  }
  EXPECT_NE(reason_after([](auto& header, auto&) { header["weight"]["shape"] = {3, 2}; }), "");
  EXPECT_NE(reason_after([](auto& header, auto&) { header["weight"]["dtype"] = "I64"; }), "");
  EXPECT_NE(reason_after([](ordered_json& header, auto& data) {
              header["more"] = {
                  {"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {data.size(), data.size()}}};
            }),
            "");
  const std::string of_one_type = edited(bytes_, [](ordered_json& header, std::string& data) {
    header["steps"]["dtype"] = "I64";
    header["steps"]["data_offsets"][1] = data.size() + 4;
    data += std::string(4, '\0');
  });
  EXPECT_THAT(reason_to_refuse(of_one_type), testing::HasSubstr("'steps'"));
}

TEST_F(Checkpoint, WhoseStateContradictsItselfIsRefused) {
  EXPECT_EQ(reason_with_state([](json&) {}), "");
  EXPECT_NE(reason_with_state([](json& state) { state["best_epoch"] = 3; }), "");
  EXPECT_NE(reason_with_state([](json& state) { state["best_epoch"] = 0; }), "");
  EXPECT_NE(reason_with_state([](json& state) { state["best_epoch"] = -1; }), "");
  EXPECT_NE(reason_with_state([](json& state) { state["failed_in_a_row"] = -5; }), "");
  EXPECT_NE(reason_with_state([](json& state) { state["history"].clear(); }), "");
  EXPECT_NE(reason_with_state([](json& state) { state["history"][0]["epoch"] = 2; }), "");
  EXPECT_NE(reason_with_state([](json& state) { state["history"][0].erase("seconds"); }), "");
  EXPECT_NE(reason_with_state([](json& state) { state["history"][1]["seconds"] = "long"; }), "");
}

class TrialOnDisk : public testing::Test {
 protected:
  TrialOnDisk() {
    result_.trial = {
        "image,text", 1, 2, 10, {4, 5}, {0, 1}, {"a", "b"}, {0.25F, 0.75F, 0.5F, 0.5F}, 2};
    result_.history = {{1, 0.9, 0.5, std::nan(""), 0.6, 0.01, 0, 1.5}};
    result_.best_epoch = 1;
    result_.model = "the bytes of a model";
    file_.save(result_);
  }
  bool is_found() const {
    TrialResult found;
    return file_.load(found);
  }

  const TemporaryFolder folder_{"trial_test"};
  const Config config_;
  const TrialFile file_{folder_.path(), config_, "data"};
  TrialResult result_;
};

TEST_F(TrialOnDisk, IsFoundAsItWasKept) {
  TrialResult found;
  ASSERT_TRUE(file_.load(found));
  EXPECT_EQ(found.trial.recipe, "image,text");
  EXPECT_EQ(found.trial.fold, 2);
  EXPECT_EQ(found.trial.rows, result_.trial.rows);
  EXPECT_EQ(found.trial.labels, result_.trial.labels);
  EXPECT_EQ(found.trial.groups, result_.trial.groups);
  EXPECT_EQ(found.trial.probabilities, result_.trial.probabilities);
  EXPECT_EQ(found.model, result_.model);
  EXPECT_TRUE(std::isnan(found.history.at(0).validation_loss));
  EXPECT_EQ(found.history.at(0).seconds, 1.5);
}

TEST_F(TrialOnDisk, OfOtherSettingsDataOrSeedIsNotFound) {
  TrialResult found;
  EXPECT_FALSE(TrialFile(folder_.path(), config_, "other").load(found));
  Config other = config_;
  other.dropout = 0.1;
  EXPECT_FALSE(TrialFile(folder_.path(), other, "data").load(found));
  other = config_;
  other.seed = 2;
  EXPECT_FALSE(TrialFile(folder_.path(), other, "data").load(found));
  EXPECT_FALSE(TrialFile({}, config_, "data").load(found));
  other = config_;  // how many are run, and how many at once, changes no trial
  other.seeds = 9;
  other.jobs = 3;
  EXPECT_TRUE(TrialFile(folder_.path(), other, "data").load(found));
}

TEST_F(TrialOnDisk, IsNotFoundWhenAnyBitOfItIsAnother) {
  Rng rng(1);
  for (const char* name : {"image+text-1.json", "image+text-1.safetensors"}) {
    const std::string bytes = read_file(folder_ / name);
    for (int i = 0; i < 1000; ++i) {
      put(folder_ / name, bytes.substr(0, rng.below(bytes.size())));
      ASSERT_FALSE(is_found()) << name;
      std::string flipped = bytes;
      const std::uint64_t bit = rng.below(bytes.size() * 8);
      flipped[bit / 8] ^= static_cast<char>(1 << bit % 8);
      put(folder_ / name, flipped);
      ASSERT_FALSE(is_found()) << name << ", bit " << bit;
    }
    put(folder_ / name, bytes);
    ASSERT_TRUE(is_found());
  }
  std::filesystem::remove(folder_ / "image+text-1.safetensors");
  EXPECT_FALSE(is_found());
}

}  // namespace
}  // namespace diptych
