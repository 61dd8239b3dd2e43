// For the tests: a page as a tree, and the check that nothing in it can run or call out.
#pragma once
#include <gmock/gmock.h>

#include <pugixml.hpp>
#include <set>
#include <string>

namespace diptych {

// Every page must be well-formed XML, so that no element is left open whatever the data.
inline pugi::xml_document parsed(const std::string& page) {
  pugi::xml_document document;
  const auto result = document.load_buffer(page.data(), page.size(), pugi::parse_full);
  EXPECT_TRUE(result) << result.description() << " near: " << page.substr(result.offset, 120);
  return document;
}

inline std::string visible_text(const pugi::xml_node& node) {
  std::string text;
  for (const auto& found : node.select_nodes(".//text()[not(ancestor::style)]")) {
    text += std::string(found.node().value()) + "\n";
  }
  return text;
}

inline std::size_t count_of(const pugi::xml_document& document, const char* path) {
  return document.select_nodes(path).size();
}

// Nothing is fetched, nothing can run: whatever the data says.
inline void expect_harmless(const pugi::xml_document& document) {
  const std::set<std::string> forbidden{"script", "iframe", "object", "embed", "link",
                                        "base",   "form",   "use",    "image"};
  for (const auto& found : document.select_nodes("//*")) {
    EXPECT_EQ(forbidden.count(found.node().name()), 0u) << found.node().name();
    for (const auto& attribute : found.node().attributes()) {
      const std::string name = attribute.name();
      const std::string value = attribute.value();
      EXPECT_NE(name.substr(0, 2), "on") << name;
      EXPECT_TRUE(name != "src" || value.starts_with("data:image/png;base64,")) << value;
      EXPECT_TRUE(name != "href" || value.starts_with("#")) << value;
      EXPECT_NE(name, "style");
    }
  }
  const std::string style = document.select_node("//style").node().child_value();
  for (const char* fetch : {"url(", "@import", "//", "expression("}) {
    EXPECT_THAT(style, testing::Not(testing::HasSubstr(fetch)));
  }
}

}  // namespace diptych
