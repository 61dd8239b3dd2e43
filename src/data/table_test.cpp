#include "data/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/written_tables.h"

namespace diptych {
namespace {
namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const Cells kWanted = {"image", "text", "label"};

class TableTest : public FolderTest {
 protected:
  Table read(const std::string& name, const std::string& bytes, const Cells& wanted = kWanted,
             std::int32_t block = kTableBlock) const {
    return read_table(write(name, bytes), wanted, "", block);
  }
  Error refused(const std::string& name, const std::string& bytes,
                std::int32_t block = kTableBlock) const {
    const Error error = error_of([&] { read(name, bytes, kWanted, block); });
    EXPECT_EQ(error.where(), (folder_ / name).string());
    return error;
  }
};

class EveryFormat : public TableTest, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Tables, EveryFormat,
                         testing::Values(".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".arrow",
                                         ".feather"),
                         [](const auto& info) { return std::string(info.param).substr(1); });

TEST_P(EveryFormat, GivesTheSameRows) {
  const std::vector<Cells> rows = {
      {"a.png", "빨간 사과 🍎", "과일"},         {"b c.png", "he said \"no\", twice", "1"},
      {"d.png", "two\nlines, and\ta tab", "2"}, {"e.png", "", ""},
      {"f.png", " spaces stay ", "3"},          {"g.png", "2020-01-02", "2020-01-02"},
      {"h.png", std::string("a\0b", 3), "NA"},  {"i.png", "null", "3.10"},
      {"j.png", "c:\\new\\'x'", "-0"},          {"k.png", "\r\n", "true"}};
  const std::string ending = GetParam();
  const Table table = read("t" + ending, as_table(ending, {"image", " text ", "label"}, rows));
  EXPECT_EQ(table.rows, std::ssize(rows));
  ASSERT_EQ(table.columns.size(), 3u);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(table.columns.at(kWanted[i])[row], rows[row][i]) << "row " << row + 1;
    }
  }
  EXPECT_THAT(table.names, testing::UnorderedElementsAre("image", "text", "label"));
}

TEST_P(EveryFormat, ReadsOnlyWhatIsWantedButNamesEveryColumn) {
  const std::string ending = GetParam();
  const Table table =
      read("t" + ending, as_table(ending, {"other", "text"}, {{"1", "x"}, {"2", "y"}}));
  EXPECT_THAT(table.names, ElementsAre("other", "text"));
  ASSERT_EQ(table.columns.size(), 1u);
  EXPECT_THAT(table.columns.at("text"), ElementsAre("x", "y"));
}

TEST_P(EveryFormat, CountsRowsWhenNoWantedColumnIsThere) {
  const std::string ending = GetParam();
  const Table table = read("t" + ending, as_table(ending, {"a", "b"}, {{"1", "2"}, {"3", "4"}}));
  EXPECT_EQ(table.rows, 2);
  EXPECT_TRUE(table.columns.empty());
}

TEST_P(EveryFormat, RefusesAnEmptyFile) {
  const Error error = refused(std::string("t") + GetParam(), "");
  EXPECT_EQ(error.kind(), ErrorKind::data);
  EXPECT_THAT(error.what(), testing::AnyOf(HasSubstr("empty"), HasSubstr("no rows")));
}

TEST_P(EveryFormat, TakesAVeryLongCell) {
  const std::string ending = GetParam();
  const std::string cell(10 << 20, 'x');
  const Table table =
      read("t" + ending, as_table(ending, {"text", "label"}, {{"a", "1"}, {cell, "2"}}));
  EXPECT_EQ(table.columns.at("text")[1], cell);
}

TEST_P(EveryFormat, PassesBytesOnThatAreNotUtf8) {
  const std::string ending = GetParam();
  const std::string bad = "caf\xe9 \xff\x80\xbf\xc0 빨간";
  const bool is_json = ending == ".jsonl" || ending == ".ndjson";
  const std::string bytes =
      is_json ? "{\"text\": \"" + bad + "\"}\n" : as_table(ending, {"text"}, {{bad}});
  EXPECT_THAT(read("t" + ending, bytes).columns.at("text"), ElementsAre(bad));
}

TEST_P(EveryFormat, RefusesTwoWantedColumnsOfOneName) {
  const std::string ending = GetParam();
  std::string bytes = as_table(ending, {"text", " text"}, {{"a", "b"}});
  EXPECT_THAT(refused("t" + ending, bytes).full(),
              AllOf(HasSubstr("'text'"), testing::AnyOf(HasSubstr("two"), HasSubstr("twice"))));
}

TEST_P(EveryFormat, IsFoundWhateverTheCaseOfTheEnding) {
  std::string ending = GetParam();
  const std::string bytes = as_table(ending, {"text"}, {{"a"}});
  for (char& c : ending) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(read("T" + ending, bytes).rows, 1);
}

