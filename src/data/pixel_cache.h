// Decoded pictures in a file: which one, whether what lies there may be used, and its making.
#pragma once
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "data/pixels.h"

namespace diptych {

// Decoded and made square: [S,S,3]. Throws Error{image}.
std::vector<std::uint8_t> square_pixels(std::string_view bytes, const DecodeOptions& options);

// What decode_images() does with pictures beyond options.cache.memory_bytes.
DecodedImages decode_to_file(const Dataset& dataset, const DecodeOptions& options,
                             const std::function<void(std::size_t, std::size_t)>& progress);

}  // namespace diptych
