// The orientation that a camera noted in a picture's EXIF data (TIFF tag 0x0112, EXIF 2.32), and
// its application. Reading is bounds-checked: damaged data means orientation 1, never an error.
#pragma once
#include <string_view>

#include "image/image.h"

namespace diptych {

constexpr int kUpright = 1;

// 1..8 from a whole JPEG, PNG or WebP file; kUpright when there is none.
int read_orientation(std::string_view bytes, ImageFormat format);

// 1..8 from a TIFF block ("II*\0..." or "MM\0*..."); kUpright when there is none.
int tiff_orientation(std::string_view tiff);

// Turned and mirrored so that row 0 is the visual top and column 0 the visual left.
Image apply_orientation(Image image, int orientation);

}  // namespace diptych
