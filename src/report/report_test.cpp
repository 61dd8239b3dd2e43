#include "report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <set>

#include "report/made_up_results.h"

namespace diptych {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string page_of(const MadeUp& made_up) {
  return render_report(made_up_results(made_up), made_up_report(made_up));
}

// Every page must be well-formed XML, so that no element is left open whatever the data.
pugi::xml_document parsed(const std::string& page) {
  pugi::xml_document document;
  const auto result = document.load_buffer(page.data(), page.size(), pugi::parse_full);
  EXPECT_TRUE(result) << result.description() << " near: " << page.substr(result.offset, 120);
  return document;
}

std::string visible_text(const pugi::xml_node& node) {
  std::string text;
  for (const auto& found : node.select_nodes(".//text()[not(ancestor::style)]")) {
    text += std::string(found.node().value()) + "\n";
  }
  return text;
}

std::size_t count_of(const pugi::xml_document& document, const char* path) {
  return document.select_nodes(path).size();
}

// Nothing is fetched, nothing can run: whatever the data says.
void expect_harmless(const pugi::xml_document& document) {
  const std::set<std::string> forbidden{"script", "iframe", "object", "embed", "link",
                                        "base",   "form",   "use",    "image", "a:href"};
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
    EXPECT_THAT(style, Not(HasSubstr(fetch)));
  }
}

TEST(ReportPage, LeadsWithTheVerdictAndTheDifferenceBehindIt) {
  const MadeUp made_up;
  const json results = made_up_results(made_up);
  const auto document = parsed(page_of(made_up));
  const std::string headline = visible_text(document.select_node("//h1").node());
  EXPECT_THAT(headline, HasSubstr("The text helps"));
  EXPECT_THAT(headline, HasSubstr("points of accuracy"));
  EXPECT_STREQ(document.select_node("//header").node().attribute("class").value(), "verdict helps");
  EXPECT_EQ(count_of(document, "//figure[@class='difference']//svg[@class='mark dot']"), 5u);
  EXPECT_EQ(count_of(document, "//svg[@class='squares']/rect"), 100u);
}

