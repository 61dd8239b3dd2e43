// Text encoders: tokens [B,T], lengths [B] → [B,D]. One row in make_text_encoder(), one class each.
#pragma once
#include <memory>

#include "config/config.h"
#include "nn/layers.h"

namespace diptych {

// Tokens as bags: a token's vector is the mean over its word and its n-grams.
struct TextInput {
  torch::Tensor ids;           // [M] int64, rows of the embedding table
  torch::Tensor offsets;       // [B·T+1] int64, each token's run in ids; pads are empty
  torch::Tensor lengths;       // [B] int64; 0: no text
  torch::Tensor host_lengths;  // the same, on the host
  int size = 0;                // B
  int max_tokens = 0;          // T ≥ 1
};

class TextEncoder : public torch::nn::Module {
 public:
  // Returns fp32 [B,features()]; zero for a row without text.
  virtual torch::Tensor forward(const TextInput& input, Pass& pass) = 0;
  virtual int features() const = 0;
  // Inverse document frequencies of the table's rows over the training texts, [rows] fp32; 0 for a
  // row that no text has. Of the bag encoder alone.
  virtual void set_document_frequencies(const torch::Tensor&) {}
  // Readies what answers faster than it learns, where this encoder has it.
  virtual void pack() {}
};

// table_rows: the rows of the embedding table (words, then n-gram buckets).
std::shared_ptr<TextEncoder> make_text_encoder(const Config& config, int table_rows,
                                               const at::Generator& generator);

}  // namespace diptych
