#include "image/picture_look.h"

#include <algorithm>

namespace diptych {
namespace {

constexpr int kSide = 128;

class Variance {
 public:
  void add(double value) {
    ++count_;
    sum_ += value;
    squares_ += value * value;
  }
  double value() const { return squares_ / count_ - sum_ * sum_ / count_ / count_; }

 private:
  double count_ = 0, sum_ = 0, squares_ = 0;
};

}  // namespace

PictureLook picture_look(const Image& image) {
  const int side = std::clamp(std::min(image.width, image.height), 3, kSide);
  std::vector<std::uint8_t> grey = grey_square(image, side);
  Variance own, laplacian;
  for (std::uint8_t value : grey) own.add(value);
  for (int y = 1; y + 1 < side; ++y) {
    for (int x = 1; x + 1 < side; ++x) {
      const std::uint8_t* at = grey.data() + std::ptrdiff_t{y} * side + x;
      laplacian.add(at[-1] + at[1] + at[-side] + at[side] - 4.0 * at[0]);
    }
  }
  PictureLook look;
  look.sharpness = laplacian.value() / (own.value() + 1);
  const auto tenth = grey.end() - static_cast<std::ptrdiff_t>(grey.size() / 10) - 1;
  std::nth_element(grey.begin(), tenth, grey.end());
  look.lightness = *tenth;
  return look;
}

}  // namespace diptych
