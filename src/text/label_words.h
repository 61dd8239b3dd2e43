// Which labels a text gives away: the words of a label, at word boundaries, in any case and in
// their common forms (English endings, Korean particles).
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace diptych {

// What the common forms of a word share: "Cats" and "cat's" as "cat", "baking" and "bakes" as
// "bake". No word of a dictionary; equal for words that are to count as equal. word: folded.
std::string word_stem(std::string_view word);

class LabelWords {
 public:
  // A label says one thing or several: "Animals & Nature" is given away by "animal" and by
  // "natural" not, but by "nature"; "hot dog" only by both words, one after the other. Words with
  // digits do not count: labels that are numbers are never given away.
  explicit LabelWords(std::span<const std::string> labels);

  // Whether the label has words at all.
  bool has_words(std::size_t label) const;
  // The labels that the text holds, ascending. text: any bytes.
  std::vector<std::size_t> found_in(std::string_view text) const;
  // The text's words without those of any label; the text itself when it holds none.
  std::string masked(std::string_view text) const;

 private:
  struct Phrase {
    std::size_t label;
    std::vector<std::string> stems;
  };
  struct Place {
    std::size_t word, count, label;
  };
  std::vector<Place> places(std::span<const std::string> words) const;

  std::unordered_map<std::string, std::vector<Phrase>> phrases_;  // by their first stem
  std::vector<bool> has_words_;
};

}  // namespace diptych
