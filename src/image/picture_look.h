// Whether a picture shows anything: how light it is and how sharp, at the size a network sees.
#pragma once
#include "image/image.h"

namespace diptych {

struct PictureLook {
  int lightness = 0;  // 0 … 255, of the lightest tenth
  double sharpness =
      0;  // variance of the Laplacian over that of the picture itself: contrast aside
  bool dark() const { return lightness < 40; }
  // Sharp photographs have 0.1 and more, those blurred over a hundredth of their side less.
  bool blurred() const { return sharpness < 0.03; }
};

PictureLook picture_look(const Image& image);

}  // namespace diptych
