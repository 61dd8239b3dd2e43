// How to read the page, and the record: which rows were used, with what settings, made by what.
#include <algorithm>
#include <cmath>

#include "report/sections.h"
#include "report/svg.h"

namespace diptych::report {
namespace {

Markup fact_list(const TextPairs& facts, std::string_view style) {
  Markup out;
  for (const auto& [key, value] : facts) {
    out += element(
        "div", {},
        element("dt", {}, isolated(shortened(key, 80))) +
            element("dd", {{"title", shortened(value, 300)}}, isolated(shortened(value, 120))));
  }
  return element("dl", {{"class", "facts " + std::string(style)}}, out);
}

Markup rows_table(const Results& results) {
  const double used = results.rows_used;
  double total = results.rows_read;
  if (!std::isfinite(total)) {
    total = std::isfinite(used) ? used : 0;
    for (const auto& [reason, number] : results.skipped) total += number;
  }
  Markup rows;
  if (std::isfinite(used)) rows += count_row("neutral", "used", used, total);
  for (const auto& [reason, number] : results.skipped) {
    rows += count_row("skipped", "skipped: " + reason, number, total);
  }
  if (rows.empty()) return {};
  return element("h3", {}, plural(total, "row", "rows") + " read") +
         element("table", {{"class", "rows"}}, element("tbody", {}, rows));
}

Markup folded(const std::string& words, const Markup& inner) {
  return element("details", {}, element("summary", {}, words) + inner);
}

std::string runs_words(std::size_t runs) {
  if (runs < 2) {
    return "The rows were split once into rows to learn from and rows to test on. A single split "
           "cannot show how much another one would differ: take the interval as the least doubt "
           "there is, and repeat with more seeds to be sure.";
  }
  return "The rows were split " + std::to_string(runs) +
         " times into rows to learn from and rows to test on. In each run every recipe learned "
         "from the same rows and answered the same test rows, so only their inputs differ.";
}

}  // namespace

Markup count_row(std::string_view style, const std::string& what, double number, double total) {
  const double share = total > 0 ? std::clamp(number / total, 0.0, 1.0) : 0;
  const Markup drawn = bar("track", {0, 6}, {100, 14}) +
                       bar("amount " + std::string(style), {0, 6}, {share * 100, 14});
  return element("tr", {},
                 element("th", {{"scope", "row"}, {"dir", "auto"}}, shortened(what, 90)) +
                     element("td", {{"class", "drawn"}}, plot(20, what, drawn)) +
                     element("td", {{"class", "number"}}, count(number)) +
                     element("td", {{"class", "number muted"}}, percent(share)));
}

Section reading_section(const Results& results) {
  Section section{"reading", "How to read this", "How to read this", {}, {}};
  if (results.runs() == 0) return section;
  Markup out = paragraph(runs_words(results.runs()));
  out += paragraph(
      "The bar of a difference is its 95\u202F% interval: the values that fit what was seen. "
      "Wholly right of zero, the first recipe is better by more than the luck of the split "
      "explains; across zero, these rows cannot tell, which is not the same as no difference.");
  out += paragraph(
      "p says how often a difference at least this large would turn up if there were none. The "
      "verdict rests on one comparison chosen beforehand, the accuracy of image + text against "
      "image only; Holm's p is for reading the other comparisons together.");
  if (!results.test.empty()) {
    out += element("p", {{"class", "test"}}, escaped("The test: ") + isolated(results.test));
  }
  section.body = element("div", {{"class", "prose"}}, out);
  return section;
}

Section record_section(const Results& results) {
  Section section{"record", "Record", "Rows, settings and origin", {}, {}};
  section.body = rows_table(results);
  if (!results.provenance.empty()) {
    section.body += element("h3", {}, "Origin") + fact_list(results.provenance, "origin");
  }
  if (!results.config.empty()) {
    section.body += folded("Settings (" + std::to_string(results.config.size()) + ")",
                           fact_list(results.config, "settings"));
  }
  return section;
}

}  // namespace diptych::report
