// One emoji as a picture: the sequence is shaped by HarfBuzz (OpenType GSUB joins it to one glyph)
// and the glyph's bitmap (CBDT, PNG inside) is loaded by FreeType.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "image/image.h"

namespace diptych {

class EmojiFont {
 public:
  // Throws Error{not_found} naming the Debian package, Error{data} when it has no colour bitmaps.
  explicit EmojiFont(const std::filesystem::path& path);
  ~EmojiFont();

  // The glyph of one sequence on white, in the font's native size (about 136×128); nothing when
  // the font does not draw the sequence as one glyph, as happens to emoji younger than the font.
  // Not thread-safe.
  std::optional<Image> draw(std::u32string_view code_points) const;

 private:
  struct Face;
  std::unique_ptr<Face> face_;
};

}  // namespace diptych