TEST_F(TableTest, CsvMayStartWithAByteOrderMarkAndEndLinesAsWindowsDoes) {
  const Table table = read("t.csv",
                           "\xef\xbb\xbf\"image\" , text,label\r\na.png,\"x\r\ny\",1\r\n"
                           "b.png,,2");
  EXPECT_THAT(table.names, ElementsAre("image", "text", "label"));
  EXPECT_THAT(table.columns.at("image"), ElementsAre("a.png", "b.png"));
  EXPECT_THAT(table.columns.at("text"), ElementsAre("x\r\ny", ""));
  EXPECT_THAT(table.columns.at("label"), ElementsAre("1", "2"));
}

TEST_F(TableTest, CsvHeadersMayHoldQuotesDelimitersAndLineBreaks) {
  const Table table = read("t.csv", "\"a \"\"b\"\",\nc\",5\" wide,text\n1,2,3\n");
  EXPECT_THAT(table.names, ElementsAre("a \"b\",\nc", "5\" wide", "text"));
  EXPECT_THAT(table.columns.at("text"), ElementsAre("3"));
}

TEST_F(TableTest, CsvCellsStayAsTheyAreWritten) {
  const Table table = read("t.csv", "image,text,label\n007,2020-01-02,NA\n3.10,2020-01-03,null\n");
  EXPECT_THAT(table.columns.at("image"), ElementsAre("007", "3.10"));
  EXPECT_THAT(table.columns.at("text"), ElementsAre("2020-01-02", "2020-01-03"));
  EXPECT_THAT(table.columns.at("label"), ElementsAre("NA", "null"));
}

TEST_F(TableTest, CsvWithAHeaderAloneHasNoRows) {
  for (const char* text : {"image,text", "image,text\n", "\xef\xbb\xbfimage,text\r\n"}) {
    const Table table = read("t.csv", text);
    EXPECT_EQ(table.rows, 0);
    EXPECT_TRUE(table.columns.at("text").empty());
  }
}

TEST_F(TableTest, CsvMayQuoteALineBreakRightBehindTheByteOrderMark) {
  const Table table = read("t.csv", "\xef\xbb\xbf\"a\nb\",text\n1,2\n");
  EXPECT_THAT(table.names, ElementsAre("a\nb", "text"));
  EXPECT_THAT(table.columns.at("text"), ElementsAre("2"));
}

TEST_F(TableTest, CsvLeavesBlankLinesOut) {
  const Table table = read("t.csv", "image,text\na,b\n\n\r\nc,d\n\n");
  EXPECT_THAT(table.columns.at("image"), ElementsAre("a", "c"));
}

TEST_F(TableTest, CsvColumnsThatNobodyWantsMayShareAName) {
  EXPECT_THAT(read("t.csv", "text,,\na,b,c\n").columns.at("text"), ElementsAre("a"));
}

TEST_F(TableTest, ARaggedRowIsNamedWhereverTheBlocksEnd) {
  std::string text = "image,text,label\n";
  for (int i = 0; i < 2000; ++i) text += "a.png,\"one\ntwo\",1\n";
  text += "b.png,no, quotes,1\nc.png\n";
  for (std::int32_t block : {kTableBlock, 4096}) {
    const Error error = refused("t.csv", text, block);
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_THAT(error.full(), AllOf(HasSubstr("row 2001 has 4 cells instead of 3"),
                                    HasSubstr("b.png,no, quotes"), HasSubstr("must be quoted")));
  }
  EXPECT_THAT(refused("t.csv", "image,text\na\n").what(), HasSubstr("row 1 has 1 cells"));
}

TEST_F(TableTest, CellsThatStandOnBlockBordersStayWhole) {
  std::string text = "text,label\n";
  Cells expected;
  for (int i = 0; i < 3000; ++i) {
    expected.push_back("line " + std::to_string(i) + "\n\"quoted\", and\r\n" +
                       std::string(static_cast<std::size_t>(i % 97), '.'));
    text += as_delimited({expected.back(), "x"}, {}, ',');
  }
  for (std::int32_t block : {1024, 1031, 5000}) {
    const TextColumn cells = read("t.csv", text, kWanted, block).columns.at("text");
    ASSERT_EQ(cells.size(), expected.size());
    for (std::size_t i = 0; i < cells.size(); ++i) EXPECT_EQ(cells[i], expected[i]);
  }
}

TEST_F(TableTest, AQuoteThatIsNeverClosedIsNamedInsteadOfSwallowingTheRest) {
  EXPECT_THAT(refused("t.csv", "text,label\na,1\n\"b,2\nc,3\n").full(),
              AllOf(HasSubstr("the quote that opens in row 2 is never closed"),
                    HasSubstr("must be quoted")));
  EXPECT_THAT(refused("t.csv", "text,label\r\na,1\r\n\r\nb,\"2\r\n").what(), HasSubstr("row 2 "));
  EXPECT_THAT(refused("t.tsv", "text\t\"label\na\t1\n").what(), HasSubstr("quote in the header"));
  EXPECT_THAT(read("t.csv", "text,label\n5\" wide,1\n").columns.at("text"),
              ElementsAre("5\" wide"));
}

