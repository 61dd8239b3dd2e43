#include "cli/model_rows.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "config/options.h"
#include "data/split.h"

namespace diptych {

bool is_trained_on(const Model& model, const Dataset& dataset) {
  const auto provenance = nlohmann::json::parse(model.provenance());
  return provenance.value("data_digest", "") == dataset.digest();
}

std::vector<std::int64_t> rows_of_part(const Model& model, const Dataset& dataset,
                                       const std::string& part) {
  if (!is_trained_on(model, dataset)) {
    throw Error(
        ErrorKind::data,
        "is not the dataset that the model was trained on, so its " + part + " rows are not known",
        dataset.source(), "score all rows with --split all");
  }
  const Config& config = model.config();
  const Split split = make_split(dataset, split_options(config), config.seed);
  if (part == "test") require_test_rows(dataset);
  const auto& rows = part == "test" ? split.test : part == "train" ? split.train : split.validation;
  return {rows.begin(), rows.end()};
}

}  // namespace diptych
