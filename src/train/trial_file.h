// A finished trial on disk: predictions for every test row, curves and (for the first seed) the
// model, so that a comparison that was stopped goes on where it was.
#pragma once
#include <filesystem>
#include <string>

#include "train/experiment.h"

namespace diptych {

class TrialFile {
 public:
  // folder empty: nothing is kept or found.
  TrialFile(std::filesystem::path folder, const Config& config, const std::string& data_digest);
  // False when the file is not there, is damaged (any bit of it or of its model), or belongs to
  // other settings, data or versions; result is then of no use.
  bool load(TrialResult& result) const;
  void save(const TrialResult& result) const;  // throws Error{io}

 private:
  std::filesystem::path path(const char* ending) const;
  std::filesystem::path folder_;
  std::string name_;      // "image+text-1", "image+text-1-2" of a fold
  std::string identity_;  // digest of configuration, data and versions
};

}  // namespace diptych
