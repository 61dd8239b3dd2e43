#include "data/picture_scan.h"

#include <atomic>
#include <map>
#include <optional>
#include <unordered_map>

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
    if (!options.features) return;
    scan.facts[row] = {image.width, image.height, image_format(bytes),
                       scan.identities[row].signature.flat, picture_look(image)};
    add_picture_features(image, scan.features[row]);
  };
  scan.problems = visit_pictures(dataset, options.threads, look_at);
  return scan;
}

std::vector<std::size_t> near_copies(const Dataset& dataset, ScanOptions options) {
  options.features = false;
  return find_duplicates(scan_pictures(dataset, options).identities, options.threads).near;
}

std::vector<std::vector<std::size_t>> sets_of(const std::vector<std::size_t>& representatives) {
  std::map<std::size_t, std::vector<std::size_t>> sets;
  for (std::size_t i = 0; i < representatives.size(); ++i) sets[representatives[i]].push_back(i);
  std::vector<std::vector<std::size_t>> result;
  for (auto& [first, rows] : sets) {
    if (rows.size() > 1) result.push_back(std::move(rows));
  }
  return result;
}

std::vector<std::string> joined_groups(const Dataset& dataset,
                                       const std::vector<std::size_t>& copies) {
  DisjointSets sets(dataset.size());
  std::unordered_map<std::string, std::size_t> first;
  std::vector<std::string> groups;
  for (std::size_t i = 0; i < dataset.size(); ++i) {
    groups.push_back(dataset[i].group);
    sets.join(i, copies[i]);
    if (!groups[i].empty()) sets.join(i, first.emplace(groups[i], i).first->second);
  }
  std::vector<std::size_t> representatives;
  for (std::size_t i = 0; i < dataset.size(); ++i) representatives.push_back(sets.find(i));
  for (const auto& rows : sets_of(representatives)) {
    std::string name = "copies of " + dataset[rows.front()].id;
    for (std::size_t row : rows) {
      if (!dataset[row].group.empty()) name = dataset[row].group;
    }
    for (std::size_t row : rows) groups[row] = name;
  }
  return groups;
}

}  // namespace diptych
