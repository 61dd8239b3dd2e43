// Pictures wherever their bytes lie: in files, and in columns of Parquet and Arrow.
#include "data/pictures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/rng.h"
#include "data/pixels.h"
#include "data/written_tables.h"
#include "image/drawn_pictures.h"

namespace diptych {
namespace {
namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

using ArrayPointer = std::shared_ptr<arrow::Array>;
constexpr const char* kNull = "null";  // a cell without bytes

template <typename Builder>
ArrayPointer bytes_column(const Cells& cells) {
  Builder builder;
  for (const std::string& cell : cells) {
    EXPECT_TRUE((cell == kNull ? builder.AppendNull() : builder.Append(cell)).ok());
  }
  return builder.Finish().ValueOrDie();
}

// Hugging Face's struct: picture i is named "sub dir/i'.jpg"; every third has no name.
ArrayPointer image_structs(const Cells& cells) {
  arrow::StringBuilder paths;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string name = "sub dir/" + std::to_string(i) + "'.jpg";
    EXPECT_TRUE((i % 3 == 2 ? paths.AppendNull() : paths.Append(name)).ok());
  }
  return arrow::StructArray::Make(
             {bytes_column<arrow::BinaryBuilder>(cells), paths.Finish().ValueOrDie()},
             Cells{"bytes", "path"})
      .ValueOrDie();
}

// What next() gives, by row.
struct Read {
  Cells bytes;
  std::vector<std::optional<Error>> errors;
  std::vector<std::size_t> order;
};

Read read_all(const Dataset& rows) {
  PictureReader reader(rows);
  Read result;
  result.bytes.resize(rows.size());
  result.errors.resize(rows.size());
  while (auto picture = reader.next()) {
    result.order.push_back(picture->row);
    result.bytes.at(picture->row) = picture->bytes;
    result.errors.at(picture->row) = picture->error;
  }
  return result;
}

class PicturesTest : public FolderTest {
 protected:
  // A table of one picture and one label a row; false: without waiting for the disk.
  fs::path write_table(const std::string& name, const ArrayPointer& images) const {
    Cells labels;
    for (std::int64_t i = 0; i < images->length(); ++i) labels.push_back(i % 2 ? "b" : "a");
    const auto table = table_of({{"more", column_of<arrow::StringBuilder>(labels)},
                                 {"image", images},
                                 {"label", column_of<arrow::StringBuilder>(labels)}});
    const std::string ending = fs::path(name).extension().string();
    std::string bytes = parquet_bytes(*table, 5);
    if (ending == ".arrow") bytes = arrow_bytes(*table, Ipc::stream);
    if (ending == ".feather") bytes = arrow_bytes(*table, Ipc::file);
    return write(name, bytes);
  }
  Dataset dataset(const fs::path& path) const {
    ReadOptions options;
    options.needs_text = false;
    return read_dataset(path, options);
  }
};

struct Holder {
  const char* name;
  const char* ending;
  ArrayPointer (*column)(const Cells&);
};

class EveryHolder : public PicturesTest, public testing::WithParamInterface<Holder> {};
INSTANTIATE_TEST_SUITE_P(
    Pictures, EveryHolder,
    testing::Values(Holder{"ParquetBytes", ".parquet", bytes_column<arrow::BinaryBuilder>},
                    Holder{"ParquetLargeBytes", ".parquet",
                           bytes_column<arrow::LargeBinaryBuilder>},
                    Holder{"ParquetStructs", ".parquet", image_structs},
                    Holder{"StreamBytes", ".arrow", bytes_column<arrow::BinaryBuilder>},
                    Holder{"StreamViews", ".arrow", bytes_column<arrow::BinaryViewBuilder>},
                    Holder{"StreamStructs", ".arrow", image_structs},
                    Holder{"FileLargeBytes", ".feather", bytes_column<arrow::LargeBinaryBuilder>},
                    Holder{"FileStructs", ".feather", image_structs}),
    [](const auto& info) { return std::string(info.param.name); });

Cells some_bytes(std::size_t count) {
  Cells cells;
  for (std::size_t i = 0; i < count; ++i) {
    cells.push_back(std::string(i * 13, static_cast<char>('a' + i % 26)) +
                    std::string("\0\xff", 2));
  }
  return cells;
}

TEST_P(EveryHolder, GivesEveryRowItsBytes) {
  const Cells cells = some_bytes(23);
  const auto [name, ending, column] = GetParam();
  const Dataset rows = dataset(write_table(std::string("t") + ending, column(cells)));
  ASSERT_EQ(rows.size(), cells.size());
  const Read read = read_all(rows);
  EXPECT_EQ(read.bytes, cells);
  for (const auto& error : read.errors) EXPECT_FALSE(error) << error->full();
  const bool named = std::string(name).ends_with("Structs");
  EXPECT_EQ(rows[0].id, named ? "sub dir/0'.jpg" : "row 1");
  EXPECT_EQ(rows[2].id, "row 3");
}

TEST_P(EveryHolder, ReadsTheContainerInOrderWhateverTheOrderOfTheRows) {
  const Cells cells = some_bytes(23);
  const Dataset all =
      dataset(write_table(std::string("t") + GetParam().ending, GetParam().column(cells)));
  std::vector<Example> rows(all.rows().begin(), all.rows().end());
  Rng(1, Stream::split).shuffle(std::span(rows));
  rows.erase(rows.begin(), rows.begin() + 7);
  const Read read = read_all(Dataset(rows, all.classes()));
  std::int64_t before = 0;
  for (std::size_t i : read.order) {
    EXPECT_LT(before, rows[i].row);
    before = rows[i].row;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(read.bytes[i], cells[static_cast<std::size_t>(rows[i].row - 1)]);
  }
}

TEST_P(EveryHolder, ACellWithoutBytesIsAMissingPicture) {
  Cells cells = some_bytes(12);
  cells[2] = cells[5] = cells[11] = kNull;  // rows without a name, too
  const Dataset rows =
      dataset(write_table(std::string("t") + GetParam().ending, GetParam().column(cells)));
  const Read read = read_all(rows);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    ASSERT_EQ(read.errors[i].has_value(), cells[i] == kNull) << i;
    if (cells[i] != kNull) continue;
    EXPECT_EQ(read.errors[i]->kind(), ErrorKind::not_found);
  }
  const DecodedImages images = decode_images(rows, {8, ImageFit::pad, {}, 2});
  std::map<Problem, int> counts;
  for (const RowProblem& problem : images.problems) ++counts[problem.problem];
  EXPECT_EQ(counts,
            (std::map<Problem, int>{{Problem::missing_image, 3}, {Problem::unreadable_image, 9}}));
}

