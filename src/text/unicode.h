// UTF-8 and Unicode by ICU: validity, normalisation (NFKC and case folding), words (UAX 29).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace diptych {

bool is_valid_utf8(std::string_view text);
// Invalid sequences become U+FFFD (one per maximal subpart).
std::string repair_utf8(std::string_view text);
// At most max_bytes, never inside a character (code point). A view into text.
std::string_view cut_utf8(std::string_view text, std::size_t max_bytes);
enum class Case { fold, keep };
// NFKC, with case folding (ICU's nfkc_cf) or without; white space runs to one space, trimmed. text:
// any bytes, repaired on the way. Throws Error{data} beyond 100 MB.
std::string normalise(std::string_view text, Case letters = Case::fold);
// Words by UAX 29 for any script (dictionary-based where the script has no spaces); runs with no
// letter, digit or symbol (white space, punctuation, the separator '|') are left out, emoji are
// kept. Stops after max_words. Any bytes are safe; thread-safe. Throws Error{data} beyond 2 GB.
std::vector<std::string> words(std::string_view normalised, std::size_t max_words = SIZE_MAX);
// How a word is written: without capitals (all scripts that have none), with some, or with nothing
// else, which takes two letters to tell. Any bytes are safe.
enum class Casing { lower, capitalised, capitals };
Casing casing(std::string_view word);
// The writing system of most letters, by the language where it belongs to one: "Latin", "Cyrillic",
// "Korean", "Japanese", "Chinese", "Thai"; empty without letters. Any bytes are safe.
std::string writing_system(std::string_view text);
// Code points of a valid text, each as UTF-8, as views into it. Any bytes are safe.
std::vector<std::string_view> code_points(std::string_view text);

}  // namespace diptych
