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

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Trial, recipe, seed, fold, train_rows, rows, labels, groups,
                                   probabilities, masked_probabilities, seconds)

TrialFile::TrialFile(fs::path folder, const Config& config, const std::string& data_digest)
    : folder_(std::move(folder)) {
  std::string recipe = inputs_name(config.inputs);
  std::replace(recipe.begin(), recipe.end(), ',', '+');
  name_ = recipe + "-" + std::to_string(config.seed);
  if (config.folds > 0) name_ += "-" + std::to_string(config.fold);
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

namespace {

constexpr std::string_view kDigestKey = ",\"digest\":\"";
constexpr std::string_view kEnd = "\"}";
constexpr std::size_t kDigestSize = 32;

std::string digest_of(std::string_view bytes) {
  Digest digest;
  digest.add(bytes);
  return digest.hex();
}

// The object with one more member at its end: the digest of all that stands before it.
std::string sealed(const json& object) {
  std::string text = object.dump();
  text.pop_back();
  const std::string digest = digest_of(text);
  return text.append(kDigestKey).append(digest).append(kEnd);
}

// False unless sealed() wrote the text and nobody changed it.
bool is_sealed(std::string_view text) {
  const std::size_t seal = kDigestKey.size() + kDigestSize + kEnd.size();
  if (text.size() < seal) return false;
  const std::string_view body = text.substr(0, text.size() - seal);
  std::string expected(kDigestKey);
  expected.append(digest_of(body)).append(kEnd);
  return text.substr(body.size()) == expected;
}

}  // namespace

fs::path TrialFile::path(const char* ending) const { return folder_ / (name_ + ending); }

bool TrialFile::load(TrialResult& result) const {
  if (folder_.empty() || !fs::exists(path(".json"))) return false;
  try {
    const std::string text = read_file(path(".json"));
    if (!is_sealed(text)) return false;
    const json stored = json::parse(text);
    if (stored.at("identity") != identity_) return false;
    stored.get_to(result.trial);
    stored.at("best_epoch").get_to(result.best_epoch);
    stored.at("history").get_to(result.history);
    const auto model = stored.at("model_digest").get<std::string>();
    if (model.empty()) return true;
    result.model = read_file(path(".safetensors"));
    return digest_of(result.model) == model;
  } catch (const json::exception&) {
    return false;
  } catch (const Error&) {
    return false;
  }
}

void TrialFile::save(const TrialResult& result) const {
  if (folder_.empty()) return;
  fs::create_directories(folder_);
  if (!result.model.empty()) write_file(path(".safetensors"), result.model);
  json stored = result.trial;
  stored["identity"] = identity_;
  stored["best_epoch"] = result.best_epoch;
  stored["history"] = result.history;
  stored["model_digest"] = result.model.empty() ? "" : digest_of(result.model);
  write_file(path(".json"), sealed(stored));
}

}  // namespace diptych
