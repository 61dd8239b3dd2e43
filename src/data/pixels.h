// The decoded pictures of a dataset, all at the side the network takes, shared by every trial: in
// memory, or in a file that another run finds again.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/row_memory.h"
#include "config/config.h"
#include "data/dataset.h"
#include "data/pixel_file.h"
#include "image/image.h"

namespace diptych {

struct DecodedImages {
  int side = 0;                           // S
  std::vector<std::uint8_t> pixels;       // [M,S,S,3] sRGB; empty when a file holds them
  std::shared_ptr<const PixelFile> file;  // null: they are in memory
  bool reused = false;                    // the file is of another run
  RowVector<std::int64_t> places;         // [N], which of the M each row has; empty: its own
  RowVector<std::uint8_t> present;        // [N], 0: no picture (its pixels are mid-grey)
  RowVector<std::uint64_t> digests;       // [N], hash of the file's bytes; 0: could not be read
  std::vector<RowProblem> problems;       // of the rows whose picture is missing or unreadable

  // [S,S,3], in memory or read into the buffer. From any thread. Throws Error{io}.
  std::span<const std::uint8_t> row(std::size_t index, std::vector<std::uint8_t>& buffer) const&;
  std::span<const std::uint8_t> row(std::size_t, std::vector<std::uint8_t>&) && = delete;
};

// Where decoded pictures are kept.
struct PixelCache {
  std::uint64_t memory_bytes = UINT64_MAX;  // what does not fit goes into a file
  std::filesystem::path folder;             // of such files
};

struct DecodeOptions {
  int side = 64;
  ImageFit fit = ImageFit::stretch;
  DecodeLimits limits;
  int threads = 1;
  PixelCache cache{};
};

// Reads and decodes every row's picture; the result does not depend on the number of threads, nor
// on where the pixels are kept. A file of another run is taken if it holds every row's picture, no
// file that holds one of them has changed since, and its pixels are intact; else it is replaced.
// Throws Error{io, usage} when a file is needed and cannot be had.
DecodedImages decode_images(
    const Dataset& dataset, const DecodeOptions& options,
    const std::function<void(std::size_t done, std::size_t total)>& progress = {});

// One picture: [S,S,3]. Throws Error{not_found, io, image}.
std::vector<std::uint8_t> decode_file(const std::filesystem::path& path,
                                      const DecodeOptions& options);

// The rows of `images` named by `kept`, in that order. Their pixels stay where they are.
DecodedImages select(DecodedImages images, std::span<const std::int64_t> kept);

// Per channel, on the scale 0..1, over the pixels of some rows' pictures; 0.5 and 0.5 of none.
struct PixelStatistics {
  std::vector<float> mean, deviation;
};
PixelStatistics pixel_statistics(const DecodedImages& images, std::span<const std::int64_t> rows);

constexpr std::uint8_t kNoPixel = 128;  // what a missing picture is filled with

}  // namespace diptych
