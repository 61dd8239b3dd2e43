// Text to numbers: words from a vocabulary of the training rows, and hashed character n-grams that
// leave no word of any language unknown (Bojanowski et al., "Enriching word vectors with subword
// information", TACL 2017). Words and n-grams are folded; capitals count as an n-gram of their own.
#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/row_memory.h"
#include "base/text_column.h"

namespace diptych {

struct TokenizerOptions {
  int max_tokens = 32;     // words beyond are cut
  int vocabulary = 20000;  // most frequent words that keep an id of their own
  int min_count = 1;       // words seen less often share the unknown id
  int ngram_min = 0;       // code points of "<word>"; 0: no n-grams
  int ngram_max = 0;
  int buckets = 0;      // n-gram ids are hash % buckets; 0: no n-grams
  int max_ngrams = 64;  // per word, its capitals not counted

  bool operator==(const TokenizerOptions&) const = default;
};

struct SeenWord;

constexpr std::int32_t kPadToken = 0;
constexpr std::int32_t kUnknownToken = 1;
constexpr std::int32_t kFirstWord = 2;

// One text: word ids, and each word's n-grams as a run of one flat list.
struct Encoding {
  std::vector<std::int32_t> tokens;      // [T], T ≤ max_tokens
  std::vector<std::int32_t> ngrams;      // flat, each in [0, buckets)
  std::vector<std::int32_t> ngram_ends;  // [T], end of each word's run in ngrams
};

// Many texts as a tokenizer sees them. Each different word is kept once, so that a word of a text
// takes four bytes.
class EncodedTexts {
 public:
  std::size_t size() const { return ends_.size(); }
  Encoding operator[](std::size_t index) const;

 private:
  friend class Tokenizer;
  Encoding words_;                   // one after the other, as if of one text
  RowVector<std::uint32_t> places_;  // of every text's words in there
  RowVector<std::size_t> ends_;      // of every text in places_
};

class Tokenizer {
 public:
  Tokenizer() = default;
  // The vocabulary in order of count, then of code units: the same for the same texts in any order.
  // Throws Error{config} on options out of range.
  static Tokenizer build(std::span<const std::string_view> texts, const TokenizerOptions& options);
  // Throws Error{model_file} on anything that to_json() did not write.
  static Tokenizer from_json(const nlohmann::json& json);
  nlohmann::json to_json() const;

  // text: any bytes, of which at most 256 × max_tokens (and 64 KiB) are looked at; a word is cut
  // to 256 bytes. Thread-safe.
  Encoding encode(std::string_view text) const;
  // Each text as encode() does, cut to so many bytes before.
  EncodedTexts encode(const TextColumn& texts, std::size_t most_bytes) const;
  int vocabulary_size() const;  // with the two reserved ids
  const TokenizerOptions& options() const { return options_; }

 private:
  bool add_word(const std::string& word);  // false: it is there already
  void append(const SeenWord& word, Encoding& encoding) const;

  TokenizerOptions options_;
  std::vector<std::string> words_;  // id - kFirstWord → word
  std::unordered_map<std::string, std::int32_t> ids_;
};

}  // namespace diptych
