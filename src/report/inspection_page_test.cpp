#include "report/inspection_page.h"

#include <gmock/gmock.h>

#include "report/parsed_page.h"

namespace diptych {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Dataset rows(const std::string& text, const std::string& label, std::size_t count = 40) {
  std::vector<Example> examples;
  for (std::size_t i = 0; i < count; ++i) {
    Example example;
    example.id = "picture " + std::to_string(i);
    example.text = text;
    example.labels = {static_cast<int>(i % 2)};
    example.row = static_cast<std::int64_t>(i) + 1;
    examples.push_back(std::move(example));
  }
  return {std::move(examples), {label, "other"}};
}

// As if every kind had been found.
Inspection with_all_findings(const Dataset& dataset, const std::string& note) {
  Inspection inspection;
  inspection.dataset = dataset;
  inspection.pictures.facts.resize(dataset.size());
  inspection.pictures.facts[0] = {64, 48, ImageFormat::png, false, {}};
  inspection.classes = {{dataset.classes()[0], 20, 5}, {"other", 20, 0}};
  for (const FindingRow& row : finding_table()) {
    inspection.findings.push_back({row.kind, 3, {{{1, 2}, note}, {{3}, ""}, {{999}, "gone"}}});
  }
  return inspection;
}

TEST(InspectionPage, HasASectionForEachFindingWithItsPictures) {
  const Inspection inspection = with_all_findings(rows("some words", "cat"), "a note");
  const auto document = parsed(
      render_inspection(inspection, "pets", [](const Example& row) { return "png" + row.id; }));
  expect_harmless(document);
  EXPECT_THAT(document.select_node("//h1").node().child("span").child_value(),
              HasSubstr("18 findings"));
  for (const FindingRow& row : finding_table()) {
    const std::string section = "//section[@id='" + std::string(row.key) + "']";
    EXPECT_EQ(count_of(document, (section + "//li").c_str()), 3u) << row.key;
    EXPECT_EQ(count_of(document, (section + "//img").c_str()), 3u) << row.key;
    EXPECT_EQ(count_of(document, ("//nav/a[@href='#" + std::string(row.key) + "']").c_str()), 1u);
    EXPECT_THAT(visible_text(document.select_node(section.c_str()).node()),
                AllOf(HasSubstr("a note"), HasSubstr("some words"), HasSubstr("cat"),
                      HasSubstr("row 2: picture 1"), HasSubstr("gone"), HasSubstr(row.meaning)));
  }
  EXPECT_THAT(visible_text(document.select_node("//section[@id='data']").node()),
              AllOf(HasSubstr("PNG"), HasSubstr("Latin"), HasSubstr("Width in pixels: 64 to 64")));
}

TEST(InspectionPage, AsksForNoMorePicturesThanItShows) {
  Inspection inspection = with_all_findings(rows("", "cat"), "");
  inspection.findings.resize(1);
  inspection.findings[0].cases.assign(5000, {{1, 2, 3, 4, 5, 6, 7, 8}, ""});
  int asked = 0;
  const auto document = parsed(render_inspection(inspection, "pets", [&](const Example&) {
    ++asked;
    return std::string();
  }));
  EXPECT_LE(asked, 48);
  EXPECT_THAT(visible_text(document.select_node("//main").node()), HasSubstr("And 4,988 more"));
}

TEST(InspectionPage, SaysSoWhenThereIsNothingToShow) {
  Inspection inspection;
  const std::string page = render_inspection(inspection, "", [](const Example&) { return ""; });
  const auto document = parsed(page);
  expect_harmless(document);
  EXPECT_THAT(visible_text(document), HasSubstr("Nothing found"));
}

TEST(InspectionPage, ShowsHostileTextAsTextWhereverItStands) {
  const std::string hostile =
      "<script>alert(1)</script>\"' onload='x' ]]> --> </style><img src=x onerror=y> "
      "javascript:alert(2) \x01\x1b[31m \u202Eevil";
  const Inspection inspection = with_all_findings(rows(hostile, hostile), hostile);
  const std::string page =
      render_inspection(inspection, hostile, [](const Example&) { return "p"; });
  const auto document = parsed(page);
  expect_harmless(document);
  EXPECT_THAT(page, AllOf(Not(HasSubstr("<script")), Not(HasSubstr("\x1b"))));
  EXPECT_THAT(visible_text(document), HasSubstr("<script>alert(1)</script>"));
}

}  // namespace
}  // namespace diptych
