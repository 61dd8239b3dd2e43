// How fast a model answers for rows of a table: the network alone, batches of 32 that lie ready,
// and one row after the other from its file. Prints rows/s and the median in milliseconds as JSON.
// Usage: predict_bench MODEL DATA [ARITHMETIC [BATCHES [ROWS]]]
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <numeric>

#include "base/parallel.h"
#include "data/loading.h"
#include "data/preprocessor.h"
#include "diptych/model.h"

namespace {

using namespace diptych;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<Batch> batches_of(const Model& model, const LoadedData& data) {
  constexpr std::size_t kBatch = 32;
  const EncodedTexts encoded = model.preprocessor().encode(data.dataset.columns().texts);
  const BatchSource source{&data.images, [&](std::size_t row) { return encoded[row]; }, {}};
  std::vector<std::int64_t> rows(data.dataset.size());
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<Batch> batches;
  for (std::size_t begin = 0; begin + kBatch <= rows.size(); begin += kBatch) {
    batches.push_back(make_batch(source, std::span(rows).subspan(begin, kBatch)));
  }
  return batches;
}

double rows_per_second(const Model& model, const std::vector<Batch>& batches, std::size_t count) {
  for (std::size_t i = 0; i < 3; ++i) model.predict(batches[i % batches.size()]);
  double rows = 0;
  const auto start = Clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    model.predict(batches[i % batches.size()]);
    rows += batches[i % batches.size()].size;
  }
  return rows / seconds_since(start);
}

double median_ms(const Model& model, const Dataset& dataset, std::size_t count) {
  std::vector<double> took;
  for (std::size_t i = 0; i < count; ++i) {
    const Example row = dataset[i % dataset.size()];
    const auto start = Clock::now();
    model.answer({.image = row.image.path, .text = row.text});
    took.push_back(1000 * seconds_since(start));
  }
  std::nth_element(took.begin(), took.begin() + static_cast<std::ptrdiff_t>(count / 2), took.end());
  return took[count / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, Arithmetic> names = {
      {"fp32", Arithmetic::fp32}, {"bf16", Arithmetic::bf16}, {"int8", Arithmetic::int8}};
  const Model model = Model::load(argv[1], names.at(argc > 3 ? argv[3] : "fp32"));
  const auto number = [&](int at, std::size_t usual) {
    return argc > at ? std::strtoul(argv[at], nullptr, 10) : usual;
  };
  const LoadedData data = load_data(argv[2], model.config(),
                                    {.threads = available_threads(), .classes = model.classes()});
  const double network = rows_per_second(model, batches_of(model, data), number(4, 60));
  const double one = median_ms(model, data.dataset, number(5, 200));
  std::cout << "{\"network\": " << network << ", \"one\": " << one << "}\n";
}
