#include "data/loading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "data/split.h"
#include "data/written_tables.h"
#include "image/made_up_scenes.h"

namespace diptych {
namespace {
namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::uint32_t png_checksum(const std::string& chunk) {
  std::uint32_t sum = ~0u;
  for (char c : chunk) {
    sum ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ (sum & 1 ? 0xedb88320u : 0);
  }
  return ~sum;
}

// A small picture whose header says otherwise.
std::string png_that_claims(std::uint32_t width, std::uint32_t height) {
  const std::string bytes = encode_png(drawn::coloured(4, 4));
  const std::string header =
      bytes.substr(12, 4) + big_endian(width) + big_endian(height) + bytes.substr(24, 5);
  return bytes.substr(0, 12) + header + big_endian(png_checksum(header)) + bytes.substr(33);
}

class LoadingTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    for (int i = 0; i < 12; ++i) {
      const std::string name = std::to_string(i) + ".png";
      write(name, encode_png(drawn::smooth(20 + i, 14)));
      rows_.push_back({name, "text " + std::to_string(i), i % 2 ? "odd" : "even", ""});
    }
    config_.image_size = 8;
  }
  LoadedData load(int threads = 1, std::vector<std::string> classes = {}) const {
    write("data.csv", as_delimited({"image", "text", "label", "group"}, rows_, ','));
    LoadOptions options;
    options.threads = threads;
    options.classes = std::move(classes);
    return load_data(folder_, config_, options);
  }
  Error refused() const {
    return error_of([&] { load(); });
  }

  std::vector<Cells> rows_;
  Config config_;
};

TEST_F(LoadingTest, GivesEveryRowItsPicture) {
  const LoadedData data = load();
  ASSERT_EQ(data.dataset.size(), 12u);
  ASSERT_EQ(data.images.present, RowVector<std::uint8_t>(12, 1));
  EXPECT_EQ(data.images.pixels.size(), 12u * 8 * 8 * 3);
  std::vector<std::uint8_t> buffer;
  for (std::size_t i = 0; i < 12; ++i) {
    const auto alone = decode_file(data.dataset[i].image.path, {8, ImageFit::stretch, {}, 1});
    EXPECT_THAT(alone, ElementsAreArray(data.images.row(i, buffer))) << i;
  }
}

TEST_F(LoadingTest, DoesNotDependOnTheNumberOfThreads) {
  write("3.png", "no picture");
  fs::remove(folder_ / "5.png");
  const LoadedData one = load(1), eight = load(8);
  EXPECT_EQ(one.images.pixels, eight.images.pixels);
  EXPECT_EQ(one.images.digests, eight.images.digests);
  EXPECT_EQ(one.dataset.digest(), eight.dataset.digest());
  EXPECT_EQ(problems_csv(one.dataset.problems()), problems_csv(eight.dataset.problems()));
  EXPECT_EQ(one.dataset.size(), 10u);
}

TEST_F(LoadingTest, NamesBadPicturesAndGoesOnWithTheRest) {
  fs::remove(folder_ / "2.png");
  write("4.png", "no picture");
  write("6.png", png_that_claims(50000, 50000));
  rows_[8][0] = "";
  rows_[10][2] = "";
  fs::create_directories(folder_ / "folder");
  rows_[1][0] = "folder";
  write("0.png", encode_png(drawn::smooth(4, 4)).substr(0, 60));
  config_.max_skipped = 1;
  const LoadedData data = load();
  EXPECT_EQ(data.dataset.rows_read(), 12);
  EXPECT_EQ(data.dataset.size(), 5u);
  EXPECT_EQ(data.dataset.skipped(),
            (std::map<std::string, std::int64_t>{
                {"missing image", 2}, {"unreadable image", 4}, {"empty label", 1}}));
  for (const RowProblem& problem : data.dataset.problems()) {
    EXPECT_EQ(problem.id, rows_[static_cast<std::size_t>(problem.row - 1)][0].empty()
                              ? "row " + std::to_string(problem.row)
                              : rows_[static_cast<std::size_t>(problem.row - 1)][0]);
    EXPECT_EQ(problem.detail.empty(), problem.problem == Problem::empty_label);
  }
}

TEST_F(LoadingTest, StopsWhenMoreThanTheLimitIsLeftOut) {
  for (int i = 0; i < 3; ++i) fs::remove(folder_ / (std::to_string(i) + ".png"));
  config_.max_skipped = 0.25;
  EXPECT_EQ(load().dataset.size(), 9u);
  config_.max_skipped = 0.24;
  const Error error = refused();
  EXPECT_EQ(error.kind(), ErrorKind::data);
  EXPECT_THAT(error.full(),
              AllOf(HasSubstr("3 of 12 rows cannot be used (missing image: 3)"),
                    HasSubstr("the first is row 1 (0.png), missing image"), HasSubstr("0.24"),
                    HasSubstr("--max-skipped"), HasSubstr("data.csv")));
}

