#include "data/row_filter.h"

#include <gmock/gmock.h>

#include "data/written_tables.h"

namespace diptych {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::shared_ptr<arrow::Array> scores() {
  arrow::FloatBuilder builder;
  EXPECT_TRUE(builder.AppendValues({0.1f, 0.5f, 0.9f}).ok() && builder.AppendNull().ok());
  return *builder.Finish();
}

// x: 0.1 0.5 0.9 null; width: 100 200 300 400; url is text.
std::shared_ptr<arrow::RecordBatch> rows() {
  const auto table = table_of(
      {{"x", scores()},
       {"width", column_of<arrow::Int64Builder>(std::vector<std::int64_t>{100, 200, 300, 400})},
       {"url", column_of<arrow::StringBuilder>(Cells{"a", "b", "c", "d"})},
       {"watermark_score",
        column_of<arrow::DoubleBuilder>(std::vector<double>{0.2, 0.4, 0.6, 0.8})}});
  return *table->CombineChunksToBatch();
}

std::vector<int> failures(const std::string& text) {
  return RowFilter(text, rows()->schema()).first_failures(*rows());
}

// The rows, counted from 0, that pass.
std::vector<int> passing(const std::string& text) {
  std::vector<int> passed;
  const auto all = failures(text);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] < 0) passed.push_back(static_cast<int>(i));
  }
  return passed;
}

Error refused(const std::string& text) {
  return error_of([&] { RowFilter(text, rows()->schema()); });
}

TEST(RowFilter, ComparesInEveryWay) {
  EXPECT_THAT(passing("width<200"), ElementsAre(0));
  EXPECT_THAT(passing("width <= 200"), ElementsAre(0, 1));
  EXPECT_THAT(passing("width>200"), ElementsAre(2, 3));
  EXPECT_THAT(passing("width>=200"), ElementsAre(1, 2, 3));
  EXPECT_THAT(passing("width=200"), ElementsAre(1));
  EXPECT_THAT(passing("width==200"), ElementsAre(1));
  EXPECT_THAT(passing("width!=200"), ElementsAre(0, 2, 3));
  EXPECT_THAT(passing("width<>200"), ElementsAre(0, 2, 3));
}

