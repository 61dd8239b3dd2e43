#include "download/shard.h"

#include <gtest/gtest.h>

#include "data/tar_file.h"
#include "data/written_tables.h"

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

}  // namespace
}  // namespace diptych
