// Which layout stands on the disk, and what each of them makes of it.
#include "data/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/written_tables.h"
#include "data/written_tars.h"

namespace diptych {
namespace {
namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class LayoutTest : public FolderTest {
 protected:
  // Text without waiting for the disk.
  void put(const std::string& name, const std::string& bytes = "x") const {
    fs::create_directories((folder_ / name).parent_path());
    write(name, bytes);
  }
  Dataset read(const std::string& name = ".", const ReadOptions& options = {}) const {
    return read_dataset(folder_ / name, options);
  }
  Error refused(const std::string& name = ".", const ReadOptions& options = {}) const {
    return error_of([&] { read(name, options); });
  }
};

// "id: text/label/part" of each row; the picture's file must be the one that the id names.
Cells lines(const Dataset& dataset) {
  Cells lines;
  const char* parts[] = {"", "train", "validation", "test"};
  for (const Example& row : dataset.rows()) {
    std::string labels;
    for (int label : row.labels) labels += dataset.classes()[static_cast<std::size_t>(label)];
    lines.push_back(row.id + ": " + row.text + "/" + labels + "/" +
                    parts[static_cast<int>(row.part)]);
  }
  return lines;
}

const std::vector<Cells> kRows = {{"a.png", "one", "x"}, {"b.png", "two", "y"}};
const Cells kNames = {"image", "text", "label"};

TEST_F(LayoutTest, ClassFoldersNameTheClassAndTextsLieBesideThePictures) {
  put("과일/사과 '1'.jpg");
  put("과일/사과 '1'.txt", "\xef\xbb\xbf빨간 \"사과\"\r\n");
  put("과일/IMG.2020.01.JPEG");
  put("animals/b c.webp");
  put("animals/b c.txt", "two\nlines\n");
  put("animals/notes.md");
  put("animals/.hidden.jpg");
  put(".cache/x.jpg");
  put("empty/readme.txt");
  const Dataset dataset = read();
  EXPECT_THAT(lines(dataset),
              ElementsAre("animals/b c.webp: two\nlines/animals/", "과일/IMG.2020.01.JPEG: /과일/",
                          "과일/사과 '1'.jpg: 빨간 \"사과\"/과일/"));
  for (const Example& row : dataset.rows()) EXPECT_EQ(row.image.path, folder_ / "." / row.id);
  EXPECT_EQ(dataset.source(), (folder_ / ".").string());
}

TEST_F(LayoutTest, PicturesInNoClassFolderHaveNoLabel) {
  put("a/1.jpg");
  put("a/1.txt", "t");
  put("loose.png");
  EXPECT_EQ(read().skipped(), (std::map<std::string, std::int64_t>{{"empty label", 1}}));
  ReadOptions options;
  options.needs_label = false;
  EXPECT_EQ(read(".", options).size(), 2u);
  options.needs_text = false;
  EXPECT_THAT(lines(read("a", options)), ElementsAre("1.jpg: t//"));
}

TEST_F(LayoutTest, PicturesDeeperThanClassFoldersAreRefused) {
  put("train/cat/1.jpg");
  put("train/2.jpg");
  put("other/3.jpg");
  EXPECT_THAT(refused().full(), AllOf(HasSubstr("train/cat"), HasSubstr("deeper"),
                                      HasSubstr("the folder whose folders are the classes")));
}

TEST_F(LayoutTest, PicturesOfFormatsThatAreNotReadAreRowsToo) {
  put("a/1.tiff");
  put("a/2.heic");
  put("a/3.jpg");
  ReadOptions options;
  options.needs_text = false;
  EXPECT_EQ(read(".", options).size(), 3u);
}

TEST_F(LayoutTest, MetadataNamesItsPicturesByFileName) {
  put("sub dir/사과.jpg");
  for (const std::string name : {"metadata.csv", "metadata.jsonl", "metadata.parquet"}) {
    const std::string ending = fs::path(name).extension().string();
    put(name,
        as_table(ending, {"file_name", "text", "label"}, {{"sub dir/사과.jpg", "빨간", "과일"}}));
    for (const std::string& path : {std::string("."), name}) {
      const Dataset dataset = read(path);
      EXPECT_THAT(lines(dataset), ElementsAre("sub dir/사과.jpg: 빨간/과일/"));
      EXPECT_TRUE(fs::exists(dataset[0].image.path));
    }
    fs::remove(folder_ / name);
  }
  put("metadata.csv", as_table(".csv", {"other", "text", "label"}, {{"a", "b", "c"}}));
  EXPECT_THAT(refused().full(), HasSubstr("there is no column 'image'; the columns are: other"));
  ReadOptions options;
  options.image_column = "other";
  EXPECT_THAT(lines(read(".", options)), ElementsAre("a: b/c/"));
}

TEST_F(LayoutTest, PartsOfATableAreReadInOrderOfTheirNames) {
  for (const char* ending : {".parquet", ".arrow"}) {
    fs::create_directories(folder_ / "parts");
    for (int i : {2, 0, 1}) {
      const std::string number = std::to_string(i);
      put("parts/data-0000" + number + "-of-00003" + ending,
          as_table(ending, kNames, {{number + ".png", "t" + number, "x"}}));
    }
    put("parts/dataset_info.json", "{}");
    EXPECT_THAT(lines(read("parts")), ElementsAre("0.png: t0/x/", "1.png: t1/x/", "2.png: t2/x/"));
    EXPECT_THAT(lines(read("parts/data-{00002..00002}-of-00003" + std::string(ending))),
                ElementsAre("2.png: t2/x/"));
    EXPECT_EQ(read("parts")[1].image.path, folder_ / "parts" / "1.png");
    EXPECT_EQ(read("parts")[2].row, 3);
    fs::remove_all(folder_ / "parts");
  }
}

TEST_F(LayoutTest, PartsThatLackAColumnOfTheOthersAreRefused) {
  put("1.parquet", as_table(".parquet", kNames, kRows));
  put("2.parquet", as_table(".parquet", {"image", "label"}, {{"c", "x"}}));
  for (const char* pattern : {".", "{2,1}.parquet"}) {
    EXPECT_THAT(refused(pattern).full(),
                AllOf(HasSubstr("column 'text' is not in every file"), HasSubstr(".parquet")));
  }
}

TEST_F(LayoutTest, OneTableAloneIsThatTable) {
  put("rows.csv", as_table(".csv", kNames, kRows));
  EXPECT_EQ(read().size(), 2u);
  EXPECT_EQ(read().source(), (folder_ / "." / "rows.csv").string());
}

TEST_F(LayoutTest, ATableNamedDataStandsForItsFolderWhateverElseIsThere) {
  put("data.csv", as_table(".csv", kNames, kRows));
  put("images/a.png");
  put("other.csv", "x");
  put("1.tar", "x");
  EXPECT_THAT(lines(read()), ElementsAre("a.png: one/x/", "b.png: two/y/"));
}

TEST_F(LayoutTest, TwoLayoutsInOneFolderAreNotChosenBetween) {
  struct Case {
    std::vector<const char*> files;
    const char *one, *other;
  };
  for (const auto& [files, one, other] : std::vector<Case>{
           {{"a.csv", "b.csv"}, "a.csv", "b.csv"},
           {{"a.csv", "b.parquet"}, "a.csv", "b.parquet"},
           {{"train.csv", "sample.csv"}, "sample.csv", "train.csv"},
           {{"labels.csv", "images/1.jpg"}, "labels.csv", "pictures in the folder images"},
           {{"labels.csv", "1.jpg"}, "labels.csv", "pictures"},
           {{"1.tar", "rows.parquet"}, "rows.parquet", "1.tar"},
           {{"1.tar", "cat/1.jpg"}, "1.tar", "pictures in the folder cat"},
           {{"data.csv", "data.arrow"}, "data.arrow", "data.csv"},
           {{"data.csv", "metadata.csv"}, "data.csv", "metadata.csv"}}) {
    for (const char* file : files) put(std::string("d/") + file);
    const Error error = refused("d");
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_THAT(error.full(), AllOf(HasSubstr(std::string("both ") + one + " and " + other),
                                    HasSubstr("name the one that is meant")));
    fs::remove_all(folder_ / "d");
  }
}

TEST_F(LayoutTest, AFolderWithoutDataIsToldWhatCouldBeThere) {
  put("notes.txt");
  put("sub/readme.md");
  const Error error = refused();
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_THAT(error.full(),
              AllOf(HasSubstr("WebDataset"), HasSubstr("img2dataset"), HasSubstr("class folders")));
  EXPECT_EQ(refused("absent").kind(), ErrorKind::not_found);
  EXPECT_EQ(refused("absent-{0..3}.tar").kind(), ErrorKind::not_found);
}

// Splits that names give.

TEST_F(LayoutTest, FoldersNamedForPartsOfASplitAreEachALayout) {
  put("train/cat/1.jpg");
  put("train/cat/1.txt", "t");
  put("valid/dog/1.jpg");
  put("test/metadata.csv", "file_name,text,label\n1.jpg,u,cat\n");
  put("test/1.jpg");
  put("dataset_dict.json", "{}");
  EXPECT_THAT(lines(read()), ElementsAre("test/1.jpg: u/cat/test", "train/cat/1.jpg: t/cat/train",
                                         "valid/dog/1.jpg: /dog/validation"));
  ReadOptions options;
  options.split_column = kNone;
  EXPECT_THAT(
      lines(read(".", options)),
      ElementsAre("test/1.jpg: u/cat/", "train/cat/1.jpg: t/cat/", "valid/dog/1.jpg: /dog/"));
}

TEST_F(LayoutTest, FilesNamedForPartsOfASplitGiveIt) {
  for (const char* ending : {".csv", ".parquet"}) {
    put(std::string("d/train-00000-of-00002") + ending, as_table(ending, kNames, {{"a", "", "x"}}));
    put(std::string("d/train-00001-of-00002") + ending, as_table(ending, kNames, {{"b", "", "x"}}));
    put(std::string("d/Test") + ending, as_table(ending, kNames, {{"c", "", "y"}}));
    EXPECT_THAT(lines(read("d")), ElementsAre("c: /y/test", "a: /x/train", "b: /x/train"));
    fs::remove_all(folder_ / "d");
  }
  const auto tar = [](const std::string& label) {
    return tar_of({{"1.jpg", "p"}, {"1.cls", label}, {"1.txt", ""}});
  };
  put("d/train-0.tar", tar("a"));
  put("d/test-0.tar", tar("b"));
  EXPECT_THAT(lines(read("d/{train,test}-0.tar")),
              ElementsAre("train-0.tar/1.jpg: /a/train", "test-0.tar/1.jpg: /b/test"));
  put("d/more-0.tar", tar("c"));
  EXPECT_THAT(refused("d").full(),
              AllOf(HasSubstr("more-0.tar"), HasSubstr("--split-column none")));
  ReadOptions options;
  options.split_column = kNone;
  EXPECT_EQ(read("d", options).size(), 3u);
}

TEST_F(LayoutTest, OnePartAloneIsNoSplit) {
  put("train-00000.parquet", as_table(".parquet", kNames, kRows));
  EXPECT_THAT(lines(read()), ElementsAre("a.png: one/x/", "b.png: two/y/"));
  put("d/train/cat/1.jpg");
  put("d/train/cat/1.txt", "t");
  EXPECT_THAT(lines(read("d")), ElementsAre("train/cat/1.jpg: t/cat/"));
}

TEST_F(LayoutTest, AColumnOfTheDataSaysMoreThanAName) {
  const Cells names = {"image", "text", "label", "split"};
  put("train.csv", as_table(".csv", names, {{"a", "", "x", "train"}, {"b", "", "x", "val"}}));
  put("test.csv", as_table(".csv", names, {{"c", "", "x", "test"}}));
  EXPECT_THAT(lines(read()), ElementsAre("c: /x/test", "a: /x/train", "b: /x/validation"));
}

TEST_F(LayoutTest, FoldersOfPicturesNamedForPartsMayBeClassesAndAreNotGuessed) {
  put("train/1.jpg");
  put("test/2.jpg");
  EXPECT_THAT(refused().full(),
              AllOf(HasSubstr("test"), HasSubstr("class, or of a part of a split")));
  put("bus/3.jpg");  // now they are vehicles
  ReadOptions options;
  options.needs_text = false;
  EXPECT_THAT(lines(read(".", options)),
              ElementsAre("bus/3.jpg: /bus/", "test/2.jpg: /test/", "train/1.jpg: /train/"));
}

TEST_F(LayoutTest, FoldersThatAreLinksToThemselvesEnd) {
  fs::create_directory_symlink(".", folder_ / "train");
  fs::create_directory_symlink(".", folder_ / "test");
  EXPECT_EQ(refused().kind(), ErrorKind::not_found);
}

// img2dataset.

TEST_F(LayoutTest, FoldersThatImg2datasetListsAreRowsOfPicturesWithTheirJson) {
  for (const std::string shard : {"00000", "00001"}) {
    put(shard + "/" + shard + "1.jpg");
    put(shard + "/" + shard + "1.txt", "caption " + shard);
    put(shard + "/" + shard + "1.json", R"({"caption": "caption", "label": "cat", "key": "1"})");
    put(shard + ".parquet",
        parquet_of(text_columns({"key", "url", "status", "error_message"},
                                {{shard + "1", "u", "success", ""},
                                 {shard + "2", "u", "failed_to_download", "timed out"}})));
    put(shard + "_stats.json", "{}");
  }
  const Dataset dataset = read();
  EXPECT_THAT(lines(dataset), ElementsAre("00000/000001.jpg: caption 00000/cat/",
                                          "00001/000011.jpg: caption 00001/cat/"));
  EXPECT_EQ(dataset.rows_read(), 4);
  EXPECT_EQ(dataset.skipped(),
            (std::map<std::string, std::int64_t>{{"failed download: timed out", 2}}));
  EXPECT_EQ(dataset.problems()[0].id, "00000/000002");
}

// Patterns.

TEST(Braces, ExpandAsInAShell) {
  EXPECT_THAT(expand_braces("a"), ElementsAre("a"));
  EXPECT_THAT(expand_braces("a{1..3}b"), ElementsAre("a1b", "a2b", "a3b"));
  EXPECT_THAT(expand_braces("{08..11}"), ElementsAre("08", "09", "10", "11"));
  EXPECT_THAT(expand_braces("{7..7}"), ElementsAre("7"));
  EXPECT_THAT(expand_braces("{x,,yz}."), ElementsAre("x.", ".", "yz."));
  EXPECT_THAT(expand_braces("{a,b}-{1..2}"), ElementsAre("a-1", "a-2", "b-1", "b-2"));
  for (const char* plain :
       {"{", "}", "{}", "{a}", "a}{b", "{..}", "{1..}", "{a..c}", "{3..1}", "{-1..1}"}) {
    EXPECT_THAT(expand_braces(plain), ElementsAre(plain)) << plain;
  }
}

TEST(Braces, NameNoMoreThanAMillionFiles) {
  EXPECT_EQ(expand_braces("{1..1000000}").size(), 1'000'000u);
  for (const char* many : {"{0..1000000}", "{0..999999999999999999}", "{0..999}{0..999}{0..1}"}) {
    EXPECT_EQ(error_of([&] { expand_braces(many); }).kind(), ErrorKind::data) << many;
  }
}

}  // namespace
}  // namespace diptych
