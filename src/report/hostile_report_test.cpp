// Data that means harm or makes no sense: the page shows it as text, or shows a gap.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "report/made_up_results.h"
#include "report/parsed_page.h"

namespace diptych {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

TEST(ReportPage, ForbidsByItsPolicyEverythingItDoesNotNeed) {
  const auto document = parsed(render_report(made_up_results({}), made_up_report({})));
  const std::string policy = document.select_node("//meta[@http-equiv='Content-Security-Policy']")
                                 .node()
                                 .attribute("content")
                                 .value();
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(policy, HasSubstr("img-src data:"));
  EXPECT_THAT(policy, Not(HasSubstr("script-src")));
  expect_harmless(document);
}

constexpr std::string_view kHostile =
    "<script>alert(1)</script>\"' onload='x' ]]> --> </style></title></svg><img src=x onerror=y>"
    " javascript:alert(2) &amp; \x01\x1b[31m\x7f \xff\xfe \xed\xa0\x80 \u202Eevil\u202C "
    "https://e.example/";

json hostile_results(const std::string& hostile) {
  MadeUp made_up;
  made_up.classes = {"plain", hostile, "\u0627\u0644\u0639\u0631\u0628\u064A\u0629", ""};
  json results = made_up_results(made_up);
  results["recipes"][hostile] = results["recipes"]["image"];
  results["pairs"].push_back(results["pairs"][0]);
  results["pairs"].back()["b"] = hostile;
  results["verdict"] = {{"text", hostile}, {"sentence", hostile}};
  results["test"] = hostile;
  results["leaks"][hostile] = {
      {"title", hostile}, {"sentence", hostile}, {"accuracy", {{hostile, 0.5}}}, {"rows", hostile}};
  results["rows"]["skipped"][hostile] = 3;
  results["config"][hostile] = hostile;
  results["provenance"] = {{"created", hostile}, {"diptych", hostile}, {hostile, hostile}};
  return results;
}

Report hostile_report(const std::string& hostile) {
  Report report{hostile, {{hostile, 1, 1, {{1, 0.5, 1, 0.5, 1}, {2, 0.6, 0.9, 0.55, 0.95}}}}, {}};
  report.gallery.push_back({hostile, hostile, hostile, hostile, 0.5, hostile, 0.5, hostile, true});
  report.gallery.push_back({hostile, hostile, hostile, hostile, 0.5, hostile, 0.5, "", false});
  return report;
}

TEST(ReportPage, ShowsHostileTextAsTextWhereverItStands) {
  const std::string hostile(kHostile);
  const std::string page = render_report(hostile_results(hostile), hostile_report(hostile));
  const auto document = parsed(page);
  expect_harmless(document);
  EXPECT_EQ(count_of(document, "//img"), 1u);
  EXPECT_EQ(count_of(document, "//title[not(ancestor::svg)]"), 1u);
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("\u202E")));
  for (const char byte : {'\x01', '\x1b', '\x7f', '\xff', '\xfe'}) {
    EXPECT_EQ(page.find(byte), std::string::npos) << static_cast<int>(byte);
  }
  EXPECT_THAT(visible_text(document.select_node("//li[@class='card']").node()),
              HasSubstr("<script>alert(1)</script>\"' onload='x' ]]> -->"));
}

// Each piece of results.json replaced by each kind of nonsense: a page with gaps, never a crash.
TEST(ReportPage, StandsForResultsWithPartsMissingOrOfTheWrongType) {
  const json whole = made_up_results({});
  const Report report = made_up_report({});
  const std::vector<json> nonsense{nullptr,
                                   -1,
                                   "words",
                                   json::array(),
                                   json::object(),
                                   json::array({1, nullptr, "x"}),
                                   {{"mean", "x"}, {"image", 3}}};
  const json paths = whole.flatten();
  std::set<std::string> parents;
  for (const auto& [path, value] : paths.items()) {
    for (json::json_pointer at(path); !at.empty(); at = at.parent_pointer()) {
      if (at.to_string().find("/4") == std::string::npos) parents.insert(at.to_string());
    }
  }
  std::size_t turn = 0;
  for (const std::string& path : parents) {
    json broken = whole;
    broken[json::json_pointer(path)] = nonsense[turn++ % nonsense.size()];
    parsed(render_report(broken, report));
  }
  for (const json& value : nonsense) parsed(render_report(value, {}));
}

TEST(ReportPage, StandsNumbersBeyondAllBounds) {
  for (const double extreme : {1e300, -1e300, 1e-300, double(INFINITY), double(NAN)}) {
    json results = made_up_results({});
    Report report = made_up_report({});
    results["pairs"][0]["difference"] = extreme;
    results["recipes"]["image"]["accuracy"] = {{"mean", extreme}, {"low", 2 * extreme}};
    results["recipes"]["image"]["log_loss"]["per_seed"] = {extreme, extreme * 1.0000000000000002};
    results["recipes"]["image"]["confusion"][0][1] = extreme;
    results["seconds"] = extreme;
    report.curves[0].points[3].train_loss = extreme;
    report.gallery[0].image_probability = extreme;
    const auto document = parsed(render_report(results, report));
    expect_harmless(document);
    const std::string text = visible_text(document.document_element());
    EXPECT_THAT(text, Not(HasSubstr("nan")));
    EXPECT_THAT(text, Not(HasSubstr("inf")));
  }
}

}  // namespace
}  // namespace diptych