TEST_P(EveryHolder, ThatIsGoneTellsEveryRow) {
  const fs::path path =
      write_table(std::string("t") + GetParam().ending, GetParam().column(some_bytes(9)));
  const Dataset rows = dataset(path);
  fs::resize_file(path, fs::file_size(path) / 3);
  for (const auto& error : read_all(rows).errors) {
    ASSERT_TRUE(error);
    EXPECT_NE(error->kind(), ErrorKind::not_found) << error->full();
  }
  fs::remove(path);
  for (const auto& error : read_all(rows).errors) EXPECT_TRUE(error);
}

TEST_P(EveryHolder, SurvivesDamageOfEveryKind) {
  const fs::path path =
      write_table(std::string("t") + GetParam().ending, GetParam().column(some_bytes(40)));
  const std::string whole = read_file(path);
  Rng rng(1, Stream::split);
  int hurt = 0;
  constexpr int kRounds = 150;
  for (int round = 0; round < kRounds; ++round) {
    std::string bytes = whole;
    if (round % 3 == 0) bytes.resize(rng.below(bytes.size()));
    for (std::uint64_t i = 0; round % 3 > 0 && i <= rng.below(4); ++i) {
      const std::size_t from = round % 3 == 1 ? bytes.size() - 700 : 0;
      bytes[from + rng.below(bytes.size() - from)] = static_cast<char>(rng.below(256));
    }
    std::ofstream(path, std::ios::binary) << bytes;
    try {
      const Dataset rows = dataset(path);
      for (const auto& error : read_all(rows).errors) hurt += error.has_value();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data) << error.full();
      ++hurt;
    }
  }
  EXPECT_GT(hurt, kRounds / 3);
}

