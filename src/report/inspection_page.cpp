#include "report/inspection_page.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "report/sections.h"

namespace diptych {
namespace {

using nlohmann::json;
using report::element;
using report::isolated;
using report::Markup;
using report::Section;
using report::shortened;

constexpr std::size_t kShownCases = 12, kShownPictures = 4, kMostText = 300;

struct Rows {
  const Dataset& dataset;
  std::unordered_map<std::int64_t, std::size_t> place;  // by number
};

Markup banner(const json& inspection, const std::string& title) {
  const std::size_t findings = inspection["findings"].size();
  const json& rows = inspection["rows"];
  Markup words = element("p", {{"class", "dataset"}, {"dir", "auto"}}, shortened(title, 120));
  const std::string claim =
      findings == 0 ? "Nothing found" : report::plural(findings, "finding", "findings");
  words += element(
      "h1", {},
      element("span", {{"class", "claim"}}, claim) +
          element("span", {{"class", "exact"}}, "What may spoil a comparison, the worst first"));
  words += element("p", {{"class", "facts-line"}},
                   report::plural(rows["read"].get<double>(), "row", "rows") + " read, " +
                       report::count(rows["usable"].get<double>()) + " usable, " +
                       report::plural(inspection["classes"].size(), "class", "classes"));
  return element("header", {{"class", "verdict"}}, element("div", {}, words));
}

Markup counts(const json& numbers, const char* heading) {
  std::vector<std::pair<double, std::string>> sorted;
  double total = 0;
  for (const auto& [name, number] : numbers.items()) {
    sorted.emplace_back(number.get<double>(), name);
    total += number.get<double>();
  }
  std::sort(sorted.rbegin(), sorted.rend());
  Markup rows;
  for (const auto& [number, name] : sorted)
    rows += report::count_row("neutral", name, number, total);
  if (rows.empty()) return {};
  return element("h3", {}, heading) +
         element("table", {{"class", "rows"}}, element("tbody", {}, rows));
}

Markup spread(const json& of, const std::string& what) {
  if (of.is_null()) return {};
  const auto number = [&](const char* key) { return report::count(of[key].get<double>()); };
  return report::paragraph(what + ": " + number("least") + " to " + number("most") + ", median " +
                           number("median"));
}

Section overview(const json& inspection) {
  Section section{"data", "The data", "What the data is", {}, {}};
  json classes, named;
  for (const json& row : inspection["classes"]) {
    const auto name = row["name"].get<std::string>();
    classes[name] = row["rows"];
    if (row["label_in_text"] > 0) named[name] = row["label_in_text"];
  }
  const json &pictures = inspection["pictures"], &texts = inspection["texts"];
  section.body =
      counts(classes, "Classes") + counts(named, "Rows whose text names their class") +
      counts(pictures["formats"], "Pictures") + spread(pictures["width"], "Width in pixels") +
      spread(pictures["height"], "Height in pixels") + counts(texts["writing"], "Texts") +
      spread(texts["characters"], "Length in characters");
  return section;
}

// What is said of one row of a case.
Markup row_words(const Example& row, const std::vector<std::string>& classes) {
  Markup out;
  if (!row.labels.empty()) {
    const auto& label = classes[static_cast<std::size_t>(row.labels.front())];
    out += element("p", {{"class", "label"}}, element("b", {}, isolated(shortened(label, 40))));
  }
  if (!row.text.empty()) {
    out += element("p", {{"class", "text"}, {"dir", "auto"}}, shortened(row.text, kMostText));
  }
  const std::string id = "row " + std::to_string(row.row) + ": " + shortened(row.id, 60);
  return out += element("p", {{"class", "id"}, {"dir", "auto"}}, id);
}

Section finding_section(const Finding& finding, const Rows& rows,
                        const std::function<std::string(const Example&)>& png) {
  const FindingRow& kind = finding_table()[static_cast<std::size_t>(finding.kind)];
  const auto total = static_cast<double>(finding.rows);
  Section section{kind.key,
                  kind.title,
                  std::string(kind.title) + ": " + report::plural(total, "row", "rows"),
                  {},
                  {}};
  section.lead = report::paragraph(kind.meaning);
  Markup cards;
  for (std::size_t i = 0; i < std::min(finding.cases.size(), kShownCases); ++i) {
    const FindingCase& one = finding.cases[i];
    std::vector<std::string> pngs;
    Markup words;
    if (!one.note.empty()) words += element("p", {{"dir", "auto"}}, shortened(one.note, kMostText));
    for (std::int64_t number : one.rows) {
      const auto place = rows.place.find(number);
      if (place == rows.place.end() || pngs.size() == kShownPictures) continue;
      const Example row = rows.dataset[place->second];
      pngs.push_back(png(row));
      words += row_words(row, rows.dataset.classes());
    }
    cards += element("li", {{"class", "card"}},
                     report::framed_pictures(pngs, kind.title) +
                         element("div", {{"class", "card-words"}}, words));
  }
  section.body = element("ul", {{"class", "cards"}}, cards);
  if (finding.cases.size() > kShownCases) {
    const double more = static_cast<double>(finding.cases.size() - kShownCases);
    section.body += report::paragraph("And " + report::count(more) + " more: see --json.");
  }
  return section;
}

}  // namespace

std::string render_inspection(const Inspection& inspection, const std::string& title,
                              const std::function<std::string(const Example&)>& png) {
  const json facts = to_json(inspection);
  Rows rows{inspection.dataset, {}};
  const auto& numbers = inspection.dataset.columns().numbers;
  for (std::size_t i = 0; i < numbers.size(); ++i) rows.place[numbers[i]] = i;
  std::vector<Section> sections;
  for (const Finding& finding : inspection.findings) {
    sections.push_back(finding_section(finding, rows, png));
  }
  sections.push_back(overview(facts));
  return report::page(title, {banner(facts, title), sections,
                              element("footer", {}, "Made by Diptych " DIPTYCH_VERSION ".")});
}

}  // namespace diptych
