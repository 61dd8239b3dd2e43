#include "download/fetch.h"

#include <gmock/gmock.h>

#include <set>

#include "data/dataset.h"
#include "data/table_stream.h"
#include "data/tar_file.h"
#include "data/written_tables.h"
#include "download/local_server.h"

namespace diptych {
namespace {
namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::HasSubstr;
using Files = std::map<std::string, std::string>;  // name → bytes

// Pictures and failures in turn, with texts; the paths start with `from`.
std::vector<Cells> listed(const LocalServer& server, int rows, int from = 0) {
  std::vector<Cells> list;
  for (int i = from; i < from + rows; ++i) {
    const char* kind = i % 5 == 3 ? "not_found" : i % 7 == 2 ? "html" : "jpeg_picture";
    list.push_back({server.url(fmt::format("{}/{}", kind, i)), fmt::format("글 {}", i)});
  }
  return list;
}

class FetchTest : public FolderTest {
 protected:
  LocalServer server_;  // its own: what was asked for is counted
  const Cells names_ = {"url", "text"};

  FetchOptions options(const std::string& list, const std::string& ending = ".csv") const {
    FetchOptions options;
    options.download = local_options();
    options.layout = {.folder = folder_ / "out", .rows = 10};
    options.lists = {write("list" + ending, list)};
    options.threads = 2;
    return options;
  }
  FetchOptions options(int rows) const {
    return options(as_table(".csv", names_, listed(server_, rows)));
  }
};

std::set<fs::path> tables_in(const fs::path& folder) {
  std::set<fs::path> tables;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".parquet") tables.insert(entry.path());
  }
  return tables;
}

// A column of all shards.
Cells column(const fs::path& folder, const std::string& name) {
  TextColumn cells;
  for (const fs::path& path : tables_in(folder)) {
    TableStream stream(path, {name});
    while (const auto batch = stream.next()) add_cells(batch->column(0), name, path, cells);
  }
  return {cells.begin(), cells.end()};
}

Files files_of(const fs::path& tar) {
  Files files;
  TarReader reader(tar);
  while (const auto* member = reader.next()) files[member->name] = reader.read(1 << 24);
  EXPECT_EQ(reader.loss(), "");
  return files;
}

Files all_files(const fs::path& folder) {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const fs::path& path = entry.path();
    if (path.extension() == ".tar") {
      files.merge(files_of(path));
    } else if (entry.is_regular_file() && path.parent_path() != folder) {
      files[path.filename().string()] = read_file(path);
    }
  }
  return files;
}

// Each row once, in the order of the list, with the files of those that were fetched and no others.
void expect_whole(const fs::path& folder, const std::vector<Cells>& list) {
  Cells urls;
  for (const Cells& row : list) urls.push_back(row.front());
  EXPECT_EQ(column(folder, "url"), urls);
  const Cells keys = column(folder, "key"), statuses = column(folder, "status"),
              hashes = column(folder, "sha256");
  Files files = all_files(folder);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const bool is_fetched = urls[i].find("jpeg_picture") != std::string::npos;
    EXPECT_EQ(statuses[i] == "success", is_fetched) << urls[i];
    if (!is_fetched) continue;
    const auto taken = files.extract(keys[i] + ".jpg");
    ASSERT_FALSE(taken.empty()) << keys[i];
    EXPECT_EQ(sha256_hex(taken.mapped()), hashes[i]);
    EXPECT_EQ(files.extract(keys[i] + ".txt").mapped(), list[i][1]);
    EXPECT_EQ(nlohmann::json::parse(files.extract(keys[i] + ".json").mapped())["url"], urls[i]);
  }
  EXPECT_TRUE(files.empty()) << files.begin()->first;
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), keys.size());
}

TEST_F(FetchTest, EveryRowGetsItsOutcomeWhateverItsServerDoes) {
  std::vector<Cells> list;
  Counts expected;
  for (const auto& [kind, reason] : bad_kinds()) {
    if (reason == "timed out" || reason.find('|') != std::string::npos) continue;
    for (int n = 0; n < 2; ++n) list.push_back({server_.url(fmt::format("{}/{}", kind, n)), kind});
    expected[reason] += 2;
  }
  list.push_back({"", "no URL"});
  ++expected["not a URL of http or https"];
  const FetchOptions asked = options(as_table(".csv", names_, list));
  const Counts counts = fetch(asked);
  EXPECT_EQ(counts, expected);
  EXPECT_EQ(rows_in(counts), std::ssize(list));
  Counts in_tables;
  const Cells statuses = column(asked.layout.folder, "status"),
              reasons = column(asked.layout.folder, "error_message");
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    ++in_tables[statuses[i] == "success" ? "success" : reasons[i]];
  }
  EXPECT_EQ(in_tables, expected);
}

