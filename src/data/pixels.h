// The decoded pictures of a dataset, all at the side the network takes, shared by every trial.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"
#include "image/image.h"

namespace diptych {

struct DecodedImages {
  int side = 0;                        // S
  std::vector<std::uint8_t> pixels;    // [N,S,S,3] sRGB
  std::vector<std::uint8_t> present;   // [N], 0: no picture (its pixels are mid-grey)
  std::vector<std::uint64_t> digests;  // [N], hash of the file's bytes; 0: could not be read
  std::vector<RowProblem> problems;    // of the rows whose picture is missing or unreadable

  std::span<const std::uint8_t> operator[](std::size_t index) const;  // [S,S,3]
};

struct DecodeOptions {
  int side = 64;
  ImageFit fit = ImageFit::stretch;
  DecodeLimits limits;
  int threads = 1;
};

// Reads and decodes every row's picture; the result does not depend on the number of threads.
DecodedImages decode_images(
    const Dataset& dataset, const DecodeOptions& options,
    const std::function<void(std::size_t done, std::size_t total)>& progress = {});

// One picture: [S,S,3]. Throws Error{not_found, io, image}.
std::vector<std::uint8_t> decode_file(const std::filesystem::path& path,
                                      const DecodeOptions& options);

// The rows of `images` named by `kept`, in that order.
DecodedImages select(const DecodedImages& images, std::span<const std::int64_t> kept);

// Per channel, on the scale 0..1, over the pixels of some rows' pictures; 0.5 and 0.5 of none.
struct PixelStatistics {
  std::vector<float> mean, deviation;
};
PixelStatistics pixel_statistics(const DecodedImages& images, std::span<const std::int64_t> rows);

constexpr std::uint8_t kNoPixel = 128;  // what a missing picture is filled with

}  // namespace diptych
