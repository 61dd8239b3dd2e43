#include "train/trial_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "config/options.h"
#include "train/epoch_json.h"

namespace diptych {
namespace fs = std::filesystem;
using nlohmann::json;

TrialFile::TrialFile(fs::path folder, const Config& config, const std::string& data_digest)
    : folder_(std::move(folder)) {
  std::string recipe = inputs_name(config.inputs);
  std::replace(recipe.begin(), recipe.end(), ',', '+');
  name_ = recipe + "-" + std::to_string(config.seed);
  Config settings = config;  // how many run, and how, does not change a trial
  settings.seeds = Config().seeds;
  settings.jobs = Config().jobs;
  Digest digest;
  for (const std::string& part :
       {to_json(settings).dump(), data_digest, std::string(DIPTYCH_VERSION)}) {
    digest.add(part);
  }
  identity_ = digest.hex();
}

fs::path TrialFile::path(const char* ending) const { return folder_ / (name_ + ending); }

bool TrialFile::load(TrialResult& result) const {
  if (folder_.empty() || !fs::exists(path(".json"))) return false;
  try {
    const json stored = json::parse(read_file(path(".json")));
    if (stored.at("identity") != identity_) return false;
    Trial& trial = result.trial;
    stored.at("recipe").get_to(trial.recipe);
    stored.at("seed").get_to(trial.seed);
    stored.at("train_rows").get_to(trial.train_rows);
    stored.at("rows").get_to(trial.rows);
    stored.at("labels").get_to(trial.labels);
    stored.at("groups").get_to(trial.groups);
    stored.at("probabilities").get_to(trial.probabilities);
    stored.at("seconds").get_to(trial.seconds);
    stored.at("best_epoch").get_to(result.best_epoch);
    stored.at("history").get_to(result.history);
    if (stored.at("has_model").get<bool>()) result.model = read_file(path(".safetensors"));
    return true;
  } catch (const json::exception&) {
    return false;
  } catch (const Error&) {
    return false;
  }
}

void TrialFile::save(const TrialResult& result) const {
  if (folder_.empty()) return;
  fs::create_directories(folder_);
  const Trial& trial = result.trial;
  if (!result.model.empty()) write_file(path(".safetensors"), result.model);
  const json stored = {{"identity", identity_},     {"recipe", trial.recipe},
                       {"seed", trial.seed},        {"train_rows", trial.train_rows},
                       {"rows", trial.rows},        {"labels", trial.labels},
                       {"groups", trial.groups},    {"probabilities", trial.probabilities},
                       {"seconds", trial.seconds},  {"best_epoch", result.best_epoch},
                       {"history", result.history}, {"has_model", !result.model.empty()}};
  write_file(path(".json"), stored.dump());
}

}  // namespace diptych
