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
  bool features = true;
  std::function<void(std::size_t done, std::size_t total)> progress;
};

PictureScan scan_pictures(const Dataset& dataset, const ScanOptions& options);

}  // namespace diptych
