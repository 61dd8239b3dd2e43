#include "data/table_stream.h"

#include <gmock/gmock.h>

#include "data/table_arrow.h"
#include "data/written_tables.h"

namespace diptych {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class TableStreamTest : public FolderTest {
 protected:
  std::filesystem::path parquet(const std::shared_ptr<arrow::Array>& numbers,
                                const std::shared_ptr<arrow::Array>& texts) const {
    const auto table = arrow::Table::Make(arrow::schema({arrow::field("number", numbers->type()),
                                                         arrow::field("text", texts->type())}),
                                          {numbers, texts});
    const auto sink = arrow::io::FileOutputStream::Open((folder_ / "t.parquet").string());
    EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), *sink, 5000).ok());
    return folder_ / "t.parquet";
  }
};

template <typename Builder, typename Value>
std::shared_ptr<arrow::Array> array_of(const std::vector<Value>& values) {
  Builder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return *builder.Finish();
}

std::vector<std::string> cells(TableStream& stream, const std::string& name) {
  TextColumn all;
  while (const auto batch = stream.next()) {
    add_cells(batch->GetColumnByName(name), name, "", all);
  }
  return {all.begin(), all.end()};
}

TEST_F(TableStreamTest, GivesEachRowOfParquetOnceAndInOrderOverGroupsAndBatches) {
  std::vector<std::int64_t> numbers;
  std::vector<std::string> texts, expected;
  for (int i = 0; i < 12345; ++i) {
    numbers.push_back(i);
    texts.push_back("가 " + std::to_string(i));
    expected.push_back(std::to_string(i));
  }
  TableStream stream(
      parquet(array_of<arrow::Int64Builder>(numbers), array_of<arrow::StringBuilder>(texts)));
  EXPECT_EQ(stream.rows(), 12345);
  EXPECT_EQ(cells(stream, "number"), expected);
  TableStream again(folder_ / "t.parquet", {"text"});
  EXPECT_EQ(again.schema()->num_fields(), 1);
  EXPECT_EQ(cells(again, "text"), texts);
}

TEST_F(TableStreamTest, ReadsCellsOfCsvAsTheyAreWritten) {
  TableStream stream(write("t.csv", "id,text\n007,\"a, \"\"b\"\"\n한\"\n,\nNA,1e3\n"));
  EXPECT_EQ(stream.rows(), -1);
  EXPECT_THAT(cells(stream, "id"), ElementsAre("007", "", "NA"));
  TableStream tabs(write("t.tsv", "id\ttext\n1\ta,b\n"), {"text"});
  EXPECT_THAT(cells(tabs, "text"), ElementsAre("a,b"));
}

TEST_F(TableStreamTest, RepairsTextThatIsNotUtf8) {
  arrow::BinaryBuilder bytes;
  ASSERT_TRUE(bytes
                  .AppendValues({"good",
                                 "b\xff"
                                 "d"})
                  .ok());
  ASSERT_TRUE(bytes.AppendNull().ok());
  const auto texts = (*bytes.Finish())->View(arrow::utf8());
  TableStream stream(
      parquet(array_of<arrow::Int64Builder>(std::vector<std::int64_t>{1, 2, 3}), *texts));
  const auto batch = stream.next();
  ASSERT_TRUE(batch->ValidateFull().ok());
  EXPECT_TRUE(batch->GetColumnByName("text")->IsNull(2));
  EXPECT_EQ((*batch->GetColumnByName("text")->GetScalar(1))->ToString(), "b\uFFFDd");
  TableStream csv(write("t.csv",
                        "text\nb\xff"
                        "d\n"));
  EXPECT_THAT(cells(csv, "text"), ElementsAre("b\uFFFDd"));
}

TEST_F(TableStreamTest, NamesTheColumnThatIsMissingAndThoseThatAreThere) {
  const auto path = write("t.csv", "url,title\n1,2\n");
  const Error error = error_of([&] { TableStream(path, {"urll"}); });
  EXPECT_EQ(error.kind(), ErrorKind::data);
  EXPECT_THAT(error.full(), HasSubstr("'urll'"));
  EXPECT_THAT(error.hint(), HasSubstr("did you mean 'url'? columns: url, title"));
}

TEST_F(TableStreamTest, RefusesWhatIsNoTable) {
  EXPECT_EQ(error_of([&] { TableStream(folder_ / "absent.parquet"); }).kind(),
            ErrorKind::not_found);
  for (const char* name : {"t.parquet", "t.txt", "t"}) {
    const auto path = write(name, "PAR1 this is no table PAR1");
    EXPECT_EQ(error_of([&] { TableStream stream(path); }).kind(), ErrorKind::data) << name;
  }
  const auto ragged = write("t.csv", "a,b\n1,2\n3\n");
  EXPECT_EQ(error_of([&] {
              TableStream stream(ragged);
              while (stream.next()) {
              }
            }).kind(),
            ErrorKind::data);
}

TEST_F(TableStreamTest, DamagedParquetEndsInRowsOrARefusal) {
  std::vector<std::int64_t> numbers(300, 7);
  const std::vector<std::string> texts(300, "text");
  parquet(array_of<arrow::Int64Builder>(numbers), array_of<arrow::StringBuilder>(texts));
  const std::string whole = read_file(folder_ / "t.parquet");
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
    const auto path = write("damaged.parquet", bytes);
    try {
      TableStream stream(path);
      while (stream.next()) {
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data) << error.full();
      ++refused;
    }
  }
  EXPECT_GT(refused, 50);
}

TEST_F(TableStreamTest, RefusesParquetThatHasOtherRowsThanItClaims) {
  const std::string three = parquet_of(text_columns({"url"}, {{"a"}, {"b"}, {"c"}}));
  const auto error_of_claim = [&](std::uint64_t rows) {
    const auto path = write("t.parquet", claiming_rows(three, rows));
    return error_of([&] {
             TableStream stream(path);
             while (stream.next()) continue;
           })
        .full();
  };
  EXPECT_THAT(error_of_claim(4), AllOf(HasSubstr("has 3 rows instead of 4"), HasSubstr("t.parq")));
  EXPECT_THAT(error_of_claim(1ULL << 40), HasSubstr("has 3 rows instead of 1099511627776"));
  EXPECT_THAT(error_of_claim(1ULL << 62), HasSubstr("claims 4611686018427387904 rows"));
}

TEST_F(TableStreamTest, RefusesNullsInAColumnThatIsDeclaredWithoutThem) {
  arrow::Int64Builder numbers;
  ASSERT_TRUE(numbers.Append(1).ok() && numbers.AppendNull().ok());
  const auto schema = arrow::schema({arrow::field("n", arrow::int64(), /*nullable=*/false)});
  const auto table = arrow::Table::Make(schema, {*numbers.Finish()});
  TableStream stream(write("t.arrow", arrow_bytes(*table, Ipc::stream)));
  const Error error = error_of([&] { stream.next(); });
  EXPECT_THAT(error.full(),
              AllOf(HasSubstr("column 'n' is declared without nulls"), HasSubstr("t.arrow")));
}

}  // namespace
}  // namespace diptych
