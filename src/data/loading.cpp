#include "data/loading.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "data/picture_scan.h"
#include "data/split.h"

namespace diptych {
namespace {

// Leaves out the rows of `problems`, from the dataset and from its pictures alike.
void leave_out(LoadedData& data, std::span<const RowProblem> problems, bool keep_classes) {
  if (problems.empty()) return;
  const Dataset before = data.dataset;
  data.dataset = before.without(problems, keep_classes);
  if (data.images.side == 0) return;
  RowVector<std::int64_t> kept;  // what is left stands in the order in which it stood
  const auto& numbers = before.columns().numbers;
  for (std::int64_t number : data.dataset.columns().numbers) {
    std::int64_t place = kept.empty() ? 0 : kept.back() + 1;
    while (numbers[static_cast<std::size_t>(place)] != number) ++place;
    kept.push_back(place);
  }
  data.images = select(std::move(data.images), kept);
}

void require_enough(const Dataset& dataset, double max_skipped) {
  const auto read = static_cast<double>(dataset.rows_read());
  const double skipped = read - static_cast<double>(dataset.size());
  if (dataset.size() > 0 && skipped <= max_skipped * read) return;
  std::string reasons;
  for (const auto& [reason, count] : dataset.skipped()) {
    reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : ", ", reason, count);
  }
  std::string first;
  for (const RowProblem& problem : dataset.problems()) {
    if (!problem_skips(problem.problem)) continue;
    first =
        fmt::format("row {} ({}), {}{}{}", problem.row, problem.id, problem_name(problem.problem),
                    problem.detail.empty() ? "" : ": ", problem.detail);
    break;
  }
  throw Error(
      ErrorKind::data,
      fmt::format("{} of {} rows cannot be used ({}); the first is {}", skipped, read, reasons,
                  first),
      dataset.source(),
      dataset.size() == 0
          ? "check the columns and the paths of the pictures (relative to the table)"
          : fmt::format("mend them, or allow more with --max-skipped (now {})", max_skipped));
}

// Taking the first of several labels would be a lie about the others.
void require_one_label(const Dataset& dataset) {
  for (std::size_t i = 0; i < dataset.size(); ++i) {
    if (dataset.columns().labels_of(i).size() < 2) continue;
    const Example row = dataset[i];
    std::vector<std::string> names;
    for (int label : row.labels)
      names.push_back(dataset.classes()[static_cast<std::size_t>(label)]);
    throw Error(ErrorKind::data,
                fmt::format("row {} ({}) has {} labels: {}; a row is learnt and scored with one",
                            row.row, row.id, names.size(), fmt::join(names, ", ")),
                dataset.source(),
                "take such a cell for one label with --label-separator none, or name a column with "
                "one label with --label-column NAME");
  }
}

}  // namespace

ReadOptions read_options(const Config& config) {
  ReadOptions options;
  options.image_column = config.image_column;
  options.text_column = config.text_column;
  options.text_separator = config.text_separator;
  options.label_column = config.label_column;
  options.label_separator = config.label_separator;
  options.label_names = config.label_names;
  options.group_column = config.group_column;
  options.split_column = config.split_column;
  options.needs_image = config.inputs != Inputs::text;
  options.needs_text = config.inputs != Inputs::image;
  options.max_text_bytes = static_cast<std::size_t>(config.max_text_kb) * 1024;
  return options;
}

LoadedData load_data(const std::filesystem::path& path, const Config& config,
                     const LoadOptions& options) {
  ReadOptions reading = read_options(config);
  reading.classes = options.classes;
  const bool keep_classes = !options.classes.empty();
  if (keep_classes) reading.split_column = kNone;  // all rows are asked for, whatever their part
  LoadedData data{read_dataset(path, reading), {}};
  require_one_label(data.dataset);
  if (reading.needs_image) {
    data.images = decode_images(data.dataset,
                                {config.image_size,
                                 config.image_fit,
                                 {config.max_megapixels},
                                 options.threads,
                                 options.cache},
                                options.progress);
    leave_out(data, std::vector<RowProblem>(data.images.problems), keep_classes);
    require_enough(data.dataset, config.max_skipped);
    if (config.group_by == GroupBy::duplicates) {
      ScanOptions scan{{config.max_megapixels}, options.threads, false, options.progress};
      data.dataset =
          data.dataset.with_groups(joined_groups(data.dataset, near_copies(data.dataset, scan)));
    }
  }
  if (!keep_classes && data.dataset.classes().size() > 1) {
    leave_out(data, small_classes(data.dataset), keep_classes);
  }
  require_enough(data.dataset, config.max_skipped);
  if (reading.needs_image) data.dataset = data.dataset.with_pictures(data.images.digests);
  return data;
}

}  // namespace diptych
