#include "download/shard.h"

#include <gtest/gtest.h>

#include "data/tar_file.h"
#include "data/written_tables.h"
#include "download/fetch.h"

namespace diptych {
namespace {

TEST(ShardLayout, KeysAreThoseOfImg2dataset) {
  ShardLayout layout;
  EXPECT_EQ(layout.key(12, 345), "00012345");
  layout.rows = 10000;
  EXPECT_EQ(layout.key(12, 345), "000120345");
  layout.rows = 1;
  EXPECT_EQ(layout.key(7, 0), "00007");
  EXPECT_EQ(layout.shard_name(7), "00007");
}

TEST(CountsTable, AccountsForEveryRowTheMostFrequentFailureFirst) {
  EXPECT_EQ(counts_table({{"success", 70}, {"not a picture", 10}, {"HTTP status 404", 20}}),
            "fetched                               70\n"
            "HTTP status 404                       20\n"
            "not a picture                         10\n"
            "asked                                100\n");
}

class ShardTest : public FolderTest {
 protected:
  // Beside the picture of a list's only row.
  nlohmann::json json_of(const Columns& columns) const {
    const ShardLayout layout{.folder = folder_};
    Shard shard(layout, 0, *table_of(columns));
    shard.add(0, {.format = ImageFormat::jpeg, .width = 1, .height = 1}, "picture");
    TarReader reader(folder_ / "00000.tar");
    while (const auto* member = reader.next()) {
      if (member->name.ends_with(".json")) return nlohmann::json::parse(reader.read(1 << 20));
    }
    return {};
  }
  const Columns::value_type url_ = {"url", column_of<arrow::StringBuilder>(Cells{"x"})};
};

TEST_F(ShardTest, DescribesColumnsWhoseNameIsNotUtf8) {
  const auto cell = column_of<arrow::Int64Builder>(std::vector<std::int64_t>{7});
  EXPECT_EQ(json_of({url_, {"a\xff", cell}})["a\uFFFD"], 7);
}

TEST_F(ShardTest, DescribesACategoryByItsWord) {
  const auto words = column_of<arrow::StringBuilder>(Cells{"cat", "사과"});
  const auto place = column_of<arrow::Int32Builder>(std::vector<std::int32_t>{1});
  const auto category = *arrow::DictionaryArray::FromArrays(place, words);
  EXPECT_EQ(json_of({url_, {"kind", category}})["kind"], "사과");
}

TEST_F(ShardTest, NamesFiguresThatCannotBeRead) {
  const ShardLayout layout{.folder = folder_};
  EXPECT_FALSE(finished_shard(layout, 1));
  for (const char* text : {"{", "[]", "{\"status_dict\": {\"success\": \"many\"}}"}) {
    write_file(layout.stats_path(1), text);
    const Error error = error_of([&] { finished_shard(layout, 1); });
    EXPECT_EQ(error.kind(), ErrorKind::data) << text;
    EXPECT_EQ(error.where(), layout.stats_path(1).string());
  }
}

}  // namespace
}  // namespace diptych
