// Names as shells write several of them at once: {000..012} and {a,b}.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "data/layout.h"

namespace diptych {
namespace {

constexpr std::size_t kMostNames = 1'000'000;

bool read_digits(std::string_view text, std::int64_t& value) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && code == std::errc() && end == text.data() + text.size() && value >= 0;
}

[[noreturn]] void refuse_many(const std::string& pattern) {
  throw Error(ErrorKind::data, fmt::format("names more than {} files", kMostNames), pattern);
}

// "000..012" or "a,b"; empty when it is neither.
std::vector<std::string> choices_of(const std::string& inside, const std::string& pattern) {
  std::vector<std::string> choices;
  std::int64_t first = 0, last = 0;
  const std::size_t dots = inside.find("..");
  if (dots != std::string::npos && read_digits(std::string_view(inside).substr(0, dots), first) &&
      read_digits(std::string_view(inside).substr(dots + 2), last)) {
    if (last - first >= static_cast<std::int64_t>(kMostNames)) refuse_many(pattern);
    for (std::int64_t i = first; i <= last; ++i) {
      choices.push_back(fmt::format("{:0{}}", i, static_cast<int>(dots)));
    }
  } else if (inside.find(',') != std::string::npos) {
    for (std::size_t begin = 0; begin <= inside.size();) {
      const std::size_t end = std::min(inside.find(',', begin), inside.size());
      choices.push_back(inside.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return choices;
}

}  // namespace

std::vector<std::string> expand_braces(const std::string& pattern) {
  const std::size_t open = pattern.find('{');
  const std::size_t close = open == std::string::npos ? open : pattern.find('}', open);
  if (close == std::string::npos) return {pattern};
  const auto choices = choices_of(pattern.substr(open + 1, close - open - 1), pattern);
  if (choices.empty()) return {pattern};
  const auto ends = expand_braces(pattern.substr(close + 1));
  if (choices.size() * ends.size() > kMostNames) refuse_many(pattern);
  std::vector<std::string> names;
  for (const std::string& choice : choices) {
    for (const std::string& end : ends) names.push_back(pattern.substr(0, open) + choice + end);
  }
  return names;
}

}  // namespace diptych
