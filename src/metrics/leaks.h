// What a comparison says without what its models should not have known: test rows whose picture
// was learnt from, and the words of the labels in the text.
#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "metrics/comparison.h"

namespace diptych {

struct KnownLeaks {                  // by row of the dataset
  std::vector<std::int64_t> copies;  // rows of equal value show copies of one picture; empty: not
                                     // looked for
  std::int64_t naming_rows = 0;      // whose text holds the words of its label …
  std::int64_t rows = 0;             // … of all
};

struct Leak {
  const char* key = "";    // in results.json
  const char* title = "";  // "Without test rows whose picture was learnt from"
  std::int64_t rows = 0;   // that leak, of so many
  std::int64_t of = 0;
  Comparison comparison;  // without them
};

// The kinds that there are any of. trials: as compare() takes them; the words are masked where a
// trial has masked_probabilities.
std::vector<Leak> measure_leaks(std::span<const Trial> trials, const KnownLeaks& known,
                                int classes);

// "leaks" of results.json.
nlohmann::json to_json(std::span<const Leak> leaks);
// Some lines for a terminal; empty without leaks.
std::string format_leaks(std::span<const Leak> leaks);

}  // namespace diptych
