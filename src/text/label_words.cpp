#include "text/label_words.h"

#include <algorithm>
#include <array>
#include <set>

#include "text/unicode.h"

namespace diptych {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kIrregular{{
    {"men", "man"},
    {"women", "woman"},
    {"children", "child"},
    {"mice", "mouse"},
    {"geese", "goose"},
    {"feet", "foot"},
    {"teeth", "tooth"},
    {"people", "person"},
    {"oxen", "ox"},
    {"wives", "wife"},
    {"lives", "life"},
}};

constexpr std::array<std::string_view, 27> kParticles{
    "은",   "는",   "이",   "가",   "을",   "를",   "의",   "에",   "와",
    "과",   "도",   "로",   "들",   "만",   "랑",   "에서", "에게", "으로",
    "이랑", "들이", "들은", "들의", "들을", "이다", "부터", "까지", "처럼"};

// What stands between the things that one label says.
constexpr std::string_view kSeparators = ",;|/&+()[]";
const std::set<std::string> kConjunctions{"and", "or", "와", "과", "및"};
const std::set<std::string> kArticles{"the", "a", "an"};

bool drop_ending(std::string& word, std::string_view ending) {
  if (!word.ends_with(ending)) return false;
  word.resize(word.size() - ending.size());
  return true;
}

bool ends_with_any(std::string_view word, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return word.ends_with(ending); });
}

void drop_plural(std::string& word) {
  if (word.size() > 4 && drop_ending(word, "ies")) {
    word += 'y';
  } else if (ends_with_any(word, {"ses", "xes", "zes", "ches", "shes"})) {
    drop_ending(word, "es");
  } else if (!ends_with_any(word, {"ss", "us", "is"})) {
    drop_ending(word, "s");
  }
}

bool is_vowel(char c) { return std::string_view("aeiouy").find(c) != std::string_view::npos; }

void drop_verb_ending(std::string& word) {
  for (const std::string_view ending : {"ing", "ed"}) {
    if (!word.ends_with(ending) || word.size() < ending.size() + 3) continue;
    const std::string rest = word.substr(0, word.size() - ending.size());
    if (std::none_of(rest.begin(), rest.end(), is_vowel)) continue;
    word = rest;
    // "baking" comes from "bake": from "bak" it would have been "bakking".
    if (rest.size() == 3 && is_vowel(rest[1]) && !is_vowel(rest[0]) &&
        !ends_with_any(rest, {"a", "e", "i", "o", "u", "w", "x", "y"})) {
      word += 'e';
    }
    return;
  }
}

std::string spaced(std::string_view text) {
  std::string result(text);
  std::replace(result.begin(), result.end(), '_', ' ');
  return result;
}

bool has_digit(std::string_view word) {
  return word.find_first_of("0123456789") != std::string_view::npos;
}

// The words of each thing that a label says, as stems.
std::vector<std::vector<std::string>> things(const std::string& label) {
  std::vector<std::vector<std::string>> result;
  std::string rest = normalise(spaced(label));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of(kSeparators), rest.size());
    result.emplace_back();
    for (const std::string& word : words(std::string_view(rest).substr(0, end))) {
      if (kConjunctions.contains(word)) {
        result.emplace_back();
      } else if (!kArticles.contains(word) && !has_digit(word)) {
        result.back().push_back(word_stem(word));
      }
    }
    rest.erase(0, std::min(end + 1, rest.size()));
  }
  std::erase_if(result, [](const std::vector<std::string>& stems) {
    return stems.empty() || (stems.size() == 1 && stems[0].size() < 2);
  });
  return result;
}

// A word's stem, and what is left of it without one Korean particle.
std::vector<std::string> forms(const std::string& word) {
  const std::string folded = normalise(word);
  std::vector<std::string> result{word_stem(folded)};
  for (const std::string_view particle : kParticles) {
    if (folded.size() > particle.size() && folded.ends_with(particle)) {
      result.push_back(folded.substr(0, folded.size() - particle.size()));
    }
  }
  return result;
}

}  // namespace

std::string word_stem(std::string_view word) {
  std::string stem(word);
  for (const std::string_view possessive : {"'s", "\u2019s", "s'", "s\u2019"}) {
    if (drop_ending(stem, possessive)) break;
  }
  const auto ascii = [](char c) { return c >= 'a' && c <= 'z'; };
  if (!std::all_of(stem.begin(), stem.end(), ascii)) return stem;
  for (const auto& [form, singular] : kIrregular) {
    if (stem == form) stem = singular;
  }
  if (stem.size() > 3) drop_plural(stem);
  drop_verb_ending(stem);
  if (stem.size() > 4) drop_ending(stem, "e");
  const std::size_t size = stem.size();
  if (size > 3 && stem[size - 1] == stem[size - 2]) stem.pop_back();  // "running", and "fall"
  if (stem.size() > 3 && drop_ending(stem, "v")) stem += 'f';         // "wolves"
  return stem;
}

LabelWords::LabelWords(std::span<const std::string> labels) {
  for (std::size_t label = 0; label < labels.size(); ++label) {
    const auto said = things(labels[label]);
    has_words_.push_back(!said.empty());
    for (const auto& stems : said) phrases_[stems.front()].push_back({label, stems});
  }
}

bool LabelWords::has_words(std::size_t label) const { return has_words_.at(label); }

std::vector<LabelWords::Place> LabelWords::places(std::span<const std::string> words) const {
  std::vector<std::vector<std::string>> all;
  for (const std::string& word : words) all.push_back(forms(word));
  const auto stands_at = [&](const Phrase& phrase, std::size_t at) {
    if (at + phrase.stems.size() > all.size()) return false;
    for (std::size_t i = 0; i < phrase.stems.size(); ++i) {
      const auto& found = all[at + i];
      if (std::find(found.begin(), found.end(), phrase.stems[i]) == found.end()) return false;
    }
    return true;
  };
  std::vector<Place> result;
  for (std::size_t at = 0; at < all.size(); ++at) {
    for (const std::string& form : all[at]) {
      const auto phrases = phrases_.find(form);
      if (phrases == phrases_.end()) continue;
      for (const Phrase& phrase : phrases->second) {
        if (stands_at(phrase, at)) result.push_back({at, phrase.stems.size(), phrase.label});
      }
    }
  }
  return result;
}

std::vector<std::size_t> LabelWords::found_in(std::string_view text) const {
  std::set<std::size_t> labels;
  for (const Place& place : places(words(normalise(spaced(text), Case::keep)))) {
    labels.insert(place.label);
  }
  return {labels.begin(), labels.end()};
}

std::string LabelWords::masked(std::string_view text) const {
  const std::vector<std::string> all = words(normalise(spaced(text), Case::keep));
  const std::vector<Place> found = places(all);
  if (found.empty()) return std::string(text);
  std::vector<bool> hidden(all.size());
  for (const Place& place : found) {
    std::fill_n(hidden.begin() + static_cast<std::ptrdiff_t>(place.word), place.count, true);
  }
  std::string result;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!hidden[i]) result += (result.empty() ? "" : " ") + all[i];
  }
  return result;
}

}  // namespace diptych
