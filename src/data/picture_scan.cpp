#include "data/picture_scan.h"

#include <map>
#include <unordered_map>

#include "base/hash.h"
#include "data/label_errors.h"
#include "data/pictures.h"

namespace diptych {

PictureScan scan_pictures(const Dataset& dataset, const ScanOptions& options) {
  PictureScan scan;
  scan.facts.resize(dataset.size());
  scan.identities.resize(dataset.size());
  scan.features.resize(dataset.size());
  const auto look_at = [&](std::size_t row, const std::string& bytes) {
    const Image image = decode_image(bytes, options.limits);
    scan.identities[row] = {hash64(bytes), picture_signature(image)};
    if (!options.features) return;
    scan.facts[row] = {image.width, image.height, image_format(bytes),
                       scan.identities[row].signature.flat, picture_look(image)};
    add_picture_features(image, scan.features[row]);
  };
  scan.problems = visit_pictures(dataset, options.threads, look_at, options.progress);
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
