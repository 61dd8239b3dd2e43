#include "image/picture_signature.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "image/perceptual_hash.h"

namespace diptych {
namespace {

constexpr int kSide = PictureSignature::kSide;
constexpr int kReduced = 64;          // the side of the picture that the windows are cut from
constexpr double kFlatDeviation = 3;  // of 255
// What an alignment may leave: of the pictures' own deviation, and of any one pixel.
constexpr double kMostUnexplained = 0.23, kMostOfOnePixel = 60;
constexpr double kMostMoved = 0.25;  // of the half side; a cut of a tenth moves an edge by 0.2
constexpr int kSteps = 2;

struct Window {
  double size;       // share of the side
  double left, top;  // share of the rest that lies there
};
constexpr std::array<Window, PictureSignature::kWindows> kParts{{{1, 0.5, 0.5},
                                                                 {0.95, 0.5, 0.5},
                                                                 {0.9, 0.5, 0.5},
                                                                 {0.95, 0, 0},
                                                                 {0.95, 1, 0},
                                                                 {0.95, 0, 1},
                                                                 {0.95, 1, 1}}};

Image cut(const Image& square, const Window& window) {
  const int side = static_cast<int>(std::lround(square.width * window.size));
  const int left = static_cast<int>((square.width - side) * window.left);
  const int top = static_cast<int>((square.width - side) * window.top);
  Image part{side, side, {}};
  for (int y = 0; y < side; ++y) {
    const auto* row =
        square.pixels.data() + 3 * (static_cast<std::ptrdiff_t>(top + y) * square.width + left);
    part.pixels.insert(part.pixels.end(), row, row + std::ptrdiff_t{3} * side);
  }
  return part;
}

// Within the channels, so that an even colour has none.
double deviation(std::span<const std::uint8_t> pixels) {
  std::array<double, 3> sums{}, squares{};
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    sums[i % 3] += pixels[i];
    squares[i % 3] += pixels[i] * pixels[i];
  }
  const double count = static_cast<double>(pixels.size()) / 3;
  double variance = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    variance += (squares[c] / count - sums[c] * sums[c] / count / count) / 3;
  }
  return std::sqrt(std::max(0.0, variance));
}

// A place of the whole as it shows in the part: the whole spans [-1,1].
struct Warp {
  double x = 0, y = 0, wide = 1, high = 1;

  explicit Warp(const Window& window)
      : x(2 * window.left * (1 - window.size) + window.size - 1),
        y(2 * window.top * (1 - window.size) + window.size - 1),
        wide(window.size),
        high(window.size) {}
  bool strays() const {
    return std::max({std::abs(x), std::abs(y), std::abs(wide - 1), std::abs(high - 1)}) >
           kMostMoved;
  }
};

constexpr double coordinate(int pixel) { return (pixel + 0.5) / kSide * 2 - 1; }

using Field = std::array<float, kSide * kSide * 3>;
constexpr std::size_t place(int x, int y) { return static_cast<std::size_t>(3 * (y * kSide + x)); }

// Between which two pixels a coordinate lies, and how far.
struct Between {
  int low, high;
  double share;
};
Between between(double coordinate) {
  const double pixel = std::clamp((coordinate + 1) / 2 * kSide - 0.5, 0.0, kSide - 1.0);
  const int low = static_cast<int>(pixel);
  return {low, std::min(low + 1, kSide - 1), pixel - low};
}

Field warped(const PictureSignature& whole, const Warp& warp) {
  Field field;
  const auto& pixels = whole.thumbnail;
  for (int y = 0; y < kSide; ++y) {
    const Between row = between(coordinate(y) * warp.high + warp.y);
    for (int x = 0; x < kSide; ++x) {
      const Between column = between(coordinate(x) * warp.wide + warp.x);
      for (std::size_t c = 0; c < 3; ++c) {
        const auto mixed = [&](int at) {
          const double left = pixels[place(column.low, at) + c];
          return left + column.share * (pixels[place(column.high, at) + c] - left);
        };
        const double above = mixed(row.low);
        field[place(x, y) + c] = static_cast<float>(above + row.share * (mixed(row.high) - above));
      }
    }
  }
  return field;
}

constexpr std::size_t kTerms = 6;  // gain, offset, move in x and y, growth in x and y
using Terms = std::array<double, kTerms>;

// Least squares by the normal equations; a little is added to the diagonal, so that terms which the
// picture says nothing about stay at zero.
class LeastSquares {
 public:
  void add(const Terms& terms, double target) {
    for (std::size_t i = 0; i < kTerms; ++i) {
      for (std::size_t j = 0; j <= i; ++j) normal_[i][j] += terms[i] * terms[j];
      right_[i] += terms[i] * target;
    }
  }

