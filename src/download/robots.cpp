#include "download/robots.h"

#include <algorithm>
#include <array>
#include <string>

namespace diptych {
namespace {

constexpr std::array<std::string_view, 5> kForbidding = {"noai", "noimageai", "noindex",
                                                         "noimageindex", "none"};
// A colon after one of these does not make it the name of a robot.
constexpr std::array<std::string_view, 4> kWithValue = {"unavailable_after", "max-snippet",
                                                        "max-image-preview", "max-video-preview"};

std::string_view stripped(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

template <typename List>
bool is_among(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

bool robots_disallow(std::string_view value, std::string_view agent) {
  std::string lower(value);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  bool for_us = true;
  for (std::string_view rest = lower; !rest.empty();) {
    const auto comma = std::min(rest.find(','), rest.size());
    std::string_view directive = stripped(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (const auto colon = directive.find(':'); colon != std::string_view::npos) {
      const std::string_view name = stripped(directive.substr(0, colon));
      if (is_among(kWithValue, name)) continue;
      for_us = name == agent || name == "*";
      directive = stripped(directive.substr(colon + 1));
    }
    if (for_us && is_among(kForbidding, directive)) return true;
  }
  return false;
}

}  // namespace diptych
