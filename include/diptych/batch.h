// A batch of examples in host memory: what the layers below the model hand to it.
// Legend: B batch, T tokens, H W image side, K classes.
#pragma once
#include <cstdint>
#include <vector>

namespace diptych {

struct Batch {
  int size = 0;                             // B
  int side = 0;                             // H = W
  int max_tokens = 0;                       // T
  std::vector<std::uint8_t> pixels;         // [B,H,W,3] sRGB; empty when the model takes no image
  std::vector<std::int32_t> tokens;         // [B,T] word ids, padded with 0
  std::vector<std::int32_t> lengths;        // [B], 0: no text
  std::vector<std::int32_t> ngrams;         // flat, the n-grams of all tokens in order
  std::vector<std::int32_t> ngram_offsets;  // [B*T+1], each token's run in ngrams; pads are empty
  std::vector<std::uint8_t> has_image;      // [B]
  std::vector<std::int32_t> labels;         // [B], -1: unknown
  std::vector<std::int64_t> rows;           // [B], so that no answer can meet the wrong example
};

}  // namespace diptych
