// Pictures whose answer the text changed: for the better, then for the worse.
#include <algorithm>
#include <cmath>

#include "report/sections.h"
#include "report/svg.h"

namespace diptych::report {
namespace {

constexpr std::size_t kShownAtOnce = 12;
constexpr std::size_t kMostText = 600;  // characters; the style clamps what is shown further
constexpr std::size_t kMostTitle = 300;

Markup answer(const char* recipe, const std::string& said, double probability, bool right) {
  Markup inner =
      element("span", {{"class", right ? "sign right" : "sign wrong"}}, right ? "✓" : "✗");
  inner += element("span", {{"class", "who"}}, recipe_name(recipe));
  inner += element("span", {{"class", "said"}, {"title", shortened(said, kMostTitle)}},
                   isolated(shortened(said, 40)));
  inner += element("span", {{"class", "hidden"}}, right ? " (right) " : " (wrong) ");
  if (std::isfinite(probability)) {
    const double width = std::clamp(probability, 0.0, 1.0) * 100;
    inner += element("span", {{"class", "sure"}}, percent(probability, 0));
    inner += plot(
        4, "probability",
        bar("track", {0, 0}, {100, 4}) + bar("amount " + recipe_style(recipe), {0, 0}, {width, 4}));
  }
  return element("div", {{"class", "answer"}}, inner);
}

Markup card(const GalleryItem& item) {
  Markup words = element("p", {{"class", "label"}},
                         element("span", {{"class", "muted"}}, "true class ") +
                             element("b", {}, isolated(shortened(item.label, 40))));
  if (item.text.empty()) {
    words += element("p", {{"class", "text muted"}}, "no text");
  } else {
    words += element(
        "p", {{"class", "text"}, {"dir", "auto"}, {"title", shortened(item.text, kMostTitle)}},
        shortened(item.text, kMostText));
  }
  words +=
      answer("image", item.image_answer, item.image_probability, item.image_answer == item.label);
  words += answer("image,text", item.fused_answer, item.fused_probability,
                  item.fused_answer == item.label);
  words +=
      element("p", {{"class", "id"}, {"dir", "auto"}, {"title", shortened(item.id, kMostTitle)}},
              shortened(item.id, 60));
  return element(
      "li", {{"class", "card"}},
      framed_pictures({item.png}, item.id) + element("div", {{"class", "card-words"}}, words));
}

Markup cards(const std::vector<const GalleryItem*>& items, std::size_t first, std::size_t last) {
  Markup out;
  for (std::size_t i = first; i < last; ++i) out += card(*items[i]);
  return element("ul", {{"class", "cards"}}, out);
}

Markup group(const std::vector<GalleryItem>& gallery, bool gained) {
  std::vector<const GalleryItem*> items;
  for (const GalleryItem& item : gallery) {
    if (item.gained == gained) items.push_back(&item);
  }
  if (items.empty()) return {};
  const char* heading =
      gained ? "The text turned a wrong answer right" : "The text turned a right answer wrong";
  const std::size_t shown = std::min(items.size(), kShownAtOnce);
  Markup out = element("h3", {}, heading) + cards(items, 0, shown);
  if (shown < items.size()) {
    const std::string words = std::to_string(items.size() - shown) + " more";
    out +=
        element("details", {}, element("summary", {}, words) + cards(items, shown, items.size()));
  }
  return out;
}

}  // namespace

Markup framed_pictures(const std::vector<std::string>& pngs, const std::string& name) {
  Markup images;
  for (const std::string& png : pngs) {
    if (png.empty()) continue;
    images += element(
        "img",
        {{"src", data_uri(png)}, {"alt", "picture " + shortened(name, 80)}, {"loading", "lazy"}});
  }
  if (images.empty()) return element("div", {{"class", "picture none"}}, "no picture");
  return element("div", {{"class", pngs.size() > 1 ? "picture several" : "picture"}}, images);
}

Section gallery_section(const std::vector<GalleryItem>& gallery) {
  Section section{"gallery", "Pictures", "Where the text changed the answer", {}, {}};
  section.lead = paragraph(
      "Test rows with the text that came with them, what each recipe answered and how sure it was. "
      "These are examples, chosen because the answers differ; the scores above count every row.");
  section.body = group(gallery, true) + group(gallery, false);
  return section;
}

}  // namespace diptych::report