TEST_F(FetchTest, WritesTarsOrFoldersThatHoldWhatTheTablesSay) {
  const auto list = listed(server_, 25);
  FetchOptions asked = options(25);
  EXPECT_EQ(rows_in(fetch(asked)), 25);
  expect_whole(asked.layout.folder, list);
  const Files tars = all_files(asked.layout.folder);
  asked.layout.folder = folder_ / "files";
  asked.layout.format = ShardFormat::files;
  EXPECT_EQ(rows_in(fetch(asked)), 25);
  expect_whole(asked.layout.folder, list);
  EXPECT_EQ(all_files(asked.layout.folder), tars);
  EXPECT_EQ(tables_in(asked.layout.folder).size(), 3U);
}

TEST_F(FetchTest, IsReadBackByDiptychItself) {
  std::vector<Cells> list = listed(server_, 25);
  for (std::size_t i = 0; i < list.size(); ++i) list[i].push_back(i % 2 ? "고양이" : "a \"dog\"");
  for (const ShardFormat format : {ShardFormat::webdataset, ShardFormat::files}) {
    FetchOptions asked = options(as_table(".csv", {"url", "text", "label"}, list));
    asked.layout.folder = folder_ / (format == ShardFormat::files ? "files" : "tars");
    asked.layout.format = format;
    const Counts counts = fetch(asked);
    const Dataset dataset = read_dataset(asked.layout.folder, {});
    EXPECT_EQ(dataset.size(), static_cast<std::size_t>(fetched_in(counts)));
    EXPECT_EQ(dataset.rows_read(), 25);
    EXPECT_THAT(dataset.classes(), ElementsAre("a \"dog\"", "고양이"));
    std::set<std::string> texts;  // a tar has them as they arrived
    for (std::size_t i = 0; i < dataset.size(); ++i) texts.emplace(dataset[i].text);
    EXPECT_EQ(texts.size(), dataset.size());
    EXPECT_EQ(texts.count("글 0"), 1U);
    EXPECT_EQ(dataset.skipped().size(), 2U) << "HTTP status 404 and not a picture";
  }
}

TEST_F(FetchTest, GoesOnAfterAStopAtAnyMomentLosingNothingAndKeepingWhatWasFinished) {
  const auto list = listed(server_, 60);
  FetchOptions asked = options(60);
  asked.download.connections = 4;
  for (std::int64_t most = 5; most <= 60; most += 10) {
    const std::set<fs::path> before = [&] {
      std::set<fs::path> tables;
      if (fs::exists(asked.layout.folder)) {
        for (const fs::path& path : tables_in(asked.layout.folder)) tables.insert(path);
      }
      return tables;
    }();
    const auto stop = [&](const FetchProgress& now) {
      EXPECT_EQ(now.asked, 60);
      if (now.answered >= most) throw Error(ErrorKind::interrupted, "stopped");
    };
    EXPECT_EQ(error_of([&] { fetch(asked, stop); }).kind(), ErrorKind::interrupted);
    for (const fs::path& path : before) EXPECT_TRUE(fs::exists(path)) << path;
    asked.resume = true;
  }
  const Counts counts = fetch(asked);
  EXPECT_EQ(rows_in(counts), 60);
  expect_whole(asked.layout.folder, list);
  const auto seen = server_.seen();
  EXPECT_EQ(fetch(asked), counts);  // nothing is left to do
  const auto now_seen = server_.seen();
  for (const auto& [path, times] : seen) {
    if (path == "/_seen") continue;
    EXPECT_EQ(now_seen.at(path), times) << path;
  }
}

TEST_F(FetchTest, FetchesAnewWhatAKillLeftUnfinishedAndNothingElse) {
  const auto list = listed(server_, 30);
  FetchOptions asked = options(30);
  const Counts counts = fetch(asked);
  const fs::path& out = asked.layout.folder;
  // As after a kill between the two last steps of shard 1, and in the midst of shard 2.
  fs::remove(out / "00001_stats.json");
  fs::rename(out / "00002.tar", out / "00002.tar.partial-77");
  fs::remove(out / "00002.parquet");
  fs::remove(out / "00002_stats.json");
  write_file(out / "00002_stats.json.partial-77", "{");
  asked.resume = true;
  EXPECT_EQ(fetch(asked), counts);
  expect_whole(out, list);
  for (const auto& entry : fs::directory_iterator(out)) {
    EXPECT_EQ(entry.path().string().find(kPartial), std::string::npos) << entry.path();
  }
  const auto seen = server_.seen();
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string& url = list[i][0];
    EXPECT_EQ(seen.at(url.substr(url.find('/', 8))), i < 10 ? 1 : 2) << url;
  }
}

