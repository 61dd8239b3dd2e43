// UTF-8 and Unicode by ICU: validity, normalisation (NFKC + case folding), word boundaries (UAX 29).
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace diptych {

bool is_valid_utf8(std::string_view text);
// Invalid sequences become U+FFFD (one per maximal subpart).
std::string repair_utf8(std::string_view text);
// At most max_bytes, never inside a character.
std::string_view cut_utf8(std::string_view text, std::size_t max_bytes);
// NFKC and case folding (ICU's nfkc_cf), white space runs to one space, trimmed.
std::string normalise(std::string_view text);
// Words by UAX 29 for any script (dictionary-based where the script has no spaces); runs with no
// letter, digit or symbol (white space, punctuation) are left out, emoji are kept.
std::vector<std::string> words(std::string_view normalised);
// Code points of a valid text, each as UTF-8.
std::vector<std::string_view> code_points(std::string_view text);

}  // namespace diptych
