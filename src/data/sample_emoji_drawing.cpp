#include "data/sample_emoji_drawing.h"

#include <ft2build.h>
#include <hb-ft.h>
#include FT_FREETYPE_H

#include <algorithm>
#include <type_traits>
#include <vector>

#include "base/error.h"

namespace diptych {
namespace {

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* object) const {
    release(object);
  }
};
template <typename Handle, auto release>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Release<release>>;

constexpr const char* kPackage = "install the Debian package fonts-noto-color-emoji";

std::vector<unsigned> shaped(hb_font_t* font, std::u32string_view code_points) {
  const Owned<hb_buffer_t*, hb_buffer_destroy> buffer(hb_buffer_create());
  const int count = static_cast<int>(code_points.size());
  hb_buffer_add_utf32(buffer.get(), reinterpret_cast<const std::uint32_t*>(code_points.data()),
                      count, 0, count);
  hb_buffer_guess_segment_properties(buffer.get());
  // A selector that is left over after joining must not become a glyph of its own.
  hb_buffer_set_flags(buffer.get(), HB_BUFFER_FLAG_REMOVE_DEFAULT_IGNORABLES);
  hb_shape(font, buffer.get(), nullptr, 0);
  unsigned size = 0;
  const hb_glyph_info_t* infos = hb_buffer_get_glyph_infos(buffer.get(), &size);
  std::vector<unsigned> glyphs;
  for (unsigned i = 0; i < size; ++i) glyphs.push_back(infos[i].codepoint);
  return glyphs;
}

// BGRA is premultiplied: on white, a colour c with cover a is c + (255 - a).
Image on_white(const FT_Bitmap& bitmap) {
  Image image{static_cast<int>(bitmap.width), static_cast<int>(bitmap.rows), {}};
  image.pixels.reserve(std::size_t{3} * bitmap.width * bitmap.rows);
  for (unsigned y = 0; y < bitmap.rows; ++y) {
    const unsigned char* pixel = bitmap.buffer + static_cast<std::ptrdiff_t>(y) * bitmap.pitch;
    for (unsigned x = 0; x < bitmap.width; ++x, pixel += 4) {
      const int white = 255 - pixel[3];
      for (const int channel : {2, 1, 0}) {
        image.pixels.push_back(static_cast<std::uint8_t>(std::min(255, pixel[channel] + white)));
      }
    }
  }
  return image;
}

}  // namespace

struct EmojiFont::Face {
  Owned<FT_Library, FT_Done_FreeType> library;
  Owned<FT_Face, FT_Done_Face> face;
  Owned<hb_font_t*, hb_font_destroy> shaper;
};

EmojiFont::EmojiFont(const std::filesystem::path& path) : face_(std::make_unique<Face>()) {
  if (!std::filesystem::exists(path)) {
    throw Error(ErrorKind::not_found, "the emoji font is not there", path.string(), kPackage);
  }
  FT_Library library = nullptr;
  if (FT_Init_FreeType(&library) != 0) {
    throw Error(ErrorKind::internal, "FreeType could not be started");
  }
  face_->library.reset(library);
  FT_Face face = nullptr;
  if (FT_New_Face(library, path.c_str(), 0, &face) != 0) {
    throw Error(ErrorKind::data, "this is not a font", path.string(), kPackage);
  }
  face_->face.reset(face);
  if (face->num_fixed_sizes == 0 || FT_Select_Size(face, 0) != 0) {
    throw Error(ErrorKind::data, "the font has no colour bitmaps", path.string(), kPackage);
  }
  face_->shaper.reset(hb_ft_font_create_referenced(face));
}

EmojiFont::~EmojiFont() = default;

std::optional<Image> EmojiFont::draw(std::u32string_view code_points) const {
  const std::vector<unsigned> glyphs = shaped(face_->shaper.get(), code_points);
  const FT_Face face = face_->face.get();
  const bool drawn =
      glyphs.size() == 1 && glyphs[0] != 0 && FT_Load_Glyph(face, glyphs[0], FT_LOAD_COLOR) == 0 &&
      face->glyph->bitmap.pixel_mode == FT_PIXEL_MODE_BGRA && face->glyph->bitmap.width > 0;
  if (!drawn) return std::nullopt;
  return on_white(face->glyph->bitmap);
}

}  // namespace diptych