TEST_F(FetchTest, MachinesThatShareAListFetchEachRowOnce) {
  const auto list = listed(server_, 47);
  FetchOptions asked = options(47);
  asked.world_size = 3;
  Counts counts;
  std::int64_t of_ranks = 0;
  for (asked.rank = 0; asked.rank < 3; ++asked.rank) {
    add_to(counts, fetch(asked, [&](const FetchProgress& now) { of_ranks += now.asked ? 0 : 1; }));
  }
  EXPECT_EQ(of_ranks, 0);
  EXPECT_EQ(rows_in(counts), 47);
  expect_whole(asked.layout.folder, list);
  for (const auto& [path, times] : server_.seen()) EXPECT_EQ(times, 1) << path;
}

TEST_F(FetchTest, ARankKnowsHowManyRowsAreItsOwn) {
  FetchOptions asked = options(47);  // shards of 10: 0 to 4, the last with 7
  asked.world_size = 2;
  for (const auto& [rank, rows] : std::map<int, int>{{0, 27}, {1, 20}}) {
    asked.rank = rank;
    FetchProgress last;
    fetch(asked, [&](const FetchProgress& now) { last = now; });
    EXPECT_EQ(last.asked, rows);
    EXPECT_EQ(last.answered, rows);
  }
}

TEST_F(FetchTest, AFolderIsOfOneListAndOneSetOfSettings) {
  FetchOptions asked = options(12);
  fetch(asked);
  EXPECT_EQ(error_of([&] { fetch(asked); }).kind(), ErrorKind::exists);
  asked.resume = true;
  asked.layout.rows = 6;
  EXPECT_EQ(error_of([&] { fetch(asked); }).kind(), ErrorKind::config);
  asked.layout.rows = 10;
  const auto longer = listed(server_, 13);
  write("list.csv", as_table(".csv", names_, longer));
  EXPECT_EQ(error_of([&] { fetch(asked); }).kind(), ErrorKind::config);
  fs::create_directories(folder_ / "other");
  write_file(folder_ / "other/notes.txt", "");
  write_file(folder_ / "other/00001.tar.partial-77", "");
  asked.layout.folder = folder_ / "other";
  EXPECT_EQ(error_of([&] { fetch(asked); }).kind(), ErrorKind::exists);
  EXPECT_TRUE(fs::exists(folder_ / "other/notes.txt"));
  EXPECT_TRUE(fs::exists(folder_ / "other/00001.tar.partial-77"));
}

TEST_F(FetchTest, ClearsAwayWhatAKilledRunOfItsOwnRankLeftAndNoOtherRanks) {
  FetchOptions asked = options(30);
  const fs::path& out = asked.layout.folder;
  fs::create_directories(out);
  write_file(out / "fetch.settings.partial-77", "");  // before it began: the folder is still empty
  fetch(asked);
  EXPECT_FALSE(fs::exists(out / "fetch.settings.partial-77"));
  fs::create_directories(out / "00000.partial-77");
  write_file(out / "00001.tar.partial-77", "");
  asked.world_size = 2;
  asked.resume = true;
  fetch(asked);
  EXPECT_FALSE(fs::exists(out / "00000.partial-77"));
  EXPECT_TRUE(fs::exists(out / "00001.tar.partial-77"));
}

TEST_F(FetchTest, OverwriteReplacesEveryShardOfAnEarlierList) {
  FetchOptions asked = options(45);
  fetch(asked);
  const auto shorter = listed(server_, 12, 100);
  write("list.csv", as_table(".csv", names_, shorter));
  asked.overwrite = true;
  fetch(asked);
  expect_whole(asked.layout.folder, shorter);
}

TEST_F(FetchTest, SeveralListsAreReadAsOne) {
  FetchOptions asked = options(14);
  asked.lists.push_back(write("more.csv", as_table(".csv", names_, listed(server_, 9, 14))));
  fetch(asked);
  expect_whole(asked.layout.folder, listed(server_, 23));
  asked.layout.folder = folder_ / "refused";
  asked.lists.push_back(write("odd.csv", "url,title\nx,y\n"));
  const Error error = error_of([&] { fetch(asked); });
  EXPECT_EQ(error.kind(), ErrorKind::data);
  EXPECT_THAT(error.where(), HasSubstr("odd.csv"));
  EXPECT_FALSE(fs::exists(folder_ / "refused"));
}

TEST_F(FetchTest, AListThatClaimsATrillionRowsIsReadToItsEndAndRefused) {
  const std::string three = parquet_of(text_columns({"url"}, {{"a"}, {"b"}, {"c"}}));
  FetchOptions asked = options(claiming_rows(three, 1ULL << 40), ".parquet");
  asked.layout.rows = 1;
  const Error error = error_of([&] { fetch(asked); });
  EXPECT_THAT(error.full(), HasSubstr("has 3 rows instead of 1099511627776"));
  EXPECT_THAT(error.where(), HasSubstr("list.parquet"));
}

