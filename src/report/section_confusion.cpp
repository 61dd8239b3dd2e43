// Confusion matrices, and the mistakes that the text removes or adds.
#include <algorithm>
#include <cmath>

#include "report/plots.h"
#include "report/sections.h"

namespace diptych::report {
namespace {

constexpr std::size_t kMostSideBySide = 10;  // classes; more need a matrix of the page's width
constexpr std::size_t kMistakesListed = 5;   // of each kind
constexpr std::size_t kMostTabs = 4;         // as many as style.cpp provides for

std::vector<const RecipeResult*> with_matrix(const Results& results) {
  std::vector<const RecipeResult*> found;
  for (const RecipeResult& recipe : results.recipes) {
    if (!recipe.confusion.empty() && found.size() < kMostTabs) found.push_back(&recipe);
  }
  return found;
}

Markup matrix_figure(const Results& results, const RecipeResult& recipe, double width) {
  HeatMap map{"Confusion matrix of " + recipe_title(recipe.name), recipe_style(recipe.name),
              results.classes, recipe.confusion, width};
  return element("figure", {{"class", "matrix-figure"}},
                 element("figcaption", {}, recipe_name(recipe.name)) +
                     element("div", {{"class", "scroll"}}, heat_map(map)));
}

Markup side_by_side(const Results& results, const std::vector<const RecipeResult*>& recipes) {
  Markup out;
  const double width = std::min(110 + 62.0 * static_cast<double>(results.classes.size()), 350.0);
  for (const RecipeResult* recipe : recipes) out += matrix_figure(results, *recipe, width);
  return element("div", {{"class", "panels"}}, out);
}

// Radio buttons and style sheet alone: the page has no script.
Markup tabs(const Results& results, const std::vector<const RecipeResult*>& recipes) {
  const double width =
      std::clamp(28.0 * static_cast<double>(results.classes.size()), 620.0, 1040.0);
  Markup buttons;
  Markup panels;
  for (std::size_t i = 0; i < recipes.size(); ++i) {
    const std::string id = "matrix-" + std::to_string(i);
    const bool chosen = i + 1 == recipes.size();
    buttons += element(
        "input",
        {{"type", "radio"}, {"name", "matrix"}, {"id", id}, {"checked", chosen ? "checked" : ""}});
    buttons += element("label", {{"for", id}}, recipe_name(recipes[i]->name));
    panels += matrix_figure(results, *recipes[i], width);
  }
  return element("div", {{"class", "tabs"}},
                 buttons + element("div", {{"class", "pages"}}, panels));
}

struct Mistake {
  std::size_t truth, answer;
  double before, after;
  double change() const { return after - before; }
};

std::vector<Mistake> mistakes(const RecipeResult& image, const RecipeResult& fused) {
  std::vector<Mistake> found;
  for (std::size_t truth = 0; truth < image.confusion.size(); ++truth) {
    for (std::size_t answer = 0; answer < image.confusion.size(); ++answer) {
      const Mistake mistake{truth, answer, image.confusion[truth][answer],
                            fused.confusion[truth][answer]};
      if (truth != answer && std::abs(mistake.change()) > 0) found.push_back(mistake);
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Mistake& a, const Mistake& b) { return a.change() < b.change(); });
  return found;
}

Markup mistake_row(const Results& results, const Mistake& mistake, double most) {
  const Scale scale{0, most};
  const double y = 14;
  const double before = scale.percent(mistake.before);
  const double after = scale.percent(mistake.after);
  Markup inner = line("tick", {0, y}, {100, y});
  inner += line(mistake.change() < 0 ? "link rise" : "link fall", {before, y}, {after, y});
  inner += marker("mean image", {before, y}, 5.5, "image only: " + count(mistake.before));
  inner += marker("mean fused", {after, y}, 5.5, "image + text: " + count(mistake.after));
  const std::string& truth = results.classes[mistake.truth];
  const std::string& answer = results.classes[mistake.answer];
  const Markup names = isolated(shortened(truth, 26)) +
                       element("span", {{"class", "muted"}}, " taken for ") +
                       isolated(shortened(answer, 26));
  const std::string change = signed_decimal(mistake.change(), 0);
  return element(
      "tr", {},
      element("th", {{"scope", "row"}}, names) +
          element("td", {{"class", "drawn"}}, plot(28, truth + " taken for " + answer, inner)) +
          element("td", {{"class", "number"}},
                  count(mistake.before) + " → " + count(mistake.after)) +
          element("td", {{"class", mistake.change() < 0 ? "number rise" : "number fall"}}, change));
}

Markup mistake_table(const Results& results, const std::vector<Mistake>& shown,
                     std::string_view title) {
  if (shown.empty()) return {};
  double most = 1;
  for (const Mistake& mistake : shown) most = std::max({most, mistake.before, mistake.after});
  Markup rows;
  for (const Mistake& mistake : shown) rows += mistake_row(results, mistake, most);
  return element("div", {},
                 element("h3", {}, title) +
                     element("table", {{"class", "mistakes"}}, element("tbody", {}, rows)));
}

Markup changed_mistakes(const Results& results) {
  const RecipeResult* image = results.recipe("image");
  const RecipeResult* fused = results.recipe("image,text");
  if (image == nullptr || fused == nullptr) return {};
  if (image->confusion.empty() || fused->confusion.empty()) return {};
  std::vector<Mistake> fewer = mistakes(*image, *fused);
  std::vector<Mistake> more(fewer.rbegin(), fewer.rend());
  std::erase_if(fewer, [](const Mistake& mistake) { return mistake.change() > 0; });
  std::erase_if(more, [](const Mistake& mistake) { return mistake.change() < 0; });
  if (fewer.size() > kMistakesListed) fewer.resize(kMistakesListed);
  if (more.size() > kMistakesListed) more.resize(kMistakesListed);
  const Markup lists = mistake_table(results, fewer, "Mistakes the text removes") +
                       mistake_table(results, more, "Mistakes the text adds");
  return lists.empty() ? lists : element("div", {{"class", "two"}}, lists);
}

}  // namespace

Section confusion_section(const Results& results) {
  Section section{"confusion", "Confusion", "What is taken for what", {}, {}};
  const auto recipes = with_matrix(results);
  if (recipes.empty()) return section;
  section.lead = paragraph(
      "Each row is a true class, each column an answer; the darker a cell, the greater its share "
      "of "
      "the row, in per cent. The diagonal is right. Point at a cell for its count over all runs.");
  section.body = results.classes.size() <= kMostSideBySide ? side_by_side(results, recipes)
                                                           : tabs(results, recipes);
  section.body += changed_mistakes(results);
  return section;
}

}  // namespace diptych::report
