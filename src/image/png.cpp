#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "image/codecs.h"

namespace diptych {
namespace {

// libpng reports errors by a jump that runs no destructors: whatever has one lives in this object,
// and the functions that can be jumped out of have none in their frames.
class PngReader {
 public:
  explicit PngReader(std::string_view bytes) : rest_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_) info_ = png_create_info_struct(png_);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  Image read(const DecodeLimits& limits) {
    if (!info_ || !read_header()) refuse();
    check_image_size(png_get_image_width(png_, info_), png_get_image_height(png_, info_), limits);
    const int width = static_cast<int>(png_get_image_width(png_, info_));
    const int height = static_cast<int>(png_get_image_height(png_, info_));
    if (!expand()) refuse();
    const int channels = png_get_channels(png_, info_);
    allocate(width, height, channels);
    if (!read_rows()) refuse();
    if (channels == 4) return on_white(width, height, pixels_.data());
    return {width, height, std::move(pixels_)};
  }

 private:
  static void on_error(png_structp png, png_const_charp message) {
    auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(reader->error_, sizeof reader->error_, "%s", message);
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_read(png_structp png, png_bytep to, std::size_t count) {
    auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > reader->rest_.size()) png_error(png, "the file is truncated");
    std::memcpy(to, reader->rest_.data(), count);
    reader->rest_.remove_prefix(count);
  }

  bool read_header() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_read_fn(png_, this, on_read);
    constexpr png_alloc_size_t kMaxChunkBytes = 8u << 20;
    // The limit on pixels is checked with its own message; libpng's would not name the option.
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(png_, kMaxChunkBytes);
    png_set_chunk_cache_max(png_, 128);
    // Texts, profiles and the like are skipped unread: they cannot bring the decoder down.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png_, info_);
    return true;
  }

  // Every kind of PNG to [H,W,3] or, with transparency, [H,W,4] of 8 bits.
  bool expand() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_expand(png_);
    png_set_scale_16(png_);
    png_set_gray_to_rgb(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  void allocate(int width, int height, int channels) {
    const std::size_t stride = image_bytes(width, 1, channels);
    if (channels < 3 || png_get_rowbytes(png_, info_) != stride) refuse();
    pixels_.resize(image_bytes(width, height, channels));
    rows_.resize(static_cast<std::size_t>(height));
    for (std::size_t y = 0; y < rows_.size(); ++y) rows_[y] = pixels_.data() + y * stride;
  }

  bool read_rows() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_image(png_, rows_.data());
    return true;
  }

  [[noreturn]] void refuse() const {
    refuse_image(std::string("damaged PNG: ") + (error_[0] ? error_ : "it cannot be read"));
  }

  std::string_view rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::vector<std::uint8_t> pixels_;
  std::vector<png_bytep> rows_;
  char error_[160] = "";
};

}  // namespace

Image decode_png(std::string_view bytes, const DecodeLimits& limits) {
  return PngReader(bytes).read(limits);
}

}  // namespace diptych
