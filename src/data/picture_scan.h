// Every picture of a dataset, looked at once: what tells copies, what it shows, and the features
// that label errors are found by.
#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/linear_classifier.h"
#include "data/near_duplicates.h"
#include "image/image.h"
#include "image/picture_look.h"

namespace diptych {

struct PictureFacts {
  int width = 0, height = 0;  // 0: no picture, or none that can be read
  ImageFormat format = ImageFormat::unknown;
  bool flat = false;  // nearly of one colour
  PictureLook look;
  bool readable() const { return width > 0; }
};

struct PictureScan {  // all by row of the dataset
  std::vector<PictureFacts> facts;
  std::vector<PictureIdentity> identities;
  std::vector<FeatureRow> features;  // empty rows when they were not wanted
  std::vector<RowProblem> problems;  // of the pictures that are missing or unreadable
};

struct ScanOptions {
  DecodeLimits limits;
  int threads = 1;
  bool features = true;  // and looks; false: what tells copies alone
  std::function<void(std::size_t done, std::size_t total)> progress;
};

PictureScan scan_pictures(const Dataset& dataset, const ScanOptions& options);

// For each row the first that shows the same picture or a near-duplicate of it.
std::vector<std::size_t> near_copies(const Dataset& dataset, ScanOptions options);

// For each row its group as given, joined where copies connect them: a set of copies takes the name
// of a group that one of its rows has, or else one of its own.
std::vector<std::string> joined_groups(const Dataset& dataset,
                                       const std::vector<std::size_t>& copies);

// Sets of two rows or more, each ascending, of those that have the same representative.
std::vector<std::vector<std::size_t>> sets_of(const std::vector<std::size_t>& representatives);

}  // namespace diptych
