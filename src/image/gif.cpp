#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "image/codecs.h"

namespace diptych {
namespace {

constexpr int kOpaque = -1;

struct GifCloser {
  void operator()(GifFileType* gif) const { DGifCloseFile(gif, nullptr); }
};
using Gif = std::unique_ptr<GifFileType, GifCloser>;

int read_bytes(GifFileType* gif, GifByteType* to, int wanted) {
  auto& rest = *static_cast<std::string_view*>(gif->UserData);
  const std::size_t count = std::min(rest.size(), static_cast<std::size_t>(wanted));
  std::memcpy(to, rest.data(), count);
  rest.remove_prefix(count);
  return static_cast<int>(count);
}

[[noreturn]] void refuse_gif(int code, std::string_view rest) {
  if (rest.empty()) refuse_image("the GIF is truncated");
  const char* reason = GifErrorString(code);
  refuse_image(std::string("damaged GIF: ") + (reason ? reason : "it cannot be read"));
}

void require_ok(const Gif& gif, int status) {
  if (status != GIF_ERROR) return;
  refuse_gif(gif->Error, *static_cast<std::string_view*>(gif->UserData));
}

// Reads one extension; a graphics control sets the index that is transparent.
void read_extension(const Gif& gif, int& transparent) {
  int kind = 0;
  GifByteType* block = nullptr;  // [0] is its length
  require_ok(gif, DGifGetExtension(gif.get(), &kind, &block));
  while (block) {
    GraphicsControlBlock control{};
    if (kind == GRAPHICS_EXT_FUNC_CODE &&
        DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK) {
      transparent = control.TransparentColor;
    }
    require_ok(gif, DGifGetExtensionNext(gif.get(), &block));
  }
}

// Steps to the first frame; returns its transparent index or kOpaque.
int find_first_frame(const Gif& gif) {
  int transparent = kOpaque;
  for (;;) {
    GifRecordType record = UNDEFINED_RECORD_TYPE;
    require_ok(gif, DGifGetRecordType(gif.get(), &record));
    switch (record) {
      case EXTENSION_RECORD_TYPE:
        read_extension(gif, transparent);
        break;
      case IMAGE_DESC_RECORD_TYPE:
        require_ok(gif, DGifGetImageDesc(gif.get()));
        return transparent;
      default:
        refuse_image("the GIF holds no picture");
    }
  }
}

std::vector<int> row_order(int height, bool interlaced) {
  struct Pass {
    int first, step;
  };
  constexpr std::array kPasses = {Pass{0, 8}, Pass{4, 8}, Pass{2, 4}, Pass{1, 2}};
  std::vector<int> rows;
  for (const Pass& pass : kPasses) {
    if (!interlaced) break;
    for (int y = pass.first; y < height; y += pass.step) rows.push_back(y);
  }
  for (int y = 0; !interlaced && y < height; ++y) rows.push_back(y);
  return rows;
}

// Without a colour map indices are greys, as in Pillow; beyond the map's end they are black.
GifColorType colour_at(const ColorMapObject* map, GifPixelType index) {
  if (!map) return {index, index, index};
  return index < map->ColorCount ? map->Colors[index] : GifColorType{0, 0, 0};
}

// Frames may reach beyond the canvas that the header declares: it grows, as in Pillow.
Image white_canvas(const Gif& gif, const DecodeLimits& limits) {
  const GifImageDesc& frame = gif->Image;
  const int width = std::max<int>(gif->SWidth, frame.Left + frame.Width);
  const int height = std::max<int>(gif->SHeight, frame.Top + frame.Height);
  check_image_size(static_cast<std::uint64_t>(frame.Width),
                   static_cast<std::uint64_t>(frame.Height), limits);
  check_image_size(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height), limits);
  Image canvas{width, height, {}};
  canvas.pixels.assign(image_bytes(width, height, 3), 255);
  return canvas;
}

void draw_rows(const Gif& gif, int transparent, Image& canvas) {
  const GifImageDesc& frame = gif->Image;
  const ColorMapObject* map = frame.ColorMap ? frame.ColorMap : gif->SColorMap;
  std::vector<GifPixelType> indices(static_cast<std::size_t>(frame.Width));
  for (int y : row_order(frame.Height, frame.Interlace)) {
    require_ok(gif, DGifGetLine(gif.get(), indices.data(), frame.Width));
    std::uint8_t* to = canvas.pixels.data() + image_bytes(canvas.width, frame.Top + y, 3) +
                       std::ptrdiff_t{3} * frame.Left;
    for (GifPixelType index : indices) {
      const GifColorType colour = colour_at(map, index);
      if (index != transparent) std::memcpy(to, &colour, 3);
      to += 3;
    }
  }
}

}  // namespace

Image decode_gif(std::string_view bytes, const DecodeLimits& limits) {
  int code = 0;
  const Gif gif(DGifOpen(&bytes, read_bytes, &code));
  if (!gif) refuse_gif(code, bytes);
  const int transparent = find_first_frame(gif);
  Image canvas = white_canvas(gif, limits);
  draw_rows(gif, transparent, canvas);
  return canvas;
}

}  // namespace diptych
