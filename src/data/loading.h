// From a path to what a training or a comparison uses: rows read, pictures decoded, unusable rows
// left out and accounted for.
#pragma once
#include <filesystem>
#include <functional>

#include "config/config.h"
#include "data/dataset.h"
#include "data/pixels.h"

namespace diptych {

struct LoadedData {
  Dataset dataset;
  DecodedImages images;  // of the dataset, row by row; empty when the inputs are text alone
};

struct LoadOptions {
  int threads = 1;
  // Of a model, whose rows are all wanted; empty: found in the data, and each of them must have
  // what a split needs of it. Braces: so that {.threads = …} alone draws no warning.
  std::vector<std::string> classes{};
  std::function<void(std::size_t done, std::size_t total)> progress{};
  PixelCache cache{};
};

ReadOptions read_options(const Config& config);

// Every row needs a label, and a picture if config.inputs takes one; the dataset's digest then
// covers the pictures. Throws what read_dataset() does, and Error{data} when a row has several
// labels or more than config.max_skipped of the rows cannot be used.
LoadedData load_data(const std::filesystem::path& path, const Config& config,
                     const LoadOptions& options);

}  // namespace diptych