TEST_F(TableTest, JsonNumbersAndWordsMayShareAColumn) {
  const Table table = read("t.jsonl",
                           "\xef\xbb\xbf{\"label\": 3}\r\n\n{\"label\": \"3\"}\n{\"label\": 3.0}\n"
                           "{\"label\": true}\n{\"label\": null}\n{\"text\": \"late\"}\n"
                           "{\"label\": 123456789012345678901, \"more\": {\"label\": [1, {}]}}");
  EXPECT_THAT(table.columns.at("label"),
              ElementsAre("3", "3", "3.0", "true", "", "", "123456789012345678901"));
  EXPECT_THAT(table.columns.at("text"), ElementsAre("", "", "", "", "", "late", ""));
  EXPECT_THAT(table.names, ElementsAre("label", "text", "more"));
}

TEST_F(TableTest, JsonListsAreCellsOfSeveralItems) {
  const Table table = read("t.jsonl",
                           "{\"label\": [\"a\", 1, null, true], \"text\": \"x\"}\n"
                           "{\"label\": []}\n{\"label\": \"b\"}\n{\"label\": [\"빨간\"]}\n"
                           "{\"other\": [[1], {\"label\": 2}], \"label\": 3}\n");
  EXPECT_THAT(table.columns.at("label"), ElementsAre("a\x1f"
                                                     "1\x1f\x1ftrue",
                                                     "", "b", "빨간", "3"));
  EXPECT_THAT(table.columns.at("text"), ElementsAre("x", "", "", "", ""));
}

TEST_F(TableTest, JsonMayStartWithAByteOrderMarkBeforeBytesThatAreNotUtf8) {
  const Table table = read("t.jsonl", "\xef\xbb\xbf{\"te\xe9xt\": 1, \"text\": \"\xe9\"}\n");
  EXPECT_THAT(table.names, ElementsAre("te\xe9xt", "text"));
  EXPECT_THAT(table.columns.at("text"), ElementsAre("\xe9"));
}

TEST_F(TableTest, JsonLinesThatAreNoRowsAreNamed) {
  const std::string good = "{\"label\": 1}\n\n";  // the blank line does not count
  for (const auto& [line, reason] : std::vector<std::pair<std::string, std::string>>{
           {"{\"label\": 1", "is not JSON"},
           {"{\"label\": 1} x", "is not JSON"},
           {"{\"text\": \"\\ud800\"}", "is not JSON"},
           {"[1]", "is not an object"},
           {"3", "is not an object"},
           {"{\"label\": [[1]]}", "holds a list in a list in column 'label'"},
           {"{\"label\": [{\"a\": 1}]}", "holds an object in column 'label'"},
           {"{\"label\": {\"a\": 1}}", "holds an object in column 'label'"},
           {"{\"label\": 1, \"label\": 2}", "has 'label' twice"},
           {std::string(100000, '['), "is not an object"},
           {"{\"x\": " + std::string(100000, '['), "is not JSON"}}) {
    EXPECT_THAT(refused("t.jsonl", good + line + "\n").what(),
                AllOf(HasSubstr("row 2 "), HasSubstr(reason)));
  }
}

TEST_F(TableTest, OtherFilesAreRefusedByName) {
  EXPECT_THAT(refused("t.xlsx", "x").full(), HasSubstr("tables are .csv"));
  EXPECT_THAT(refused("t", "x").full(), HasSubstr("tables are .csv"));
  fs::create_directories(folder_ / "x.csv");
  EXPECT_EQ(error_of([&] { read_table(folder_ / "x.csv", {}); }).kind(), ErrorKind::data);
  fs::create_symlink("loop.csv", folder_ / "loop.csv");
  for (const char* name : {"absent.csv", "loop.csv"}) {
    EXPECT_EQ(error_of([&] { read_table(folder_ / name, {}); }).kind(), ErrorKind::not_found);
  }
  const std::string long_name(300, 'x');
  EXPECT_EQ(error_of([&] { read_table(folder_ / long_name, {}); }).kind(), ErrorKind::not_found);
}

TEST_F(TableTest, AFileThatMayNotBeReadIsAnInputFault) {
  for (const char* name : {"t.csv", "t.jsonl", "t.parquet"}) {
    fs::permissions(write(name, "x"), fs::perms::none);
    const Unprivileged unprivileged;
    if (!unprivileged.binds()) GTEST_SKIP() << "permissions do not bind here";
    EXPECT_EQ(error_of([&] { read_table(folder_ / name, {}); }).kind(), ErrorKind::io) << name;
  }
}

}  // namespace
}  // namespace diptych
