#include "data/picture_scan.h"

#include <atomic>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "data/label_errors.h"

namespace diptych {
namespace {

constexpr std::uint64_t kMaxFileBytes = 1ULL << 30;

// The one place that asks for bytes: visits the row of each picture, from several threads; what
// the visit throws, too, is a problem of that row.
std::vector<RowProblem> visit_pictures(
    const Dataset& dataset, int threads,
    const std::function<void(std::size_t row, const std::string& bytes)>& visit) {
  std::vector<std::optional<RowProblem>> found(dataset.size());
  parallel_for(dataset.size(), threads, [&](std::size_t row) {
    const Example& example = dataset[row];
    if (example.image.path.empty()) return;
    try {
      visit(row, read_file(example.image.path, kMaxFileBytes));
    } catch (const Error& error) {
      const bool missing = error.kind() == ErrorKind::not_found;
      found[row] = RowProblem{example.row, example.id,
                              missing ? Problem::missing_image : Problem::unreadable_image,
                              missing ? example.image.path.string() : error.what()};
    }
  });
  std::vector<RowProblem> problems;
  for (auto& problem : found) {
    if (problem) problems.push_back(std::move(*problem));
  }
  return problems;
}

}  // namespace

PictureScan scan_pictures(const Dataset& dataset, const ScanOptions& options) {
  PictureScan scan;
  scan.facts.resize(dataset.size());
  scan.identities.resize(dataset.size());
  scan.features.resize(dataset.size());
  std::atomic<std::size_t> done{0};
  const auto look_at = [&](std::size_t row, const std::string& bytes) {
    if (options.progress) options.progress(++done, dataset.size());
    const Image image = decode_image(bytes, options.limits);
    scan.identities[row] = {hash64(bytes), picture_signature(image)};
    scan.facts[row] = {image.width, image.height, image_format(bytes),
                       scan.identities[row].signature.flat, picture_look(image)};
    if (options.features) add_picture_features(image, scan.features[row]);
  };
  scan.problems = visit_pictures(dataset, options.threads, look_at);
  return scan;
}

}  // namespace diptych
