// WebDataset's shards: what makes a row, and what a tar that is cut off or out of order says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/pictures.h"
#include "data/written_tables.h"
#include "data/written_tars.h"

namespace diptych {
namespace {
namespace fs = std::filesystem;
using testing::AllOf;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;

using Skipped = std::map<std::string, std::int64_t>;

class ShardsTest : public FolderTest {
 protected:
  Dataset read(const std::string& tar, const ReadOptions& options = {}) const {
    return read_dataset(write("s.tar", tar), options);
  }
  Error refused(const std::string& tar, const ReadOptions& options = {}) const {
    return error_of([&] { read(tar, options); });
  }
};

// "id=text/label/picture" of each row.
Cells lines(const Dataset& dataset) {
  Cells lines;
  PictureReader reader(dataset);
  lines.resize(dataset.size());
  while (auto picture = reader.next()) {
    const Example& row = dataset[picture->row];
    std::string labels;
    for (int label : row.labels) labels += dataset.classes()[static_cast<std::size_t>(label)];
    lines[picture->row] = row.id + "=" + row.text + "/" + labels + "/" +
                          (picture->error ? picture->error->what() : picture->bytes);
  }
  return lines;
}

const std::vector<TarFile> kThree = {
    {"a/1.jpg", "one"}, {"a/1.txt", "빨간 사과\n"}, {"a/1.cls", "0\n"},  {"b/2.txt", "text"},
    {"b/2.cls", "1"},   {"b/2.PNG", "two"},         {"3.webp", "three"}, {"3.cls", "1"},
    {"3.txt", ""}};

TEST_F(ShardsTest, MakeARowOfTheMembersOfAKey) {
  EXPECT_THAT(lines(read(tar_of(kThree))),
              ElementsAre("s.tar/a/1.jpg=빨간 사과/0/one", "s.tar/b/2.PNG=text/1/two",
                          "s.tar/3.webp=/1/three"));
}

TEST_F(ShardsTest, TakeColumnsFromJsonWhereNoMemberHasThem) {
  const std::string tar =
      tar_of({{"1.jpg", "x"},
              {"1.json", R"({"label": "고양이", "caption": "a cat", "text": "no"})"},
              {"1.txt", "from the member"},
              {"2.json", R"({"label": 7, "caption": "b"})"},
              {"2.jpg", "y"}});
  EXPECT_THAT(lines(read(tar)),
              ElementsAre("s.tar/1.jpg=from the member/고양이/x", "s.tar/2.jpg=/7/y"));
  ReadOptions options;
  options.text_column = "caption";
  EXPECT_THAT(lines(read(tar, options)),
              ElementsAre("s.tar/1.jpg=a cat/고양이/x", "s.tar/2.jpg=b/7/y"));
}

TEST_F(ShardsTest, NameOtherMembersByTheirEnding) {
  const std::string tar = tar_of({{"1.jpg", "photo"},
                                  {"1.seg.png", "mask"},
                                  {"1.title", "title"},
                                  {"1.class.txt", "dog"},
                                  {"2.class.txt", "cat"},
                                  {"2.jpg", "other"},
                                  {"2.seg.png", "mask 2"}});
  ReadOptions options;
  options.text_column = "title";
  options.label_column = "class.txt";
  EXPECT_THAT(lines(read(tar, options)),
              ElementsAre("s.tar/1.jpg=title/dog/photo", "s.tar/2.jpg=/cat/other"));
  options.image_column = "seg.png";
  EXPECT_THAT(lines(read(tar, options)),
              ElementsAre("s.tar/1.seg.png=title/dog/mask", "s.tar/2.seg.png=/cat/mask 2"));
}

TEST_F(ShardsTest, AMissingColumnNamesTheOnesThatAreThere) {
  EXPECT_THAT(
      refused(tar_of({{"1.jpg", "x"}, {"1.json", R"({"caption": "a", "class": 1})"}})).full(),
      AllOf(HasSubstr("there is no column 'label'"), HasSubstr("image, caption, class"),
            HasSubstr("--label-column NAME"), HasSubstr("s.tar")));
}

TEST_F(ShardsTest, ARowWithoutAPictureIsSkippedUnlessNoneIsNeeded) {
  const std::string tar = tar_of({{"1.txt", "a"}, {"1.cls", "x"}, {"2.jpg", "p"}, {"2.cls", "y"}});
  EXPECT_EQ(read(tar).skipped(), (Skipped{{"missing image", 1}}));
  ReadOptions options;
  options.needs_image = false;
  EXPECT_EQ(read(tar, options).size(), 2u);
}

TEST_F(ShardsTest, TwoPicturesOfARowAreNotChosenBetween) {
  const std::string tar = tar_of({{"1.jpg", "x"}, {"1.png", "y"}, {"1.cls", "a"}, {"1.txt", "t"}});
  EXPECT_THAT(refused(tar).full(),
              AllOf(HasSubstr("'1.png' is the second picture"), HasSubstr("--image-column jpg")));
  ReadOptions options;
  options.image_column = "png";
  EXPECT_THAT(lines(read(tar, options)), ElementsAre("s.tar/1.png=t/a/y"));
}

TEST_F(ShardsTest, AKeyThatReturnsIsAnError) {
  EXPECT_THAT(
      refused(tar_of({{"1.jpg", "x"}, {"2.jpg", "y"}, {"1.cls", "a"}, {"1.txt", "t"}})).full(),
      AllOf(HasSubstr("members of '1' do not stand side by side"), HasSubstr("behind '2'"),
            HasSubstr("s.tar"), HasSubstr("--sort=name")));
  EXPECT_THAT(refused(tar_of({{"1.jpg", "x"}, {"1.cls", "a"}, {"1.jpg", "y"}})).full(),
              HasSubstr("'1.jpg' twice"));
}

TEST_F(ShardsTest, MembersThatAreNoPartOfARowAreLeftOut) {
  const std::string tar = TarHeader{"a/", 0, '5'}.bytes() + tar_member("a/README", "x") +
                          tar_member("a/.hidden", "x") + tar_member("a/1.jpg", "p") +
                          TarHeader{"a/1.txt", 0, '2', "1.jpg"}.bytes() +
                          tar_member("a/1.cls", "c") + tar_end();
  ReadOptions options;
  options.needs_text = false;
  EXPECT_THAT(lines(read(tar, options)), ElementsAre("s.tar/a/1.jpg=/c/p"));
}

TEST_F(ShardsTest, NamesMayBeLongAndOfAnyScript) {
  const std::string deep = std::string(150, 'd') + "/" + std::string(120, 'k');
  const std::string korean = "사진 '첫 번째' \"1\"";
  std::string tar;
  for (const std::string& key : {deep, korean}) {
    for (const auto& [ending, data] :
         {std::pair(".jpg", "p"), std::pair(".txt", "t"), std::pair(".cls", "c")}) {
      tar += tar_member("pax", pax_record("path", key + ending), 'x') + tar_member("short", data);
    }
  }
  tar += tar_member("././@LongLink", deep + "2.jpg" + '\0', 'L') + tar_member("short", "q");
  tar += tar_member(korean + "2.jpg", "r");
  ReadOptions options;
  options.needs_text = options.needs_label = false;
  EXPECT_THAT(lines(read(tar + tar_end(), options)),
              ElementsAre("s.tar/" + deep + ".jpg=t/c/p", "s.tar/" + korean + ".jpg=t/c/p",
                          "s.tar/" + deep + "2.jpg=//q", "s.tar/" + korean + "2.jpg=//r"));
}

TEST_F(ShardsTest, CutOffAnywhereGiveWhatIsWholeAndSayWhatIsLost) {
  const std::string whole = tar_of(kThree);
  const auto tells_loss =
      AnyOf(HasSubstr("ends inside '"), HasSubstr("no end mark behind '"),
            HasSubstr("is cut off or damaged behind '"), HasSubstr("lost in a damaged shard: 1"));
  for (std::size_t size = 512; size < whole.size(); size += 171) {
    const std::string text = "cut at " + std::to_string(size);
    const auto read_cut = [&] { return read(whole.substr(0, size)); };
    if (size < 3 * 1024 + 512) {  // nothing says that the first row is whole
      EXPECT_THAT(error_of(read_cut).full(), AllOf(tells_loss, HasSubstr("s.tar"))) << text;
      continue;
    }
    const Dataset dataset = read_cut();
    EXPECT_EQ(lines(dataset)[0], "s.tar/a/1.jpg=빨간 사과/0/one") << text;
    EXPECT_EQ(dataset.rows_read(), std::ssize(dataset.rows()) + 1) << text;
    EXPECT_EQ(dataset.problems().back().problem, Problem::lost) << text;
    EXPECT_THAT(dataset.problems().back().detail, tells_loss) << text;
  }
}

TEST_F(ShardsTest, CutOffBetweenMembersKeepARowThatHasAllThatTheOneBeforeHad) {
  const std::string two = tar_of({{"1.jpg", "x"}, {"1.cls", "a"}, {"2.jpg", "y"}, {"2.cls", "b"}});
  ReadOptions options;
  options.needs_text = false;
  const Dataset whole = read(two.substr(0, 4 * 1024), options);
  EXPECT_EQ(whole.size(), 2u);
  EXPECT_EQ(whole.skipped(), (Skipped{{"lost in a damaged shard", 1}}));
  EXPECT_EQ(whole.problems().back().id, "s.tar/end");
  const Dataset half = read(two.substr(0, 3 * 1024), options);
  EXPECT_THAT(lines(half), ElementsAre("s.tar/1.jpg=/a/x"));
  EXPECT_EQ(half.problems().back().id, "s.tar/2");
  EXPECT_EQ(half.rows_read(), 2);
}

TEST_F(ShardsTest, DamagedInTheMiddleGiveWhatStandsBeforeIt) {
  std::string tar = tar_of(kThree);
  tar[6 * 1024 + 20] = 'X';  // in the header of the third row's picture: its checksum is wrong
  const Dataset dataset = read(tar);
  EXPECT_EQ(dataset.size(), 2u);
  EXPECT_THAT(dataset.problems().back().detail,
              AllOf(HasSubstr("damaged behind 'b/2.PNG', at byte 6144")));
}

TEST_F(ShardsTest, BehindOneAnotherInAFileAreAllRead) {
  ReadOptions options;
  options.needs_text = false;
  const std::string first = tar_of({{"1.jpg", "x"}, {"1.cls", "a"}});
  const std::string second = tar_of({{"2.jpg", "y"}, {"2.cls", "b"}});
  EXPECT_THAT(lines(read(first + std::string(9216, '\0') + second, options)),
              ElementsAre("s.tar/1.jpg=/a/x", "s.tar/2.jpg=/b/y"));
  const Dataset garbage = read(first + second + std::string(600, 'x'), options);
  EXPECT_EQ(garbage.size(), 2u);
  EXPECT_EQ(garbage.skipped(), (Skipped{{"lost in a damaged shard", 1}}));
}

TEST_F(ShardsTest, ThatAreCompressedAreToBeUnpacked) {
  EXPECT_THAT(refused("\x1f\x8b\x08 and so on").full(),
              AllOf(HasSubstr("is no tar"), HasSubstr("unpacked to a plain .tar")));
}

TEST_F(ShardsTest, ThatAreNoTarAreRefused) {
  for (const std::string& bytes : {std::string(), std::string("x"), std::string(5000, 'x'),
                                   std::string("\x89PNG\r\n\x1a\n")}) {
    const Error error = refused(bytes);
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_THAT(error.where(), HasSubstr("s.tar"));
  }
  EXPECT_THAT(refused(tar_end()).what(), HasSubstr("there is no column 'label'"));
  fs::permissions(write("closed.tar", tar_of(kThree)), fs::perms::none);
  if (const Unprivileged unprivileged; unprivileged.binds()) {
    EXPECT_EQ(error_of([&] { read_dataset(folder_ / "closed.tar", {}); }).kind(), ErrorKind::io);
  }
  EXPECT_EQ(error_of([&] { read_dataset(folder_ / "absent.tar", {}); }).kind(),
            ErrorKind::not_found);
  fs::create_directories(folder_ / "folder.tar");
  EXPECT_EQ(error_of([&] { read_dataset(folder_ / "folder.tar", {}); }).kind(),
            ErrorKind::not_found);
}

TEST_F(ShardsTest, BrokenJsonIsNamedAndCostsNoMoreThanItsCells) {
  const Dataset dataset = read(tar_of({{"1.jpg", "x"},
                                       {"1.cls", "a"},
                                       {"1.txt", "t"},
                                       {"1.json", "{\"group\": \"g\", "},
                                       {"2.jpg", "y"},
                                       {"2.cls", "b"},
                                       {"2.txt", "u"},
                                       {"2.json", "{\"group\": \"g\"}"},
                                       {"3.jpg", "z"},
                                       {"3.cls", "b"},
                                       {"3.json", "[1]"}}));
  ASSERT_EQ(dataset.size(), 3u);
  EXPECT_EQ(dataset[0].group, "");
  EXPECT_EQ(dataset[1].group, "g");
  ASSERT_EQ(dataset.problems().size(), 2u);
  EXPECT_EQ(dataset.problems()[0].problem, Problem::invalid_json);
  EXPECT_EQ(dataset.problems()[1].row, 3);
}

// Several shards.

TEST_F(ShardsTest, OfAPatternAreReadInItsOrder) {
  for (int i : {9, 10, 11}) {
    const std::string number = std::to_string(i);
    const std::string name = "s-" + std::string(5 - number.size(), '0') + number + ".tar";
    write(name, tar_of({{"k.jpg", number}, {"k.cls", "c" + number}, {"k.txt", ""}}));
  }
  EXPECT_THAT(lines(read_dataset(folder_ / "s-{00009..00011}.tar", {})),
              ElementsAre("s-00009.tar/k.jpg=/c9/9", "s-00010.tar/k.jpg=/c10/10",
                          "s-00011.tar/k.jpg=/c11/11"));
  EXPECT_THAT(lines(read_dataset(folder_ / "s-{00011,00009}.tar", {})),
              ElementsAre("s-00011.tar/k.jpg=/c11/11", "s-00009.tar/k.jpg=/c9/9"));
  EXPECT_EQ(read_dataset(folder_, {}).size(), 3u);
  EXPECT_THAT(error_of([&] { read_dataset(folder_ / "s-{00009..00012}.tar", {}); }).full(),
              HasSubstr("s-00012.tar"));
}

TEST_F(ShardsTest, OneOfManyThatIsCutOffIsToldFromTheOthers) {
  const std::string tar = tar_of({{"1.jpg", "x"},
                                  {"1.cls", "a"},
                                  {"1.txt", ""},
                                  {"2.jpg", "y"},
                                  {"2.cls", "b"},
                                  {"2.txt", ""}});
  write("1.tar", tar);
  write("2.tar", tar.substr(0, 3 * 1024 + 1));
  write("3.tar", tar);
  const Dataset dataset = read_dataset(folder_, {});
  EXPECT_EQ(dataset.size(), 5u);
  EXPECT_EQ(dataset.rows_read(), 6);
  ASSERT_EQ(dataset.problems().size(), 1u);
  EXPECT_EQ(dataset.problems()[0].row, 4);
  EXPECT_EQ(dataset.problems()[0].id, "2.tar/2");
  EXPECT_THAT(dataset.problems()[0].detail, HasSubstr("ends inside '2.jpg'"));
}

// img2dataset's list beside a shard.

std::string list_of(const std::vector<Cells>& rows) {
  return parquet_of(text_columns({"key", "url", "status", "error_message"}, rows));
}

TEST_F(ShardsTest, CountWhatTheirListSaysFailedAndWhatIsGone) {
  const std::string member = R"({"label": "a", "caption": "c", "status": "success"})";
  write("00000.tar",
        tar_of({{"000.jpg", "x"}, {"000.json", member}, {"003.jpg", "y"}, {"003.json", member}}));
  write("00000.parquet", list_of({{"000", "u", "success", ""},
                                  {"001", "u", "failed_to_download", "HTTP Error 404: Not Found"},
                                  {"002", "u", "failed_to_download", "HTTP Error 404: Not Found"},
                                  {"003", "u", "success", ""},
                                  {"004", "u", "failed_to_resize", ""},
                                  {"005", "u", "success", ""}}));
  write("00000_stats.json", "{}");
  ReadOptions options;
  options.text_column = "caption";
  for (const fs::path& path : {folder_, folder_ / "00000.tar"}) {
    const Dataset dataset = read_dataset(path, options);
    EXPECT_EQ(dataset.size(), 2u);
    EXPECT_EQ(dataset.rows_read(), 6);
    EXPECT_EQ(dataset.skipped(), (Skipped{{"failed download: HTTP Error 404: Not Found", 2},
                                          {"failed download: failed_to_resize", 1},
                                          {"lost in a damaged shard", 1}}));
  }
  EXPECT_EQ(read_dataset(folder_, options).problems()[0].id, "00000/001");
}

}  // namespace
}  // namespace diptych
