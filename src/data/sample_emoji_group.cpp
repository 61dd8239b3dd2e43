#include "data/sample_emoji_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace diptych {
namespace {

constexpr char32_t kJoiner = U'\u200D';
constexpr char32_t kEmojiPresentation = U'\uFE0F';
constexpr char32_t kAdult = U'\U0001F9D1';
constexpr char32_t kChild = U'\U0001F9D2';
constexpr char32_t kSanta = U'\U0001F385';
constexpr char32_t kTree = U'\U0001F384';
constexpr char32_t kFamily = U'\U0001F46A';
constexpr char32_t kHoldingHands = U'\U0001F46B';

// Where Unicode gave each gender a code point of its own (newer emoji join a gender sign instead):
// variant, then the thing it is a variant of.
constexpr std::array<std::pair<char32_t, char32_t>, 16> kVariants = {{
    {U'\U0001F468', kAdult},
    {U'\U0001F469', kAdult},  // man, woman
    {U'\U0001F471', kAdult},
    {U'\U0001F9D4', kAdult},  // blond hair, beard
    {U'\U0001F466', kChild},
    {U'\U0001F467', kChild},  // boy, girl
    {U'\U0001F474', U'\U0001F9D3'},
    {U'\U0001F475', U'\U0001F9D3'},  // old man, old woman
    {U'\U0001F934', U'\U0001FAC5'},
    {U'\U0001F478', U'\U0001FAC5'},  // prince, princess
    {U'\U0001F930', U'\U0001FAC4'},
    {U'\U0001FAC3', U'\U0001FAC4'},  // pregnant woman, man
    {U'\U0001F46C', kHoldingHands},
    {U'\U0001F46D', kHoldingHands},  // two men, two women
    {U'\U0001F936', kSanta},         // Mrs. Claus
    {U'\U0001F57A', U'\U0001F483'},  // man dancing, woman dancing
}};

// What two people together are, by the code point that stands between them.
constexpr std::array<std::pair<char32_t, char32_t>, 3> kPairs = {{
    {U'\U0001F48B', U'\U0001F48F'},  // kiss; has a heart too, so it comes first
    {U'\u2764', U'\U0001F491'},      // couple with heart
    {U'\U0001F91D', kHoldingHands},
}};

// Joined to a sequence, these change how a thing looks, not what it is.
bool is_variation(char32_t code_point) {
  return code_point == U'\u2640' || code_point == U'\u2642' ||            // woman, man
         (code_point >= U'\U0001F9B0' && code_point <= U'\U0001F9B3') ||  // hair
         code_point == U'\u27A1' || code_point == U'\u2B1B';              // facing right, black
}

bool is_skin_tone(char32_t code_point) {
  return code_point >= U'\U0001F3FB' && code_point <= U'\U0001F3FF';
}

char32_t thing(char32_t code_point) {
  const auto* found = std::find_if(kVariants.begin(), kVariants.end(),
                                   [&](const auto& pair) { return pair.first == code_point; });
  return found == kVariants.end() ? code_point : found->second;
}

std::u32string without_variation(std::u32string_view code_points) {
  std::u32string kept;
  for (std::size_t i = 0; i < code_points.size(); ++i) {
    const bool joined = i > 0 && code_points[i - 1] == kJoiner;
    const char32_t code_point = code_points[i];
    if (code_point == kJoiner || code_point == kEmojiPresentation) continue;
    if (is_skin_tone(code_point) || (joined && is_variation(code_point))) continue;
    kept += thing(code_point);
  }
  return kept;
}

}  // namespace

std::string hex_name(std::u32string_view code_points) {
  std::string name;
  for (const char32_t code_point : code_points) {
    name += fmt::format("{}{:x}", name.empty() ? "" : "-", static_cast<std::uint32_t>(code_point));
  }
  return name;
}

std::string emoji_group(std::u32string_view code_points) {
  const std::u32string things = without_variation(code_points);
  if (things == std::u32string{kAdult, kTree}) return hex_name({&kSanta, 1});
  const auto people = std::count_if(things.begin(), things.end(),
                                    [](char32_t c) { return c == kAdult || c == kChild; });
  if (people < 2) return hex_name(things);
  for (const auto& [between, pair] : kPairs) {
    if (things.find(between) != std::u32string::npos) return hex_name({&pair, 1});
  }
  return hex_name({&kFamily, 1});
}

}  // namespace diptych
