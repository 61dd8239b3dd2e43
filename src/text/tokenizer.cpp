#include "text/tokenizer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "text/unicode.h"

namespace diptych {

struct SeenWord {
  std::string folded;
  Casing casing = Casing::lower;

  bool operator==(const SeenWord&) const = default;
};

namespace {
using nlohmann::json;

constexpr const char* kKind = "words-and-ngrams";
constexpr int kVersion = 1;
// Bounds on what one text can cost, however large: putting a long run of combining marks in order
// takes quadratic time, so no more is normalised than the words wanted could fill.
constexpr std::size_t kMaxTextBytes = 65536;
constexpr std::size_t kMaxWordBytes = 256;

// Each option once: its key in the file, its member and its range.
struct OptionRow {
  const char* name;
  int TokenizerOptions::*member;
  int least;
  int most;
};
constexpr std::array kOptions = {
    OptionRow{"max_tokens", &TokenizerOptions::max_tokens, 1, 4096},
    OptionRow{"vocabulary", &TokenizerOptions::vocabulary, 0, 10'000'000},
    OptionRow{"min_count", &TokenizerOptions::min_count, 1, std::numeric_limits<int>::max()},
    OptionRow{"ngram_min", &TokenizerOptions::ngram_min, 0, 32},
    OptionRow{"ngram_max", &TokenizerOptions::ngram_max, 0, 32},
    OptionRow{"buckets", &TokenizerOptions::buckets, 0, 100'000'000},
    OptionRow{"max_ngrams", &TokenizerOptions::max_ngrams, 1, 4096},
};

[[noreturn]] void fail(ErrorKind kind, const std::string& message, const std::string& where) {
  throw Error(kind, message, where,
              kind == ErrorKind::model_file
                  ? "the file is damaged or was not written by this program: train the model again"
                  : "");
}

bool has_ngrams(const TokenizerOptions& options) {
  return options.ngram_min > 0 && options.buckets > 0;
}

void check_options(const TokenizerOptions& options, ErrorKind kind) {
  for (const OptionRow& row : kOptions) {
    const int value = options.*row.member;
    if (value >= row.least && value <= row.most) continue;
    fail(kind,
         std::to_string(value) + " is outside " + std::to_string(row.least) + ".." +
             std::to_string(row.most),
         std::string("tokenizer option ") + row.name);
  }
  if (options.ngram_min > options.ngram_max) {
    fail(kind, "ngram_min is larger than ngram_max", "tokenizer options");
  }
}

struct SeenWordHash {
  std::size_t operator()(const SeenWord& word) const {
    return std::hash<std::string>()(word.folded) + static_cast<std::size_t>(word.casing);
  }
};

// The words that are seen of a text. Building and encoding must cut alike, or a word could get an
// id that no text ever shows.
std::vector<SeenWord> seen_words(std::string_view text, const TokenizerOptions& options) {
  const auto most = static_cast<std::size_t>(options.max_tokens);
  const std::string_view start = cut_utf8(text, std::min(kMaxTextBytes, most * kMaxWordBytes));
  std::vector<SeenWord> seen;
  for (const std::string& word : words(normalise(start, Case::keep), most)) {
    SeenWord next{normalise(cut_utf8(word, kMaxWordBytes)), casing(word)};
    next.folded.resize(cut_utf8(next.folded, kMaxWordBytes).size());
    if (!next.folded.empty()) seen.push_back(std::move(next));
  }
  return seen;
}

// Appends at most max_ngrams ids; at least one, so that a word shorter than ngram_min has a trace.
// A word with capitals has one more, which says so: no n-gram of a folded word is written like it.
void append_ngrams(const SeenWord& word, const TokenizerOptions& options,
                   std::vector<std::int32_t>& ids) {
  const std::string marked = "<" + word.folded + ">";
  const std::vector<std::string_view> characters = code_points(marked);
  const auto add = [&](std::string_view ngram) {
    ids.push_back(static_cast<std::int32_t>(hash64(ngram) % options.buckets));
  };
  if (word.casing == Casing::capitalised) add("Aa");
  if (word.casing == Casing::capitals) add("AA");
  const int count = static_cast<int>(characters.size());
  if (count < options.ngram_min) return add(marked);
  int left = options.max_ngrams;
  for (int first = 0; first + options.ngram_min <= count; ++first) {
    const int most = std::min({options.ngram_max, count - first, options.ngram_min + left - 1});
    for (int size = options.ngram_min; size <= most; ++size, --left) {
      const char* end = characters[first + size - 1].data() + characters[first + size - 1].size();
      add({characters[first].data(), static_cast<std::size_t>(end - characters[first].data())});
    }
  }
}

const json& member(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) fail(ErrorKind::model_file, "a value is missing", name);
  return *found;
}

void expect_object(const json& value, std::size_t members, const char* where) {
  if (!value.is_object()) fail(ErrorKind::model_file, "expected an object", where);
  if (value.size() != members) {
    fail(ErrorKind::model_file, "expected " + std::to_string(members) + " values", where);
  }
}

int integer(const json& object, const char* name) {
  const json& value = member(object, name);
  const bool fits = value.is_number_integer() &&
                    (value.is_number_unsigned() ? value.get<std::uint64_t>() <= INT32_MAX
                                                : value.get<std::int64_t>() >= INT32_MIN);
  if (!fits) fail(ErrorKind::model_file, "expected an integer of 32 bits", name);
  return value.get<int>();
}

TokenizerOptions options_from_json(const json& value) {
  expect_object(value, kOptions.size(), "tokenizer options");
  TokenizerOptions options;
  for (const OptionRow& row : kOptions) options.*row.member = integer(value, row.name);
  check_options(options, ErrorKind::model_file);
  return options;
}

const std::string& word_from_json(const json& value, const std::string& where) {
  if (!value.is_string()) fail(ErrorKind::model_file, "expected a string", where);
  const std::string& word = value.get_ref<const std::string&>();
  if (word.empty() || word.size() > kMaxWordBytes || !is_valid_utf8(word)) {
    fail(ErrorKind::model_file,
         "a word must have 1.." + std::to_string(kMaxWordBytes) + " bytes of UTF-8", where);
  }
  return word;
}

}  // namespace