TEST_F(PicturesTest, OfAStructWithoutBytesLieBesideTheTable) {
  fs::create_directories(folder_ / "sub dir");
  write("sub dir/1'.jpg", "from the file");
  const Cells cells = {"own", kNull, kNull, kNull};
  const Dataset rows = dataset(write_table("t.parquet", image_structs(cells)));
  const Read read = read_all(rows);
  EXPECT_THAT(read.bytes, ElementsAre("own", "from the file", "", ""));
  EXPECT_FALSE(read.errors[1]);
  for (std::size_t i : {2u, 3u}) EXPECT_EQ(read.errors[i].value().kind(), ErrorKind::not_found);
}

TEST_F(PicturesTest, ComeFromFilesFirstAndThenFromOneContainerAfterTheOther) {
  write("a.png", "file");
  const Dataset one =
      dataset(write_table("1.parquet", bytes_column<arrow::BinaryBuilder>({"x", "y"})));
  const Dataset two = dataset(write_table("2.arrow", bytes_column<arrow::BinaryBuilder>({"z"})));
  std::vector<Example> rows = {one[1], two[0], {}, one[0], {}};
  rows[4].image.path = folder_ / "a.png";
  for (Example& row : rows) row.labels.clear();
  const Read read = read_all(Dataset(rows, {}));
  EXPECT_THAT(read.order, ElementsAre(2, 4, 3, 0, 1));
  EXPECT_THAT(read.bytes, ElementsAre("y", "z", "", "x", "file"));
}

TEST_F(PicturesTest, AreDecodedTheSameByAnyNumberOfThreads) {
  Cells cells;
  for (int i = 0; i < 40; ++i) cells.push_back(encode_png(drawn::smooth(10 + i, 20)));
  cells[7] = "no picture";
  const Dataset rows = dataset(write_table("t.parquet", image_structs(cells)));
  const DecodedImages one = decode_images(rows, {8, ImageFit::pad, {}, 1});
  const DecodedImages eight = decode_images(rows, {8, ImageFit::pad, {}, 8});
  EXPECT_EQ(one.pixels, eight.pixels);
  EXPECT_EQ(one.digests, eight.digests);
  EXPECT_EQ(problems_csv(one.problems), problems_csv(eight.problems));
  ASSERT_EQ(one.problems.size(), 1u);
  EXPECT_EQ(one.problems[0].id, "sub dir/7'.jpg");
  std::vector<std::uint8_t> buffer;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i == 7) continue;
    write("alone.png", cells[i]);
    const auto alone = decode_file(folder_ / "alone.png", {8, ImageFit::pad, {}, 1});
    EXPECT_THAT(alone, ElementsAreArray(one.row(i, buffer))) << i;
  }
}

TEST_F(PicturesTest, ATableThatClaimsMoreRowsThanItHasBytesIsRefused) {
  const Cells cells(5000, kNull);
  const fs::path path = write_table("t.parquet", bytes_column<arrow::BinaryBuilder>(cells));
  ReadOptions options;
  options.needs_text = options.needs_label = false;
  EXPECT_EQ(read_dataset(path, options).size(), 5000u);
  const Cells many(5'000'000, kNull);
  const auto table = table_of({{"image", bytes_column<arrow::BinaryBuilder>(many)}});
  write("many.parquet", parquet_bytes(*table));
  EXPECT_THAT(error_of([&] { read_dataset(folder_ / "many.parquet", options); }).what(),
              HasSubstr("5000000 rows"));
}

}  // namespace
}  // namespace diptych
