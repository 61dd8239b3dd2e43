#include "nn/dataset_prediction.h"

#include <algorithm>

#include "data/preprocessor.h"

namespace diptych {

RowVector<std::int32_t> labels_of(const Dataset& dataset) {
  RowVector<std::int32_t> labels;
  labels.reserve(dataset.size());
  for (std::size_t i = 0; i < dataset.size(); ++i) {
    const auto of_row = dataset.columns().labels_of(i);
    labels.push_back(of_row.empty() ? -1 : of_row.front());
  }
  return labels;
}

std::vector<float> predict_rows(const Model& model, const Dataset& dataset,
                                const DecodedImages* images, std::span<const std::int64_t> rows) {
  constexpr std::size_t kBatch = 64;
  const Preprocessor& preprocessor = model.preprocessor();
  const TextColumn& texts = dataset.columns().texts;
  BatchSource source;
  if (preprocessor.takes_image()) source.images = images;
  if (preprocessor.takes_text()) {
    source.encoding = [&](std::size_t row) { return preprocessor.encode(texts[row]); };
  }
  std::vector<float> probabilities;
  for (std::size_t begin = 0; begin < rows.size(); begin += kBatch) {
    const auto part = rows.subspan(begin, std::min(kBatch, rows.size() - begin));
    const Predictions predictions = model.predict(make_batch(source, part));
    probabilities.insert(probabilities.end(), predictions.probabilities.begin(),
                         predictions.probabilities.end());
  }
  return probabilities;
}

}  // namespace diptych