TEST(ReportPage, ShowsEveryScoreOfEveryRecipeWithItsInterval) {
  MadeUp made_up;
  json results = made_up_results(made_up);
  results["recipes"]["text"]["macro_f1"] = {{"mean", 0.4321}, {"low", 0.4099}, {"high", 0.4501}};
  results["recipes"]["text"]["seconds"] = 3725;
  const auto document = parsed(render_report(results, {}));
  EXPECT_EQ(count_of(document, "//table[@class='scores']/tbody/tr"), 3u);
  EXPECT_EQ(count_of(document, "//table[@class='scores']/tbody/tr/td"), 15u);
  const std::string text =
      visible_text(document.select_node("//table[@class='scores']/tbody/tr[2]").node());
  for (const char* part : {"text only", "43.2\u202F%", "41.0 to 45.0", "1\u202Fh 2\u202Fmin"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(ReportPage, MarksTheBestMeanOfAColumnAlsoWhereLessIsBetter) {
  json results = made_up_results({});
  for (const char* recipe : {"image", "text", "image,text"}) {
    results["recipes"][recipe]["log_loss"]["mean"] = 0.9;
  }
  results["recipes"]["text"]["log_loss"]["mean"] = 0.125;
  const auto document = parsed(render_report(results, {}));
  const auto best = document.select_nodes(
      "//table[@class='scores']//td[@data-label='Log loss']/span[@class='value best']");
  ASSERT_EQ(best.size(), 1u);
  EXPECT_STREQ(best[0].node().child_value(), "0.125");
}

TEST(ReportPage, DrawsEveryPairWithItsTestAndItsRuns) {
  json results = made_up_results({});
  results["pairs"][0]["p"] = 0.00004;
  results["pairs"][0]["p_holm"] = 0.0123;
  const auto document = parsed(render_report(results, {}));
  const auto rows = document.select_nodes("//table[@class='forest']/tbody/tr[td/@data-label]");
  ASSERT_EQ(rows.size(), 9u);
  const std::string first = visible_text(rows[0].node());
  EXPECT_THAT(first, HasSubstr("image + text"));
  EXPECT_THAT(first, HasSubstr("<\u202F0.001"));
  EXPECT_THAT(first, HasSubstr("0.012"));
  EXPECT_THAT(first, HasSubstr("run 5: "));
  EXPECT_THAT(first, HasSubstr("McNemar p 0.004"));
  EXPECT_EQ(count_of(document, "//tr[@class='declared']"), 1u);
}

// Two pairs of one metric, one above and one below zero: the marker right of the zero line must be
// the one that is better.
TEST(ReportPage, PutsTheBetterRecipeOnTheRightAlsoWhereLessIsBetter) {
  json results = made_up_results({});
  results["pairs"] = json::array();
  for (const double difference : {-0.5, 0.25}) {
    results["pairs"].push_back({{"a", difference < 0 ? "image,text" : "text"},
                                {"b", "image"},
                                {"metric", "log_loss"},
                                {"difference", difference}});
  }
  const auto document = parsed(render_report(results, {}));
  const auto x_of = [&](const char* style) {
    const std::string path =
        "//table[@class='forest']//svg[@class='mark mean " + std::string(style) + "']";
    return document.select_node(path.c_str()).node().attribute("x").as_double();
  };
  const double zero = document.select_node("//table[@class='forest']//line[@class='zero']")
                          .node()
                          .attribute("x1")
                          .as_double();
  EXPECT_GT(x_of("fused"), zero);
  EXPECT_LT(x_of("text"), zero);
}

TEST(ReportPage, DrawsTrainingAndValidationForEachRecipeOnSharedAxes) {
  const auto document = parsed(page_of({}));
  EXPECT_EQ(count_of(document, "//section[@id='training']//figure"), 6u);
  EXPECT_EQ(count_of(document, "//section[@id='training']//path[starts-with(@class,'curve')]"),
            12u);
  EXPECT_EQ(count_of(document, "//section[@id='training']//path[starts-with(@class,'band')]"), 12u);
  std::set<std::string> axes;
  for (const auto& panels : document.select_nodes("//section[@id='training']//figure")) {
    std::string labels;
    for (const auto& label : panels.node().select_nodes(".//text[@class='tick-label']")) {
      labels += label.node().child_value() + std::string(" ");
    }
    axes.insert(labels);
  }
  EXPECT_EQ(axes.size(), 2u);  // one for accuracy, one for loss
}

TEST(ReportPage, SortsTheClassesByTheirGain) {
  MadeUp made_up;
  made_up.classes = {"lower", "top", "middle"};
  json results = made_up_results(made_up);
  results["pairs"][0]["per_class"] = {{"lower", -0.125}, {"top", 0.5}, {"middle", nullptr}};
  results["recipes"]["image,text"]["recall"]["middle"] = nullptr;
  const auto document = parsed(render_report(results, {}));
  std::vector<std::string> names;
  std::string gains;
  for (const auto& row : document.select_nodes("//table[@class='classes']/tbody/tr[th]")) {
    names.push_back(row.node().child("th").child_value());
    gains += row.node().select_node("td[2]").node().child_value() + std::string(" ");
  }
  EXPECT_THAT(names, testing::ElementsAre("top", "lower", "middle"));
  EXPECT_EQ(gains, "+50.0 \u221212.5 – ");
}

TEST(ReportPage, NormalisesTheConfusionMatrixByRowAndNamesItsCounts) {
  MadeUp made_up;
  made_up.classes = {"cat", "dog"};
  made_up.recipes = {"image"};
  json results = made_up_results(made_up);
  results["recipes"]["image"]["confusion"] = json::parse("[[30, 10], [0, 1200]]");
  const auto document = parsed(render_report(results, {}));
  const std::string text =
      visible_text(document.select_node("//svg[@class='matrix image']").node());
  EXPECT_THAT(text, HasSubstr("cat taken for dog: 10 of 40 (25\u202F%)"));
  EXPECT_THAT(text, HasSubstr("dog recognised: 1,200 of 1,200 (100\u202F%)"));
  EXPECT_THAT(text, Not(HasSubstr("dog taken for cat")));  // an empty cell is not drawn
  std::vector<std::string> shades;
  for (const auto& rect : document.select_nodes("//svg[@class='matrix image']/g/rect")) {
    shades.emplace_back(rect.node().attribute("fill-opacity").value());
  }
  EXPECT_THAT(shades, testing::ElementsAre("0.76", "0.29", "1"));
}

TEST(ReportPage, LeavesOutAConfusionMatrixThatDoesNotFitTheClasses) {
  json results = made_up_results({});
  for (const char* recipe : {"image", "text", "image,text"}) {
    results["recipes"][recipe]["confusion"][2] = {1, 2};
  }
  EXPECT_EQ(count_of(parsed(render_report(results, {})), "//section[@id='confusion']"), 0u);
}

TEST(ReportPage, ShowsTheGalleryInTwoPartsWithPictureTextAndBothAnswers) {
  const auto document = parsed(page_of({}));
  EXPECT_EQ(count_of(document, "//section[@id='gallery']/ul[1]/li"), 6u);
  EXPECT_EQ(count_of(document, "//section[@id='gallery']/ul[2]/li"), 3u);
  EXPECT_EQ(count_of(document, "//li[@class='card']//img"), 9u);
  const auto card = document.select_node("//section[@id='gallery']/ul[1]/li[1]").node();
  const std::string text = visible_text(card);
  for (const char* part : {"words of row 0", "Animals", "Food", "50\u202F%", "75\u202F%"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_STREQ(card.select_node(".//span[starts-with(@class,'sign')]").node().child_value(), "✗");
}

TEST(ReportPage, RecordsRowsSettingsAndOrigin) {
  const auto document = parsed(page_of({}));
  const std::string text = visible_text(document.select_node("//section[@id='record']").node());
  for (const char* part :
       {"1,870 rows read", "1,831", "skipped: unreadable image", "27", "learning-rate", "0.002",
        "data_digest", "5f0c2f4e8a7d4c0b9e1a3d5f7b9c1e3a", "torch", "2.13.0"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(ReportPage, SaysWhatTheTestIs) {
  const std::string text =
      visible_text(parsed(page_of({})).select_node("//section[@id='reading']").node());
  EXPECT_THAT(text, HasSubstr("Nadeau and Bengio"));
  EXPECT_THAT(text, HasSubstr("split 5 times"));
}

TEST(ReportPage, ForbidsByItsPolicyEverythingItDoesNotNeed) {
  const auto document = parsed(page_of({}));
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

class PageOfSize : public testing::TestWithParam<std::tuple<int, int, int>> {};

TEST_P(PageOfSize, IsWellFormedAndHoldsEveryClass) {
  const auto [classes, runs, epochs] = GetParam();
  MadeUp made_up;
  made_up.classes.clear();
  for (int i = 0; i < classes; ++i) made_up.classes.push_back("분류 " + std::to_string(i));
  made_up.runs = runs;
  made_up.epochs = epochs;
  const std::string page = page_of(made_up);
  const auto document = parsed(page);
  expect_harmless(document);
  EXPECT_EQ(count_of(document, "//table[@class='classes']/tbody/tr[th]"),
            static_cast<std::size_t>(classes));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_THAT(page, Not(HasSubstr("inf%")));
  EXPECT_LT(page.size(), 5u << 20);
}

INSTANTIATE_TEST_SUITE_P(Sizes, PageOfSize,
                         testing::Values(std::tuple{2, 1, 1}, std::tuple{10, 2, 3},
                                         std::tuple{25, 5, 60}, std::tuple{100, 20, 200}));

TEST(ReportPage, LeavesOutTheComparisonWhenARecipeIsMissing) {
  MadeUp made_up;
  made_up.recipes = {"image"};
  const auto document = parsed(page_of(made_up));
  EXPECT_EQ(count_of(document, "//figure[@class='difference']"), 0u);
  EXPECT_EQ(count_of(document, "//section[@id='differences']"), 0u);
  EXPECT_EQ(count_of(document, "//a[@href='#differences']"), 0u);
  EXPECT_EQ(count_of(document, "//table[@class='scores']/tbody/tr"), 1u);
}

TEST(ReportPage, CallsAnUnclearDifferenceByItsName) {
  MadeUp made_up;
  made_up.gain = 0.004;
  const auto document = parsed(page_of(made_up));
  EXPECT_STREQ(document.select_node("//header").node().attribute("class").value(),
               "verdict unclear");
  EXPECT_THAT(visible_text(document.select_node("//h1").node()), HasSubstr("No clear gain"));
}

TEST(ReportPage, LeavesOutTheGalleryWhenItIsEmptyAndClampsLongTexts) {
  Report report = made_up_report({});
  report.gallery.resize(1);
  report.gallery[0].text = std::string(1 << 20, 'a');
  const std::string page = render_report(made_up_results({}), report);
  EXPECT_LT(page.size(), 1u << 20);
  EXPECT_THAT(page, HasSubstr("aaa…"));
  report.gallery.clear();
  EXPECT_EQ(
      count_of(parsed(render_report(made_up_results({}), report)), "//section[@id='gallery']"), 0u);
}

TEST(ReportPage, GivesEachRecipeItsOwnColourAndMarkerThroughout) {
  const auto document = parsed(page_of({}));
  std::set<std::string> shapes;
  for (const char* style : {"image", "text", "fused"}) {
    const std::string path = "//svg[@class='icon mark " + std::string(style) + "']/path";
    std::set<std::string> drawn;
    for (const auto& found : document.select_nodes(path.c_str())) {
      drawn.insert(found.node().attribute("d").value());
    }
    EXPECT_EQ(drawn.size(), 1u) << style;
    shapes.insert(drawn.begin(), drawn.end());
  }
  EXPECT_EQ(shapes.size(), 3u);
}

TEST(ReportPage, NamesEveryPictureForScreenReaders) {
  const auto document = parsed(page_of({}));
  EXPECT_EQ(count_of(document, "//svg[@role='img'][not(@aria-label)]"), 0u);
  EXPECT_EQ(count_of(document, "//svg[not(ancestor::svg)][not(@role)][not(@aria-hidden)]"), 0u);
  EXPECT_EQ(count_of(document, "//img[not(@alt)]"), 0u);
  EXPECT_EQ(count_of(document, "//thead/tr/th[not(@scope)]"), 0u);
}

}  // namespace
}  // namespace diptych
