// Names as shells write several of them at once: {000..012} and {a,b}.
#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "base/error.h"
#include "data/layout.h"

namespace diptych {
namespace {

constexpr std::int64_t kMostNames = 1'000'000;

// The choices between the braces of one pair; none when shells would leave them alone.
std::vector<std::string> choices_of(const std::string& inside, const std::string& pattern) {
  static const std::regex kNumbers(R"((\d{1,18})\.\.(\d{1,18}))");
  std::vector<std::string> choices;
  std::smatch numbers;
  if (!std::regex_match(inside, numbers, kNumbers)) {
    return inside.find(',') == std::string::npos ? choices : split_at(inside, ",");
  }
  const std::int64_t first = std::stoll(numbers[1]), last = std::stoll(numbers[2]);
  if (last - first >= kMostNames) {
    throw Error(ErrorKind::data, fmt::format("names more than {} files", kMostNames), pattern);
  }
  for (std::int64_t i = first; i <= last; ++i) {
    choices.push_back(fmt::format("{:0{}}", i, static_cast<int>(numbers[1].length())));
  }
  return choices;
}

}  // namespace

std::vector<std::string> expand_braces(const std::string& pattern) {
  const std::size_t open = pattern.find('{'), close = pattern.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {pattern};
  const auto choices = choices_of(pattern.substr(open + 1, close - open - 1), pattern);
  if (choices.empty()) return {pattern};
  const auto ends = expand_braces(pattern.substr(close + 1));
  if (std::ssize(choices) * std::ssize(ends) > kMostNames) {
    throw Error(ErrorKind::data, fmt::format("names more than {} files", kMostNames), pattern);
  }
  std::vector<std::string> names;
  for (const std::string& choice : choices) {
    for (const std::string& end : ends) names.push_back(pattern.substr(0, open) + choice + end);
  }
  return names;
}

}  // namespace diptych