TEST_F(FetchTest, AListWithoutRowsGivesNothingAndSaysSo) {
  FetchOptions asked = options("url,text\n");
  EXPECT_EQ(counts_table(fetch(asked)), counts_table({}));
  EXPECT_TRUE(tables_in(asked.layout.folder).empty());
}

TEST_F(FetchTest, KeepsEveryColumnOfTheListInItsOwnType) {
  arrow::ListBuilder tags(arrow::default_memory_pool(), std::make_shared<arrow::StringBuilder>());
  ASSERT_TRUE(tags.Append().ok());
  auto& words = static_cast<arrow::StringBuilder&>(*tags.value_builder());
  ASSERT_TRUE(words.AppendValues({"빨강", "a, b"}).ok());
  const Columns columns = {
      {"link", column_of<arrow::StringBuilder>(Cells{server_.url("png_picture/1")})},
      {"url", column_of<arrow::StringBuilder>(Cells{"its own"})},
      {"status", column_of<arrow::BooleanBuilder>(std::vector<bool>{true})},
      {"id", column_of<arrow::Int64Builder>(std::vector<std::int64_t>{1LL << 60})},
      {"score", column_of<arrow::DoubleBuilder>(std::vector<double>{0.125})},
      {"undefined", column_of<arrow::DoubleBuilder>(std::vector<double>{NAN})},
      {"tags", tags.Finish().ValueOrDie()}};
  FetchOptions asked = options(parquet_of(columns), ".parquet");
  asked.layout.url_column = "link";
  EXPECT_EQ(fetched_in(fetch(asked)), 1);
  const fs::path& out = asked.layout.folder;
  EXPECT_THAT(column(out, "url"), ElementsAre(server_.url("png_picture/1")));
  EXPECT_THAT(column(out, "listed_url"), ElementsAre("its own"));
  EXPECT_THAT(column(out, "status"), ElementsAre("success"));
  EXPECT_THAT(column(out, "width"), ElementsAre("12"));
  EXPECT_THAT(column(out, "original_height"), ElementsAre("9"));
  const Files files = all_files(out);
  EXPECT_FALSE(files.contains("000000.txt")) << "a list without texts";
  const auto json = nlohmann::json::parse(files.at("000000.json"));
  EXPECT_EQ(json["listed_status"], true);
  EXPECT_EQ(json["id"], 1LL << 60);
  EXPECT_EQ(json["score"], 0.125);
  EXPECT_TRUE(json["undefined"].is_null());
  EXPECT_EQ(json["tags"], nlohmann::json::parse(R"(["빨강", "a, b"])"));
  EXPECT_EQ(json["sha256"], column(out, "sha256").front());
}

TEST_F(FetchTest, FlagsPicturesThatAreNotThoseOfTheirListedHash) {
  const std::string url = server_.url("jpeg_picture/1");
  FetchOptions asked = options(url + "\n");
  const Cells names = {"url", "image_phash"};
  const auto distances = [&](const std::string& hash) {
    write("list.csv", as_table(".csv", names, {{url, hash}}));
    asked.overwrite = true;
    fetch(asked);
    return column(asked.layout.folder, "phash_distance").front();
  };
  asked.layout.phash_radius = 64;
  const int zeros = std::stoi(distances("0000000000000000"));
  EXPECT_EQ(std::stoi(distances("ffffffffffffffff")), 64 - zeros);
  for (const char* none : {"", "0", "000000000000000g", "00000000000000000", "-000000000000001"}) {
    EXPECT_EQ(distances(none), "") << none;
  }
  EXPECT_EQ(column(asked.layout.folder, "status").front(), "success");
  asked.layout.phash_radius = zeros - 1;
  EXPECT_EQ(distances("0000000000000000"), std::to_string(zeros));
  EXPECT_THAT(column(asked.layout.folder, "status"), ElementsAre("swapped"));
  EXPECT_THAT(column(asked.layout.folder, "error_message"), ElementsAre("another picture"));
  EXPECT_THAT(column(asked.layout.folder, "sha256"), ElementsAre(""));
  EXPECT_TRUE(all_files(asked.layout.folder).empty());
  asked.layout.phash_column = "none";
  EXPECT_EQ(fetched_in(fetch(asked)), 1);
}

TEST_F(FetchTest, AColumnThatIsNamedMustBeThere) {
  const FetchOptions asked = options(3);
  using L = ShardLayout;
  for (auto member : {&L::url_column, &L::text_column, &L::phash_column}) {
    FetchOptions wrong = asked;
    wrong.layout.*member = "absent";
    EXPECT_THAT(error_of([&] { fetch(wrong); }).full(), HasSubstr("'absent'"));
  }
}

}  // namespace
}  // namespace diptych
