// The names of what a run leaves in its folder, and the line that accounts for every row.
#pragma once
#include <string>

#include "data/dataset.h"

namespace diptych {

constexpr const char* kCheckpointName = "checkpoint.safetensors";
constexpr const char* kMetricsName = "metrics.jsonl";
constexpr const char* kTraceName = "trace.json";
constexpr const char* kProblemsName = "problems.csv";
constexpr const char* kResultsName = "results.json";
constexpr const char* kReportName = "report.html";
constexpr const char* kPredictionsName = "predictions.csv";
constexpr const char* kTrialsName = "trials";

// "1,870 rows read, 1,868 used, 2 skipped (missing image: 2)".
std::string rows_line(const Dataset& dataset);

}  // namespace diptych
