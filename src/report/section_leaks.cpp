// The scores again, without what the models should not have known.
#include <algorithm>

#include "report/sections.h"

namespace diptych::report {
namespace {

Markup table(const Results& results) {
  Markup head = element("th", {{"scope", "col"}}, "Learns from") +
                element("th", {{"scope", "col"}, {"class", "number"}}, "Accuracy");
  for (const LeakResult& leak : results.leaks) {
    const std::string size = count(leak.rows) + " of " + count(leak.of);
    head += element("th", {{"scope", "col"}, {"class", "number"}},
                    isolated(leak.title) + element("small", {}, size));
  }
  Markup rows;
  for (const RecipeResult& recipe : results.recipes) {
    const double mean = recipe.accuracy().mean;
    Markup cells = element("th", {{"scope", "row"}}, recipe_name(recipe.name)) +
                   element("td", {{"class", "number"}}, percent(mean));
    for (const LeakResult& leak : results.leaks) {
      const auto found = std::find_if(leak.accuracy.begin(), leak.accuracy.end(),
                                      [&](const auto& row) { return row.first == recipe.name; });
      const double without = found == leak.accuracy.end() ? kUnknown : found->second;
      cells += element("td", {{"class", "number"}},
                       escaped(percent(without)) +
                           element("span", {{"class", "range"}},
                                   difference_text(measurement("accuracy"), without - mean)));
    }
    rows += element("tr", {}, cells);
  }
  return element("table", {},
                 element("thead", {}, element("tr", {}, head)) + element("tbody", {}, rows));
}

}  // namespace

Section leaks_section(const Results& results) {
  Section section{"leaks", "Leaks", "Without what should not have been known", {}, {}};
  if (results.leaks.empty() || results.recipes.empty()) return section;
  section.lead = paragraph(
      "The same trained models, scored again: without test rows of which a copy was learnt from, "
      "and with texts from which the words of labels were taken. diptych inspect shows the rows.");
  Markup sentences;
  for (const LeakResult& leak : results.leaks) {
    sentences += element("p", {}, isolated(leak.title) + escaped(": ") + isolated(leak.sentence));
  }
  section.body = table(results) + element("div", {{"class", "prose"}}, sentences);
  return section;
}

}  // namespace diptych::report
