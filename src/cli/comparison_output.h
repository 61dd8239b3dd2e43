// What a comparison leaves behind: results.json, predictions.csv and the report.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"
#include "metrics/comparison.h"
#include "train/experiment.h"

namespace diptych {

struct RunFacts {
  const Config& config;
  double seconds = 0;
};

// The whole of results.json (docs/results.md).
nlohmann::json results_json(const Comparison& comparison, const Dataset& dataset,
                            const RunFacts& facts);
// seed,fold,recipe,row,id,label,answer,probability: a line per trial and test row.
std::string predictions_csv(std::span<const Trial> trials, const Dataset& dataset);
std::string report_page(const nlohmann::json& results, std::span<const TrialResult> trials,
                        const Dataset& dataset);

// The rows' pictures as small PNGs, for a page, in one pass over the files that hold them; empty
// where there is none, or none that can be read.
std::vector<std::string> small_pngs(std::vector<Example> rows);
// What a page calls a dataset: its folder, or its table when that has a name of its own.
std::string dataset_title(const Dataset& dataset);

}  // namespace diptych