TEST(RowFilter, ComparesWholeNumbersWithFractionsAndColumnsWithColumns) {
  EXPECT_THAT(passing("width<200.5"), ElementsAre(0, 1));
  EXPECT_THAT(passing("2.5e+2<width"), ElementsAre(2, 3));
  EXPECT_THAT(passing("width > -1e2"), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(passing("width > +250"), ElementsAre(2, 3));
  EXPECT_THAT(passing("x<watermark_score"), ElementsAre(0));
  EXPECT_THAT(passing("1<2"), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(passing("1>2"), ElementsAre());
}

TEST(RowFilter, BindsAndTighterThanOrAndNotTightest) {
  EXPECT_THAT(passing("width=100 or width=200 and x>0.8"), ElementsAre(0));
  EXPECT_THAT(passing("(width=100 or width=200) and x>0.3"), ElementsAre(1));
  EXPECT_THAT(passing("not width=100 and width<300"), ElementsAre(1));
  EXPECT_THAT(passing("not (width=100 or width=300)"), ElementsAre(1, 3));
  EXPECT_THAT(passing("NOT NOT width=100"), ElementsAre(0));
  EXPECT_THAT(passing("width=100 OR width=400 Or width=200"), ElementsAre(0, 1, 3));
}

TEST(RowFilter, LetsNoRowPassWhoseValueIsMissing) {
  EXPECT_THAT(passing("x>0.4"), ElementsAre(1, 2));
  EXPECT_THAT(passing("not x>0.4"), ElementsAre(0));
  EXPECT_THAT(passing("x>0.4 or width=400"), ElementsAre(1, 2, 3)) << "the other side decides";
}

TEST(RowFilter, SaysWhichConditionFailsFirst) {
  EXPECT_THAT(failures("width>100 and x<0.8 and width<400"), ElementsAre(0, -1, 1, 1));
  const RowFilter filter("width>100 and (x<0.8 or 1>2)  and not x<0", rows()->schema());
  ASSERT_EQ(filter.conditions().size(), 3u);
  EXPECT_EQ(filter.conditions()[0].text, "width>100");
  EXPECT_EQ(filter.conditions()[1].text, "(x<0.8 or 1>2)");
  EXPECT_EQ(filter.conditions()[2].text, "not x<0");
  const RowFilter either("width>100 and x<0.8 or 1>2", rows()->schema());
  ASSERT_EQ(either.conditions().size(), 1u);
  EXPECT_EQ(either.conditions()[0].text, "width>100 and x<0.8 or 1>2");
}

TEST(RowFilter, PassesEveryRowWhenThereIsNoCondition) {
  EXPECT_THAT(passing(""), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(passing("  "), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(RowFilter("x<1", rows()->schema()).first_failures(*rows()->Slice(0, 0)),
              ElementsAre());
}

TEST(RowFilter, PointsAtTheColumnThatIsNotThereAndNamesTheNearest) {
  const Error error = refused("width>1 and watermark_scor<0.5");
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_EQ(error.full(),
            "--where, character 13: there is no column 'watermark_scor'\n"
            "  width>1 and watermark_scor<0.5\n"
            "              ^\n"
            "  did you mean 'watermark_score'? columns: x, width, url, watermark_score");
  EXPECT_THAT(refused("높이>1 and w>2").full(),
              HasSubstr("character 1: there is no column '높이'"));
  EXPECT_THAT(refused("높이높이>").full(), HasSubstr("character 1:"));
}

TEST(RowFilter, PointsAtWhatCannotBeRead) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"width", "character 6: a comparison is missing here"},
      {"width<", "character 7: a column or a number is missing here"},
      {"<3", "character 1: a column or a number is missing here"},
      {"width<3 x>1", "character 9: 'and' or 'or' is missing here"},
      {"width<3)", "character 8: 'and' or 'or' is missing here"},
      {"(width<3", "character 9: ')' is missing here"},
      {"width<x<3", "character 8: a comparison has two sides"},
      {"width<3 and", "character 12: a column or a number is missing here"},
      {"width<3 and or x<1", "character 13: a column or a number is missing here"},
      {"width<1.2.3", "character 7: '1.2.3' is no number"},
      {"width<1e999", "character 7: '1e999' is no number"},
      {"width<-", "character 7: '-' is no number"},
      {"width~3", "character 6: a comparison is missing here"},
      {"width<'3'", "character 7: a column or a number is missing here"},
      {"url=3", "character 1: the column 'url' holds string, not numbers"},
      {"not", "character 4: a column or a number is missing here"},
      {"()", "character 2: a column or a number is missing here"},
  };
  for (const auto& [text, message] : cases) {
    const Error error = refused(text);
    EXPECT_EQ(error.kind(), ErrorKind::usage) << text;
    EXPECT_THAT(error.full(), HasSubstr(message)) << text;
  }
  EXPECT_THAT(refused("((width<3").full(), HasSubstr("the '(' at character 2 is still open"));
}

TEST(RowFilter, RefusesWhatIsTooLongOrTooDeep) {
  std::string many = "width>1";
  while (many.size() < 4000) many += " and width>1";
  EXPECT_EQ(passing(many).size(), 4u);
  while (many.size() < 5000) many += " or width>1";
  EXPECT_THAT(refused(many).full(), HasSubstr("longer than 4096"));
  EXPECT_THAT(refused(std::string(1000, '(')).full(), HasSubstr("nested too deeply"));
  std::string nots;
  for (int i = 0; i < 200; ++i) nots += "not ";
  EXPECT_THAT(refused(nots + "x<1").full(), HasSubstr("nested too deeply"));
  std::string either = "width>1";
  while (either.size() < 4000) either += " or x<1";
  EXPECT_EQ(passing(either).size(), 4u);
}

TEST(RowFilter, EndsInAFilterOrARefusalWhateverItIsGiven) {
  const std::string alphabet = "x<>=!() andorot1.5e-+w\"'\\\xff%";
  std::uint32_t state = 1;
  for (int n = 0; n < 20000; ++n) {
    std::string text;
    for (int i = 0; i < n % 24; ++i) {
      state = state * 1664525 + 1013904223;
      text += alphabet[(state >> 16) % alphabet.size()];
    }
    try {
      RowFilter(text, rows()->schema()).first_failures(*rows());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage) << text;
    }
  }
}

}  // namespace
}  // namespace diptych
