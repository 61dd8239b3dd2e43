#include "text/unicode.h"

#include <unicode/brkiter.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <map>
#include <memory>

#include "base/error.h"

namespace diptych {
namespace {

// ICU counts in 32 bits; compatibility decomposition can make eleven bytes of one.
constexpr std::size_t kMaxNormaliseBytes = 100'000'000;
constexpr std::size_t kMaxWordsBytes = INT32_MAX;

void check(UErrorCode status, const char* what) {
  if (U_FAILURE(status)) {
    throw Error(ErrorKind::internal,
                std::string("ICU could not ") + what + ": " + u_errorName(status));
  }
}

void check_size(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    throw Error(ErrorKind::data, "a text has more than " + std::to_string(max_bytes) + " bytes", "",
                "cut the text before it is normalised");
  }
}

// The code point at `position`, which moves behind it; negative when the bytes are not UTF-8.
UChar32 next_code_point(std::string_view text, std::int64_t& position) {
  UChar32 code_point = 0;
  U8_NEXT(text.data(), position, static_cast<std::int64_t>(text.size()), code_point);
  return code_point;
}

std::string single_spaced(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  bool space = false;
  for (std::int64_t position = 0, start = 0; position < std::ssize(text); start = position) {
    const UChar32 code_point = next_code_point(text, position);
    if (code_point >= 0 && u_isUWhiteSpace(code_point)) {
      space = !result.empty();
      continue;
    }
    if (space) result += ' ';
    space = false;
    result += text.substr(start, position - start);
  }
  return result;
}

// Emoji younger than this ICU have no category yet, but their pictographic range is reserved.
bool carries_meaning(UChar32 code_point) {
  constexpr std::uint32_t kinds = U_GC_L_MASK | U_GC_N_MASK | U_GC_S_MASK | U_GC_ME_MASK;
  if (code_point < 0 || code_point == '|') return false;
  return (U_GET_GC_MASK(code_point) & kinds) != 0 ||
         u_hasBinaryProperty(code_point, UCHAR_EXTENDED_PICTOGRAPHIC);
}

bool is_word(std::string_view run) {
  for (std::int64_t position = 0; position < std::ssize(run);) {
    if (carries_meaning(next_code_point(run, position))) return true;
  }
  return false;
}

// An iterator is costly to make and must not be shared: one for each thread.
icu::BreakIterator& word_iterator() {
  thread_local const std::unique_ptr<icu::BreakIterator> iterator = [] {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::BreakIterator> made(
        icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), status));
    check(status, "load its word boundaries");
    return made;
  }();
  return *iterator;
}

std::string normalise_valid(std::string_view text, Case letters) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* form = letters == Case::fold
                                     ? icu::Normalizer2::getNFKCCasefoldInstance(status)
                                     : icu::Normalizer2::getNFKCInstance(status);
  check(status, "load its normalisation");
  std::string normal;
  const int size = static_cast<int>(text.size());
  icu::StringByteSink<std::string> sink(&normal, size);
  form->normalizeUTF8(0, {text.data(), size}, sink, nullptr, status);
  check(status, "normalise a text");
  return single_spaced(normal);
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  for (std::int64_t position = 0; position < std::ssize(text);) {
    if (next_code_point(text, position) < 0) return false;
  }
  return true;
}

std::string repair_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::int64_t position = 0, start = 0; position < std::ssize(text); start = position) {
    const bool valid = next_code_point(text, position) >= 0;
    result += valid ? text.substr(start, position - start) : std::string_view("\uFFFD");
  }
  return result;
}

std::string_view cut_utf8(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  const std::string_view kept = text.substr(0, max_bytes);
  const std::string_view end = kept.substr(max_bytes - std::min<std::size_t>(max_bytes, 4));
  int length = static_cast<int>(end.size());
  U8_TRUNCATE_IF_INCOMPLETE(end.data(), 0, length);
  return kept.substr(0, kept.size() - end.size() + static_cast<std::size_t>(length));
}

std::string normalise(std::string_view text, Case letters) {
  check_size(text, kMaxNormaliseBytes);
  // ICU lets invalid bytes through.
  return is_valid_utf8(text) ? normalise_valid(text, letters)
                             : normalise_valid(repair_utf8(text), letters);
}

std::vector<std::string> words(std::string_view normalised, std::size_t max_words) {
  check_size(normalised, kMaxWordsBytes);
  std::vector<std::string> result;
  UErrorCode status = U_ZERO_ERROR;
  const icu::LocalUTextPointer text(utext_openUTF8(
      nullptr, normalised.data(), static_cast<std::int64_t>(normalised.size()), &status));
  icu::BreakIterator& boundaries = word_iterator();
  boundaries.setText(text.getAlias(), status);
  check(status, "read a text");
  std::int32_t start = boundaries.first();
  while (result.size() < max_words) {
    const std::int32_t end = boundaries.next();
    if (end == icu::BreakIterator::DONE) break;
    const std::string_view run = normalised.substr(start, end - start);
    if (is_word(run)) result.emplace_back(run);
    start = end;
  }
  return result;
}

Casing casing(std::string_view word) {
  int capitals = 0, small = 0;
  for (std::int64_t position = 0; position < std::ssize(word);) {
    const UChar32 code_point = next_code_point(word, position);
    if (code_point < 0) continue;
    capitals += u_isUUppercase(code_point) || u_istitle(code_point);
    small += u_isULowercase(code_point);
  }
  if (capitals == 0) return Casing::lower;
  return capitals > 1 && small == 0 ? Casing::capitals : Casing::capitalised;
}

std::string writing_system(std::string_view text) {
  std::map<UScriptCode, int> letters;
  for (std::int64_t position = 0; position < std::ssize(text);) {
    const UChar32 code_point = next_code_point(text, position);
    UErrorCode status = U_ZERO_ERROR;
    if (code_point >= 0 && u_isalpha(code_point)) ++letters[uscript_getScript(code_point, &status)];
  }
  // Japanese mixes three scripts, of which two are its own.
  const int kana = letters[USCRIPT_HIRAGANA] + letters[USCRIPT_KATAKANA];
  if (kana > 0) letters[USCRIPT_HAN] += kana;
  const auto most =
      std::max_element(letters.begin(), letters.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most->second == 0) return "";
  if (most->first == USCRIPT_HAN) return kana > 0 ? "Japanese" : "Chinese";
  return most->first == USCRIPT_HANGUL ? "Korean" : uscript_getName(most->first);
}

std::vector<std::string_view> code_points(std::string_view text) {
  std::vector<std::string_view> result;
  for (std::int64_t position = 0, start = 0; position < std::ssize(text); start = position) {
    next_code_point(text, position);
    result.push_back(text.substr(start, position - start));
  }
  return result;
}

}  // namespace diptych
