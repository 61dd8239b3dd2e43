#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

#include "image/codecs.h"

namespace diptych {
namespace {

using AnimationDecoder = std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)>;

const std::uint8_t* data(std::string_view bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

WebPBitstreamFeatures read_features(std::string_view bytes) {
  WebPBitstreamFeatures features{};
  switch (WebPGetFeatures(data(bytes), bytes.size(), &features)) {
    case VP8_STATUS_OK:
      return features;
    case VP8_STATUS_NOT_ENOUGH_DATA:
      refuse_image("the WebP is truncated");
    default:
      refuse_image("damaged WebP: its header cannot be read");
  }
}

// The canvas as it stands after the first frame.
Image decode_first_frame(std::string_view bytes, const WebPBitstreamFeatures& features) {
  const WebPData source{data(bytes), bytes.size()};
  const AnimationDecoder decoder(WebPAnimDecoderNew(&source, nullptr), WebPAnimDecoderDelete);
  std::uint8_t* canvas = nullptr;
  int timestamp_ms = 0;
  if (!decoder || !WebPAnimDecoderGetNext(decoder.get(), &canvas, &timestamp_ms)) {
    refuse_image("damaged WebP: its first frame cannot be decoded");
  }
  return on_white(features.width, features.height, canvas);
}

void require_decoded(const std::uint8_t* written) {
  if (!written) refuse_image("the WebP is damaged or truncated");
}

}  // namespace

Image decode_webp(std::string_view bytes, const DecodeLimits& limits) {
  const WebPBitstreamFeatures features = read_features(bytes);
  const int width = features.width, height = features.height;
  check_image_size(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height), limits);
  if (features.has_animation) return decode_first_frame(bytes, features);
  if (features.has_alpha) {
    std::vector<std::uint8_t> rgba(image_bytes(width, height, 4));
    require_decoded(
        WebPDecodeRGBAInto(data(bytes), bytes.size(), rgba.data(), rgba.size(), width * 4));
    return on_white(width, height, rgba.data());
  }
  Image image{width, height, {}};
  image.pixels.resize(image_bytes(width, height, 3));
  require_decoded(WebPDecodeRGBInto(data(bytes), bytes.size(), image.pixels.data(),
                                    image.pixels.size(), width * 3));
  return image;
}

}  // namespace diptych