TEST_F(LoadingTest, StopsWhenEveryPictureIsBad) {
  config_.max_skipped = 1;
  for (int i = 0; i < 12; ++i) write(std::to_string(i) + ".png", "no picture");
  EXPECT_THAT(refused().full(),
              AllOf(HasSubstr("12 of 12"), HasSubstr("unreadable image: 12"), HasSubstr("row 1 ")));
}

TEST_F(LoadingTest, RefusesAHugePictureByItsHeader) {
  write("6.png", png_that_claims(50000, 50000));
  const LoadedData data = load();
  const auto problems = data.dataset.problems();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].row, 7);
  EXPECT_EQ(problems[0].problem, Problem::unreadable_image);
  EXPECT_THAT(problems[0].detail, AllOf(HasSubstr("50000"), HasSubstr("megapixels")));
}

TEST_F(LoadingTest, LeavesSmallClassesOutAndNoOther) {
  rows_.push_back({"0.png", "", "rare", "g"});  // "rare" leads this group alone
  rows_.push_back({"1.png", "", "rare", "g"});
  rows_.push_back({"2.png", "", "odd", "g"});
  rows_.push_back({"3.png", "", "late", ""});
  const LoadedData data = load();
  EXPECT_EQ(data.dataset.size(), 13u);
  EXPECT_EQ(data.images.present.size(), 13u);
  EXPECT_TRUE(small_classes(data.dataset).empty());
  EXPECT_THAT(data.dataset.classes(), ElementsAre("even", "odd"));
  EXPECT_EQ(data.dataset.skipped(), (std::map<std::string, std::int64_t>{{"class too small", 3}}));
}

TEST_F(LoadingTest, KeepsTheClassesOfAModel) {
  rows_[0][2] = "new";
  rows_.push_back({"1.png", "", "single", ""});
  const LoadedData data = load(1, {"even", "never", "odd", "single"});
  EXPECT_THAT(data.dataset.classes(), ElementsAre("even", "never", "odd", "single"));
  EXPECT_EQ(data.dataset.size(), 12u);
  EXPECT_EQ(data.images.present.size(), 12u);
  EXPECT_THAT(data.dataset[11].labels, ElementsAre(3));
  EXPECT_EQ(data.dataset.skipped(), (std::map<std::string, std::int64_t>{{"unknown label", 1}}));
}

TEST_F(LoadingTest, DigestChangesWhenAPictureIsReplacedUnderItsName) {
  const LoadedData before = load();
  EXPECT_EQ(load().dataset.digest(), before.dataset.digest());
  const std::string old = read_file(folder_ / "7.png");
  write("7.png", encode_png(drawn::smooth(90, 14)));
  EXPECT_NE(load().dataset.digest(), before.dataset.digest());
  EXPECT_EQ(load().dataset.digest_for(Inputs::text), before.dataset.digest_for(Inputs::text));
  write("7.png", old);
  EXPECT_EQ(load().dataset.digest(), before.dataset.digest());
  write("unrelated.png", "x");
  EXPECT_EQ(load().dataset.digest(), before.dataset.digest());
}

TEST_F(LoadingTest, DigestIsOverThePicturesOfTheRowsThatAreUsed) {
  rows_.push_back({"broken.png", "", "odd", ""});
  write("broken.png", "one");
  const std::string digest = load().dataset.digest();
  write("broken.png", "another");
  EXPECT_EQ(load().dataset.digest(), digest);
  rows_.pop_back();
  EXPECT_EQ(load().dataset.digest(), digest);
}

TEST_F(LoadingTest, OfTextAloneOpensNoPicture) {
  const std::string digest = load().dataset.digest_for(Inputs::text);
  for (int i = 0; i < 12; ++i) fs::remove(folder_ / (std::to_string(i) + ".png"));
  config_.inputs = Inputs::text;
  const LoadedData data = load();
  EXPECT_EQ(data.dataset.size(), 12u);
  EXPECT_EQ(data.images.side, 0);
  EXPECT_EQ(data.dataset.digest(), digest);
}

TEST_F(LoadingTest, CountsUpToTheLastPicture) {
  write("data.csv", as_delimited({"image", "text", "label", "group"}, rows_, ','));
  LoadOptions options;
  options.threads = 4;
  std::atomic<std::size_t> calls{0}, most{0};
  options.progress = [&](std::size_t done, std::size_t total) {
    EXPECT_EQ(total, 12u);
    ++calls;
    for (std::size_t seen = most; seen < done && !most.compare_exchange_weak(seen, done);) {
    }
  };
  load_data(folder_, config_, options);
  EXPECT_EQ(calls, 12u);
  EXPECT_EQ(most, 12u);
}

