#include "data/pixels.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "data/pictures.h"

namespace diptych {
namespace {

// Decoded and made square. Throws Error{image}.
std::vector<std::uint8_t> square_pixels(std::string_view bytes, const DecodeOptions& options) {
  const Image image = decode_image(bytes, options.limits, options.side);
  return fit_square(image, options.side, options.fit).pixels;
}

std::size_t area(int side) {
  return static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3;
}

RowProblem problem_of(const Example& example, const Error& error) {
  const bool missing = error.kind() == ErrorKind::not_found;
  const std::string& path = example.image.path.string();
  return {example.row, example.id, missing ? Problem::missing_image : Problem::unreadable_image,
          missing && !path.empty() ? path : error.what()};
}

}  // namespace

std::span<const std::uint8_t> DecodedImages::operator[](std::size_t index) const {
  return std::span(pixels).subspan(index * area(side), area(side));
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
  DecodedImages images;
  images.side = options.side;
  images.pixels.assign(dataset.size() * area(options.side), kNoPixel);
  images.present.assign(dataset.size(), 0);
  images.digests.assign(dataset.size(), 0);
  std::vector<std::optional<RowProblem>> problems(dataset.size());
  PictureReader reader(dataset.rows());
  std::atomic<std::size_t> done{0};
  parallel_for(dataset.size(), options.threads, [&](std::size_t) {
    const PictureBytes picture = reader.next().value();  // as many as there are rows
    const std::size_t i = picture.row;
    const Example& example = dataset[i];
    if (!example.image.empty()) {
      try {
        if (picture.error) throw *picture.error;
        const auto pixels = square_pixels(picture.bytes, options);
        std::copy(pixels.begin(), pixels.end(),
                  images.pixels.begin() + static_cast<std::ptrdiff_t>(i * area(options.side)));
        images.present[i] = 1;
        images.digests[i] = hash64(picture.bytes);
      } catch (const Error& error) {
        problems[i] = problem_of(example, error);
      }
    }
    const std::size_t count = ++done;
    if (progress) progress(count, dataset.size());
  });
  for (auto& problem : problems) {
    if (problem) images.problems.push_back(std::move(*problem));
  }
  return images;
}

DecodedImages select(const DecodedImages& images, std::span<const std::int64_t> kept) {
  DecodedImages result;
  result.side = images.side;
  result.pixels.reserve(kept.size() * area(images.side));
  for (std::int64_t index : kept) {
    const auto pixels = images[static_cast<std::size_t>(index)];
    result.pixels.insert(result.pixels.end(), pixels.begin(), pixels.end());
    result.present.push_back(images.present.at(static_cast<std::size_t>(index)));
    result.digests.push_back(images.digests.at(static_cast<std::size_t>(index)));
  }
  return result;
}

PixelStatistics pixel_statistics(const DecodedImages& images, std::span<const std::int64_t> rows) {
  std::array<double, 3> sum{}, squares{};
  double count = 0;
  for (std::int64_t row : rows) {
    if (!images.present[static_cast<std::size_t>(row)]) continue;
    const auto pixels = images[static_cast<std::size_t>(row)];
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      const double value = pixels[i] / 255.0;
      sum[i % 3] += value;
      squares[i % 3] += value * value;
    }
    count += static_cast<double>(pixels.size()) / 3;
  }
  PixelStatistics result;
  for (std::size_t c = 0; c < 3; ++c) {
    const double mean = count > 0 ? sum[c] / count : 0.5;
    const double variance = count > 0 ? squares[c] / count - mean * mean : 0.25;
    result.mean.push_back(static_cast<float>(mean));
    result.deviation.push_back(static_cast<float>(std::sqrt(std::max(variance, 1e-4))));
  }
  return result;
}

}  // namespace diptych
