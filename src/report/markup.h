// Markup that data cannot forge: a string becomes Markup only by being escaped, or by being a
// literal of the program. The result is well formed as HTML and as XML, UTF-8, without control
// bytes.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>

namespace diptych::report {

class Markup {
 public:
  Markup() = default;
  // Markup the program wrote itself; never anything that came from a file or a user.
  static Markup trusted(std::string_view literal) { return Markup(std::string(literal)); }
  Markup& operator+=(const Markup& other) {
    html_ += other.html_;
    return *this;
  }
  const std::string& str() const { return html_; }
  bool empty() const { return html_.empty(); }

 private:
  explicit Markup(std::string html) : html_(std::move(html)) {}
  std::string html_;
};

inline Markup operator+(Markup left, const Markup& right) { return left += right; }

struct Attribute {
  std::string_view name;
  std::string value;  // escaped when written; an empty value leaves the attribute out (save alt)
};
using Attributes = std::initializer_list<Attribute>;

// Text as markup: & < > " ' are escaped; invalid UTF-8, control bytes and noncharacters become
// U+FFFD; marks that override the direction of what follows are dropped.
Markup escaped(std::string_view text);

// <tag attributes>inner</tag>, or <tag attributes /> for tags without content.
Markup element(std::string_view tag, Attributes attributes, const Markup& inner = {});
Markup element(std::string_view tag, Attributes attributes, std::string_view text);

// Text from the dataset in a run of its own, so that its direction never leaks into the page.
Markup isolated(std::string_view text);

// The first `characters` code points, with "…" in place of the rest.
std::string shortened(std::string_view text, std::size_t characters);

// "data:image/png;base64,…"
std::string data_uri(std::string_view png);

}  // namespace diptych::report
