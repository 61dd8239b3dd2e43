#include "data/pixels.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/hash.h"
#include "data/pictures.h"
#include "data/pixel_cache.h"

namespace diptych {
namespace {

std::size_t area(int side) {
  return static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3;
}

}  // namespace

std::span<const std::uint8_t> DecodedImages::row(std::size_t index,
                                                 std::vector<std::uint8_t>& buffer) const& {
  const std::size_t place = places.empty() ? index : static_cast<std::size_t>(places.at(index));
  if (!file) return std::span(pixels).subspan(place * area(side), area(side));
  buffer.assign(area(side), kNoPixel);
  if (present.at(index)) file->read(place, buffer);
  return buffer;
}

std::vector<std::uint8_t> square_pixels(std::string_view bytes, const DecodeOptions& options) {
  return decode_square(bytes, options.limits, options.side, options.fit).pixels;
}

std::vector<std::uint8_t> decode_file(const std::filesystem::path& path,
                                      const DecodeOptions& options) {
  const std::string bytes = read_picture_file(path);
  try {
    return square_pixels(bytes, options);
  } catch (const Error& error) {
    throw Error(error.kind(), error.what(), path.string(), error.hint());
  }
}

DecodedImages decode_images(const Dataset& dataset, const DecodeOptions& options,
                            const std::function<void(std::size_t, std::size_t)>& progress) {
  if (dataset.size() * area(options.side) > options.cache.memory_bytes) {
    return decode_to_file(dataset, options, progress);
  }
  DecodedImages images;
  images.side = options.side;
  images.pixels.assign(dataset.size() * area(options.side), kNoPixel);
  images.present.assign(dataset.size(), 0);
  images.digests.assign(dataset.size(), 0);
  const auto decode = [&](std::size_t row, const std::string& bytes) {
    const auto pixels = square_pixels(bytes, options);
    std::copy(pixels.begin(), pixels.end(),
              images.pixels.begin() + static_cast<std::ptrdiff_t>(row * area(options.side)));
    images.present[row] = 1;
    images.digests[row] = hash64(bytes);
  };
  images.problems = visit_pictures(dataset, options.threads, decode, progress);
  return images;
}

DecodedImages select(DecodedImages images, std::span<const std::int64_t> kept) {
  RowVector<std::int64_t> places;
  RowVector<std::uint8_t> present;
  RowVector<std::uint64_t> digests;
  for (std::int64_t row : kept) {
    const auto index = static_cast<std::size_t>(row);
    places.push_back(images.places.empty() ? row : images.places.at(index));
    present.push_back(images.present.at(index));
    digests.push_back(images.digests.at(index));
  }
  images.places = std::move(places);
  images.present = std::move(present);
  images.digests = std::move(digests);
  images.problems.clear();
  return images;
}

PixelStatistics pixel_statistics(const DecodedImages& images, std::span<const std::int64_t> rows) {
  std::array<std::uint64_t, 3> sums{}, squares{};  // of bytes: exact, in any order
  std::uint64_t count = 0;
  std::vector<std::uint8_t> buffer;
  for (std::int64_t row : rows) {
    if (!images.present[static_cast<std::size_t>(row)]) continue;
    const auto pixels = images.row(static_cast<std::size_t>(row), buffer);
    for (std::size_t i = 0; i < pixels.size(); i += 3) {
      for (std::size_t c = 0; c < 3; ++c) {
        const std::uint64_t byte = pixels[i + c];
        sums[c] += byte;
        squares[c] += byte * byte;
      }
    }
    count += pixels.size() / 3;
  }
  PixelStatistics result;
  for (std::size_t c = 0; c < 3; ++c) {
    const double scale = 255.0 * static_cast<double>(count);
    const double mean = count > 0 ? static_cast<double>(sums[c]) / scale : 0.5;
    const double variance =
        count > 0 ? static_cast<double>(squares[c]) / (255.0 * scale) - mean * mean : 0.25;
    result.mean.push_back(static_cast<float>(mean));
    result.deviation.push_back(static_cast<float>(std::sqrt(std::max(variance, 1e-4))));
  }
  return result;
}

}  // namespace diptych