TEST_F(LoadingTest, RowsWithoutAPictureAreGreyWhenTheyStay) {
  ReadOptions reading;
  reading.skips_empty_image = false;
  rows_[4][0] = "";
  write("data.csv", as_delimited({"image", "text", "label", "group"}, rows_, ','));
  const DecodedImages images =
      decode_images(read_dataset(folder_, reading), {8, ImageFit::pad, {}, 2});
  EXPECT_TRUE(images.problems.empty());
  EXPECT_EQ(images.present[4], 0);
  EXPECT_EQ(images.digests[4], 0u);
  std::vector<std::uint8_t> buffer, other;
  for (std::uint8_t value : images.row(4, buffer)) EXPECT_EQ(value, kNoPixel);
  const std::vector<std::int64_t> kept = {5, 4};
  const DecodedImages some = select(images, kept);
  EXPECT_THAT(some.present, ElementsAre(1, 0));
  EXPECT_THAT(some.digests, ElementsAre(images.digests[5], 0u));
  EXPECT_THAT(some.row(0, buffer), ElementsAreArray(images.row(5, other)));
  const std::vector<std::int64_t> last = {1};
  const DecodedImages one = select(some, last);  // held, or its pixels are gone within the loop
  for (std::uint8_t value : one.row(0, buffer)) EXPECT_EQ(value, kNoPixel);
}

TEST_F(LoadingTest, RefusesARowWithSeveralLabelsInsteadOfTakingTheFirst) {
  rows_[4][2] = "even|odd";
  EXPECT_THAT(refused().full(), AllOf(HasSubstr("row 5 (4.png) has 2 labels: even, odd"),
                                      HasSubstr("--label-separator none"),
                                      HasSubstr("--label-column NAME"), HasSubstr("data.csv")));
  config_.label_separator = "none";
  EXPECT_EQ(load().dataset.skipped(),
            (std::map<std::string, std::int64_t>{{"class too small", 1}}));
}

TEST_F(LoadingTest, OfAGivenSplitNeedsEveryClassInItsTraining) {
  std::string csv = "image,text,label,split\n";
  for (std::size_t i = 0; i < rows_.size(); ++i)
    csv += rows_[i][0] + ",," + rows_[i][2] + (i < 8 ? ",train\n" : ",test\n");
  csv += "0.png,,late,test\n1.png,,late,validation\n2.png,,single,train\n";
  write("data.csv", csv);
  const LoadedData data = load_data(folder_, config_, {});
  EXPECT_THAT(data.dataset.classes(), ElementsAre("even", "odd", "single"));
  EXPECT_EQ(data.dataset.size(), 13u);
  EXPECT_EQ(data.dataset.skipped(),
            (std::map<std::string, std::int64_t>{{"class without training rows", 2}}));
  LoadOptions options;
  options.classes = {"even", "late", "odd", "single"};  // a model's: all rows are scored
  EXPECT_EQ(load_data(folder_, config_, options).dataset.size(), 15u);
  EXPECT_FALSE(load_data(folder_, config_, options).dataset.gives_split());
}

TEST_F(LoadingTest, KeepsNearDuplicatesOnOneSideWhenAsked) {
  for (int i = 0; i < 12; ++i) {  // pictures that can be told apart, and a smaller copy of each
    const Image scene = made_up::scene(static_cast<std::uint64_t>(i), 80, 60);
    write(std::to_string(i) + ".png", encode_png(scene));
    const std::string name = "copy" + std::to_string(i) + ".png";
    write(name, encode_png(resize(scene, 60, 44)));
    rows_.push_back({name, "copy", i % 2 ? "odd" : "even", ""});
  }
  rows_[3][3] = "mine";
  EXPECT_EQ(load().dataset[0].group, "");
  config_.group_by = GroupBy::duplicates;
  const LoadedData data = load();
  ASSERT_EQ(data.dataset.size(), 24u);
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(data.dataset[i].group, i == 3 ? "mine" : "copies of " + data.dataset[i].id);
    EXPECT_EQ(data.dataset[i].group, data.dataset[12 + i].group);
  }
  const Split split = make_split(data.dataset, {0.3, 0.3}, 1);
  for (std::int64_t row : split.test) {
    const std::int64_t other = row < 12 ? row + 12 : row - 12;
    EXPECT_TRUE(std::binary_search(split.test.begin(), split.test.end(), other));
  }
}

TEST_F(LoadingTest, CountsNearDuplicatesAsOneGroupWhenClassesAreTooSmall) {
  const Image scene = made_up::scene(77, 80, 60);
  for (int i = 0; i < 4; ++i) {
    const std::string name = "same" + std::to_string(i) + ".png";
    write(name, encode_png(resize(scene, 60 + i, 50)));
    rows_.push_back({name, "one thing", "rare", ""});
  }
  config_.group_by = GroupBy::duplicates;
  EXPECT_EQ(load().dataset.skipped().at("class too small"), 4);
}

}  // namespace
}  // namespace diptych