Tokenizer Tokenizer::build(std::span<const std::string_view> texts,
                           const TokenizerOptions& options) {
  check_options(options, ErrorKind::config);
  std::unordered_map<std::string, std::int64_t> counts;
  for (const std::string_view text : texts) {
    for (SeenWord& word : seen_words(text, options)) ++counts[std::move(word.folded)];
  }
  std::erase_if(counts, [&](const auto& entry) { return entry.second < options.min_count; });

  std::vector<std::pair<std::string, std::int64_t>> ranked(counts.begin(), counts.end());
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (ranked.size() > static_cast<std::size_t>(options.vocabulary)) {
    ranked.resize(static_cast<std::size_t>(options.vocabulary));
  }

  Tokenizer tokenizer;
  tokenizer.options_ = options;
  for (const auto& [word, count] : ranked) tokenizer.add_word(word);
  return tokenizer;
}

bool Tokenizer::add_word(const std::string& word) {
  const auto id = kFirstWord + static_cast<std::int32_t>(words_.size());
  if (!ids_.emplace(word, id).second) return false;
  words_.push_back(word);
  return true;
}

Tokenizer Tokenizer::from_json(const json& value) {
  expect_object(value, 4, "tokenizer");
  if (member(value, "kind") != kKind) {
    fail(ErrorKind::model_file, std::string("expected \"") + kKind + "\"", "tokenizer kind");
  }
  if (integer(value, "version") != kVersion) {
    fail(ErrorKind::model_file, "the version is not one that this program reads",
         "tokenizer version");
  }
  Tokenizer tokenizer;
  tokenizer.options_ = options_from_json(member(value, "options"));
  const json& list = member(value, "words");
  if (!list.is_array() || list.size() > static_cast<std::size_t>(tokenizer.options_.vocabulary)) {
    fail(ErrorKind::model_file, "expected a list no longer than the option vocabulary",
         "tokenizer words");
  }
  for (const json& entry : list) {
    const std::string where = "tokenizer word " + std::to_string(tokenizer.words_.size());
    const std::string& word = word_from_json(entry, where);
    if (!tokenizer.add_word(word)) fail(ErrorKind::model_file, "a word is there twice", where);
  }
  return tokenizer;
}

json Tokenizer::to_json() const {
  json options = json::object();
  for (const OptionRow& row : kOptions) options[row.name] = options_.*row.member;
  return {{"kind", kKind}, {"version", kVersion}, {"options", options}, {"words", words_}};
}

void Tokenizer::append(const SeenWord& word, Encoding& encoding) const {
  const auto found = ids_.find(word.folded);
  encoding.tokens.push_back(found == ids_.end() ? kUnknownToken : found->second);
  if (has_ngrams(options_)) append_ngrams(word, options_, encoding.ngrams);
  encoding.ngram_ends.push_back(static_cast<std::int32_t>(encoding.ngrams.size()));
}

Encoding Tokenizer::encode(std::string_view text) const {
  Encoding encoding;
  for (const SeenWord& word : seen_words(text, options_)) append(word, encoding);
  return encoding;
}

EncodedTexts Tokenizer::encode(const TextColumn& texts, std::size_t most_bytes) const {
  EncodedTexts encoded;
  std::unordered_map<SeenWord, std::uint32_t, SeenWordHash> known;
  encoded.ends_.reserve(texts.size());
  for (const std::string_view text : texts) {
    for (SeenWord& word : seen_words(cut_utf8(text, most_bytes), options_)) {
      const auto next = static_cast<std::uint32_t>(known.size());
      const auto [found, is_new] = known.emplace(std::move(word), next);
      if (is_new) append(found->first, encoded.words_);
      encoded.places_.push_back(found->second);
    }
    encoded.ends_.push_back(encoded.places_.size());
  }
  return encoded;
}

Encoding EncodedTexts::operator[](std::size_t index) const {
  Encoding encoding;
  const auto begin = [](const auto& ends, std::size_t i) {
    return static_cast<std::ptrdiff_t>(i > 0 ? ends[i - 1] : 0);
  };
  const auto first = static_cast<std::size_t>(begin(ends_, index));
  const std::span places = std::span(places_).subspan(first, ends_.at(index) - first);
  for (const std::uint32_t place : places) {
    const auto ngrams = words_.ngrams.begin();
    encoding.tokens.push_back(words_.tokens[place]);
    encoding.ngrams.insert(encoding.ngrams.end(), ngrams + begin(words_.ngram_ends, place),
                           ngrams + words_.ngram_ends[place]);
    encoding.ngram_ends.push_back(static_cast<std::int32_t>(encoding.ngrams.size()));
  }
  return encoding;
}

int Tokenizer::vocabulary_size() const { return kFirstWord + static_cast<int>(words_.size()); }

}  // namespace diptych