  Terms solve() {
    double trace = 0;
    for (std::size_t i = 0; i < kTerms; ++i) trace += normal_[i][i];
    for (std::size_t i = 0; i < kTerms; ++i) {  // Cholesky, in place
      normal_[i][i] += 1e-7 * trace + 1e-9;
      for (std::size_t j = 0; j <= i; ++j) {
        double sum = normal_[i][j];
        for (std::size_t k = 0; k < j; ++k) sum -= normal_[i][k] * normal_[j][k];
        normal_[i][j] = i == j ? std::sqrt(sum) : sum / normal_[j][j];
      }
    }
    Terms result = right_;
    for (std::size_t i = 0; i < kTerms; ++i) {
      for (std::size_t k = 0; k < i; ++k) result[i] -= normal_[i][k] * result[k];
      result[i] /= normal_[i][i];
    }
    for (std::size_t i = kTerms; i-- > 0;) {
      for (std::size_t k = i + 1; k < kTerms; ++k) result[i] -= normal_[k][i] * result[k];
      result[i] /= normal_[i][i];
    }
    return result;
  }

 private:
  std::array<Terms, kTerms> normal_{};
  Terms right_{};
};

// What a brighter copy has lost cannot be fitted, only foretold.
constexpr double kWhite = 250;

template <typename Visit>
void for_each_inner(Visit visit) {
  for (int y = 1; y + 1 < kSide; ++y) {
    for (int x = 1; x + 1 < kSide; ++x) {
      for (std::size_t c = 0; c < 3; ++c) visit(x, y, place(x, y) + c);
    }
  }
}

// part ≈ gain · field + offset, with or without moving the field.
Terms fitted(const PictureSignature& part, const Field& field, bool moves) {
  LeastSquares squares;
  for_each_inner([&](int x, int y, std::size_t at) {
    if (part.thumbnail[at] >= kWhite || field[at] >= kWhite) return;
    Terms terms{field[at], 1};
    if (moves) {
      constexpr std::size_t kRow = 3 * kSide;
      terms[2] = (field[at + 3] - field[at - 3]) * kSide / 4;
      terms[3] = (field[at + kRow] - field[at - kRow]) * kSide / 4;
      terms[4] = terms[2] * coordinate(x);
      terms[5] = terms[3] * coordinate(y);
    }
    squares.add(terms, part.thumbnail[at]);
  });
  return squares.solve();
}

void step(Warp& warp, const Terms& terms) {
  const double gain = std::max(terms[0], 0.2);
  const auto moved = [&](std::size_t term) { return std::clamp(terms[term] / gain, -0.1, 0.1); };
  warp.x += moved(2);
  warp.y += moved(3);
  warp.wide += moved(4);
  warp.high += moved(5);
}

}  // namespace

PictureSignature picture_signature(const Image& image) {
  PictureSignature signature;
  signature.hashes[0] = perceptual_hash(image);
  const Image reduced = resize(image, kReduced, kReduced);
  for (std::size_t window = 1; window < kParts.size(); ++window) {
    signature.hashes[window] = perceptual_hash(cut(reduced, kParts[window]));
  }
  const Image small = resize(reduced, kSide, kSide);
  std::copy(small.pixels.begin(), small.pixels.end(), signature.thumbnail.begin());
  signature.flat = deviation(signature.thumbnail) < kFlatDeviation;
  return signature;
}

int window_radius(int window) { return window == 0 ? 10 : 8; }

bool shows_window(const PictureSignature& part, const PictureSignature& whole, int window) {
  Warp warp(kParts.at(static_cast<std::size_t>(window)));
  Field field = warped(whole, warp);
  for (int i = 0; i < kSteps; ++i) {
    step(warp, fitted(part, field, /*moves=*/true));
    field = warped(whole, warp);
  }
  const Terms terms = fitted(part, field, /*moves=*/false);
  if (warp.strays() || terms[0] < 0.6 || terms[0] > 1.7) return false;
  double sum = 0, most = 0, of_pixel = 0, count = 0;
  for_each_inner([&](int, int, std::size_t at) {
    const double foretold = std::clamp(field[at] * terms[0] + terms[1], 0.0, 255.0);
    const double squared = std::pow(part.thumbnail[at] - foretold, 2);
    of_pixel = at % 3 == 0 ? squared : of_pixel + squared;
    most = std::max(most, of_pixel);
    sum += squared;
    ++count;
  });
  const double own = std::min(deviation(part.thumbnail), deviation(whole.thumbnail));
  return std::sqrt(sum / count) < kMostUnexplained * (own + 2) &&
         std::sqrt(most / 3) < kMostOfOnePixel;
}

}  // namespace diptych
