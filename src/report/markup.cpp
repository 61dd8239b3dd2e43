#include "report/markup.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace diptych::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr char32_t kInvalid = 0xFFFFFFFF;

struct CodePoint {
  char32_t value = kInvalid;
  std::size_t bytes = 1;  // how many were taken: 1 when invalid
};

// The code point at text[at]; overlong forms, surrogates and truncated sequences are invalid.
CodePoint decode(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + length > text.size()) return {};
  char32_t value = lead & (0xFF >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[at + i]);
    if ((byte & 0xC0) != 0x80) return {};
    value = (value << 6) | (byte & 0x3F);
  }
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kLeast[length] || surrogate || value > 0x10FFFF) return {};
  return {value, length};
}

bool is_printable(char32_t value) {
  if (value < 0x20) return value == '\t' || value == '\n' || value == '\r';
  const bool control = value >= 0x7F && value <= 0x9F;
  const bool noncharacter = (value & 0xFFFE) == 0xFFFE || (value >= 0xFDD0 && value <= 0xFDEF);
  return value != kInvalid && !control && !noncharacter;
}

bool overrides_direction(char32_t value) {
  return (value >= 0x202A && value <= 0x202E) || (value >= 0x2066 && value <= 0x2069);
}

void append_escaped(std::string& out, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode(text, at);
    switch (point.value) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (!is_printable(point.value)) {
          out += kReplacement;
        } else if (!overrides_direction(point.value)) {
          out += text.substr(at, point.bytes);
        }
    }
    at += point.bytes;
  }
}

bool has_no_content(std::string_view tag) {
  constexpr std::array<std::string_view, 4> kVoid{"meta", "img", "input", "br"};
  return std::find(kVoid.begin(), kVoid.end(), tag) != kVoid.end();
}

}  // namespace

Markup escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  append_escaped(out, text);
  return Markup::trusted(out);
}

Markup element(std::string_view tag, Attributes attributes, const Markup& inner) {
  std::string out = "<";
  out += tag;
  for (const Attribute& attribute : attributes) {
    if (attribute.value.empty() && attribute.name != "alt") continue;
    out += ' ';
    out += attribute.name;
    out += "=\"";
    append_escaped(out, attribute.value);
    out += '"';
  }
  if (has_no_content(tag)) return Markup::trusted(out + " />");
  out += '>';
  out += inner.str();
  out += "</";
  out += tag;
  out += '>';
  return Markup::trusted(out);
}

Markup element(std::string_view tag, Attributes attributes, std::string_view text) {
  return element(tag, attributes, escaped(text));
}

Markup isolated(std::string_view text) { return element("bdi", {}, text); }

std::string shortened(std::string_view text, std::size_t characters) {
  std::size_t at = 0;
  std::size_t last = 0;  // where the last character that is kept begins
  for (std::size_t count = 0; at < text.size(); ++count) {
    if (count == characters) return std::string(text.substr(0, last)) + "…";
    last = at;
    at += decode(text, at).bytes;
  }
  return std::string(text);
}

std::string data_uri(std::string_view png) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out = "data:image/png;base64,";
  out.reserve(out.size() + (png.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < png.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = (group << 8) | (at + i < png.size() ? static_cast<unsigned char>(png[at + i]) : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += at + i > png.size() ? '=' : kDigits[(group >> (18 - 6 * i)) & 63];
    }
  }
  return out;
}

}  // namespace diptych::report
