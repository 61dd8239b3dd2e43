// Parquet written by Arrow with every kind of column, and damaged in every way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/rng.h"
#include "data/table.h"
#include "data/written_tables.h"

namespace diptych {
namespace {
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

using ArrayPointer = std::shared_ptr<arrow::Array>;

class ParquetTest : public FolderTest {
 protected:
  Table read(const std::vector<std::pair<std::string, ArrayPointer>>& columns) const {
    return read_table(write("t.parquet", parquet_of(columns)), {"text", "label"});
  }
  Cells label_cells(const ArrayPointer& column) const {
    const Table table = read({{"label", column}});
    const TextColumn& cells = table.columns.at("label");
    return {cells.begin(), cells.end()};
  }
};

ArrayPointer dictionary_of(const Cells& words, const std::vector<int>& indices) {
  arrow::Int32Builder builder;
  for (int index : indices) {
    EXPECT_TRUE((index < 0 ? builder.AppendNull() : builder.Append(index)).ok());
  }
  return arrow::DictionaryArray::FromArrays(builder.Finish().ValueOrDie(),
                                            column_of<arrow::StringBuilder>(words))
      .ValueOrDie();
}

// A row for each number of items; a negative number is a null. The items count up.
template <typename Builder>
ArrayPointer lists(const std::vector<int>& sizes) {
  const auto items = std::make_shared<arrow::Int32Builder>();
  Builder builder(arrow::default_memory_pool(), items);
  int next = 0;
  for (int size : sizes) {
    EXPECT_TRUE((size < 0 ? builder.AppendNull() : builder.Append()).ok());
    for (int i = 0; i < size; ++i) EXPECT_TRUE(items->Append(next++).ok());
  }
  return builder.Finish().ValueOrDie();
}

ArrayPointer structs() {
  const auto inner = column_of<arrow::StringBuilder>(Cells{"inner", "inner"});
  return arrow::StructArray::Make({inner, inner}, Cells{"label", "b"}).ValueOrDie();
}

TEST_F(ParquetTest, HoldsTextInManyWays) {
  const Cells words = {"b", "빨강", "", "a rather long text, longer than fits inside a view"};
  EXPECT_EQ(label_cells(column_of<arrow::StringBuilder>(words)), words);
  EXPECT_EQ(label_cells(column_of<arrow::LargeStringBuilder>(words)), words);
  EXPECT_EQ(label_cells(column_of<arrow::StringViewBuilder>(words)), words);
  EXPECT_THAT(label_cells(dictionary_of({"x", "y"}, {1, 0, -1, 1})),
              ElementsAre("y", "x", "", "y"));
}

TEST_F(ParquetTest, WritesNumbersAsTheOtherFormatsHoldThem) {
  EXPECT_THAT(label_cells(column_of<arrow::Int64Builder>(std::vector<std::int64_t>{3, -12})),
              ElementsAre("3", "-12"));
  EXPECT_THAT(label_cells(column_of<arrow::UInt8Builder>(std::vector<std::uint8_t>{3, 255})),
              ElementsAre("3", "255"));
  EXPECT_THAT(label_cells(column_of<arrow::Int8Builder>(std::vector<std::int8_t>{65})),
              ElementsAre("65"));
  EXPECT_THAT(label_cells(column_of<arrow::BooleanBuilder>(std::vector<bool>{true, false})),
              ElementsAre("true", "false"));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(label_cells(column_of<arrow::DoubleBuilder>(std::vector<double>{3, 0.1, nan, -2})),
              ElementsAre("3.0", "0.1", "", "-2.0"));
  EXPECT_THAT(label_cells(column_of<arrow::FloatBuilder>(std::vector<float>{3, 0.1F})),
              ElementsAre("3.0", "0.1"));
}

TEST_F(ParquetTest, ReadsNullsAsEmptyCells) {
  arrow::Int64Builder numbers;
  ASSERT_TRUE(numbers.AppendNull().ok() && numbers.Append(1).ok());
  arrow::StringBuilder words;
  ASSERT_TRUE(words.Append("a").ok() && words.AppendNull().ok());
  const Table table =
      read({{"label", numbers.Finish().ValueOrDie()}, {"text", words.Finish().ValueOrDie()}});
  EXPECT_THAT(table.columns.at("label"), ElementsAre("", "1"));
  EXPECT_THAT(table.columns.at("text"), ElementsAre("a", ""));
}

TEST_F(ParquetTest, FindsColumnsBehindNestedOnes) {
  const Table table = read({{"first", structs()},
                            {"label", column_of<arrow::StringBuilder>(Cells{"1", "2"})},
                            {"list", lists<arrow::ListBuilder>({0, 1})},
                            {"text", column_of<arrow::StringBuilder>(Cells{"x", "y"})}});
  EXPECT_THAT(table.names, ElementsAre("first", "label", "list", "text"));
  EXPECT_THAT(table.columns.at("label"), ElementsAre("1", "2"));
  EXPECT_THAT(table.columns.at("text"), ElementsAre("x", "y"));
}

TEST_F(ParquetTest, ReadsListsAsCellsOfSeveralItems) {
  const Cells expected = {
      "0\x1f"
      "1",
      "", "", "2",
      "3\x1f"
      "4\x1f"
      "5"};
  const std::vector<int> sizes = {2, 0, -1, 1, 3};
  EXPECT_EQ(label_cells(lists<arrow::ListBuilder>(sizes)), expected);
  EXPECT_EQ(label_cells(lists<arrow::LargeListBuilder>(sizes)), expected);
}

TEST_F(ParquetTest, RefusesAWantedColumnThatIsNotText) {
  const auto bytes = column_of<arrow::BinaryBuilder>(Cells{"a", "b"});
  const auto list_of_structs =
      arrow::ListArray::FromArrays(*column_of<arrow::Int32Builder>(std::vector<int>{0, 1, 2}),
                                   *structs())
          .ValueOrDie();
  for (const ArrayPointer& column : {structs(), ArrayPointer(list_of_structs), bytes}) {
    const Error error = error_of([&] { label_cells(column); });
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_THAT(error.full(), AllOf(HasSubstr("column 'label' holds "), HasSubstr("t.parquet")));
  }
}

TEST_F(ParquetTest, MayHaveNoRows) {
  const Table table = read({{"label", column_of<arrow::StringBuilder>(Cells{})}});
  EXPECT_EQ(table.rows, 0);
  EXPECT_TRUE(table.columns.at("label").empty());
}

TEST_F(ParquetTest, SurvivesDamageOfEveryKind) {
  Cells texts;
  std::vector<int> indices;
  for (int i = 0; i < 200; ++i) {
    texts.push_back("text " + std::to_string(i * i));
    indices.push_back(i % 3);
  }
  const std::string whole = parquet_of({{"text", column_of<arrow::StringBuilder>(texts)},
                                        {"label", dictionary_of({"a", "b", "c"}, indices)}});
  Rng rng(1);
  int refused = 0;
  constexpr int kRounds = 600;
  for (int round = 0; round < kRounds; ++round) {
    std::string bytes = whole;
    if (round % 3 == 0) {
      bytes.resize(rng.below(bytes.size()));
    } else {
      // The last kilobyte holds the metadata, where damage does most.
      const std::size_t from = round % 3 == 1 ? bytes.size() - 1000 : 0;
      for (std::uint64_t i = 0; i <= rng.below(4); ++i) {
        bytes[from + rng.below(bytes.size() - from)] = static_cast<char>(rng.below(256));
      }
    }
    try {
      const Table table = read_table(write("t.parquet", bytes), {"text", "label"});
      for (const auto& [name, cells] : table.columns) EXPECT_EQ(std::ssize(cells), table.rows);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data) << error.full();
      EXPECT_THAT(error.where(), HasSubstr("t.parquet"));
      ++refused;
    }
  }
  EXPECT_GT(refused, kRounds / 3);
}

}  // namespace
}  // namespace diptych
