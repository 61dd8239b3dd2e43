#include "report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "report/made_up_results.h"
#include "report/parsed_page.h"

namespace diptych {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string page_of(const MadeUp& made_up) {
  return render_report(made_up_results(made_up), made_up_report(made_up));
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

TEST(ReportPage, ScoresAgainWithoutWhatShouldNotHaveBeenKnown) {
  json results = made_up_results({});
  results["leaks"]["copies"] = {{"title", "Without copies"},
                                {"rows", 12},
                                {"of", 1870},
                                {"accuracy", {{"image", 0.5}, {"image,text", 0.75}}},
                                {"verdict", "helps"},
                                {"sentence", "The text helps: +25.0 points."}};
  results["recipes"]["image"]["accuracy"]["mean"] = 0.6;
  const auto document = parsed(render_report(results, {}));
  EXPECT_EQ(count_of(document, "//section[@id='leaks']//tbody/tr"), 3u);
  const std::string text = visible_text(document.select_node("//section[@id='leaks']").node());
  EXPECT_THAT(text, testing::AllOf(HasSubstr("12 of 1,870"), HasSubstr("50.0\u202F%"),
                                   HasSubstr("\u221210.0 points"),
                                   HasSubstr("The text helps: +25.0 points.")));
  EXPECT_EQ(count_of(parsed(render_report(made_up_results({}), {})), "//section[@id='leaks']"), 0u);
  results["leaks"] = {{"copies", 7}};
  EXPECT_EQ(count_of(parsed(render_report(results, {})), "//section[@id='leaks']"), 1u);
}

}  // namespace
}  // namespace diptych
