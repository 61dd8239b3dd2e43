#include "data/inspection.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "data/cleaned_table.h"
#include "data/written_tables.h"
#include "image/made_up_scenes.h"

namespace diptych {
namespace {
namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

const std::vector<std::string> kNames{"cat", "tree", "wolf"};

class InspectionTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    add_scenes(0, 45);
  }

  // Of its class's colour, more or less.
  static Image scene(int i) {
    Image image = made_up::scene(static_cast<std::uint64_t>(i), 64, 60);
    for (std::size_t at = static_cast<std::size_t>(i % 3); at < image.pixels.size(); at += 3) {
      image.pixels[at] = static_cast<std::uint8_t>(150 + image.pixels[at] * 2 / 5);
    }
    return image;
  }
  void add_scenes(int first, int end) {
    for (int i = first; i < end; ++i) {
      add(encode_png(scene(i)), "photo number " + std::to_string(i), kNames[i % 3]);
    }
  }
  // Returns the row's number.
  std::int64_t add(const std::string& bytes, const std::string& text, const std::string& label,
                   const std::string& group = "", std::string name = "") {
    if (name.empty()) name = "p" + std::to_string(rows_.size()) + ".png";
    if (!bytes.empty()) write(name, bytes);
    rows_.push_back({name, text, label, group});
    return std::ssize(rows_);
  }
  Inspection inspected(int threads = 2) const {
    write("data.csv", as_delimited({"image", "text", "label", "group"}, rows_, ','));
    InspectOptions options;
    options.scan.threads = threads;
    return inspect(read_dataset(folder_, {}), options);
  }
  // The rows of each case.
  static std::vector<std::vector<std::int64_t>> cases(const Inspection& inspection,
                                                      FindingKind kind) {
    std::vector<std::vector<std::int64_t>> rows;
    if (const Finding* finding = inspection.find(kind)) {
      for (const FindingCase& one : finding->cases) rows.push_back(one.rows);
    }
    return rows;
  }
  using Rows = std::vector<std::int64_t>;

  std::vector<std::vector<std::string>> rows_;
};

TEST_F(InspectionTest, FindsNothingWhereAllIsWell) {
  const Inspection inspection = inspected();
  EXPECT_THAT(inspection.findings, IsEmpty());
  EXPECT_GT(inspection.label_accuracy, 0.8);
  EXPECT_THAT(inspection_text(inspection),
              AllOf(HasSubstr("45 read, 45 usable, 3 classes"), HasSubstr("Nothing that would")));
  const auto json = to_json(inspection);
  EXPECT_EQ(json["pictures"]["formats"], nlohmann::json({{"PNG", 45}}));
  EXPECT_EQ(json["pictures"]["width"]["median"], 64);
  EXPECT_EQ(json["texts"]["writing"], nlohmann::json({{"Latin", 45}}));
  EXPECT_EQ(json["classes"][2],
            nlohmann::json({{"name", "wolf"}, {"rows", 15}, {"label_in_text", 0}}));
}

TEST_F(InspectionTest, FindsCopiesAndWhereTheyStand) {
  const auto same = add(encode_png(scene(0)), "again", "cat");
  const auto smaller = add(encode_png(resize(scene(4), 44, 40)), "smaller", "tree");
  const auto wrong = add(encode_png(scene(5)), "wolf seen as a tree", "tree");
  const auto wrong_too = add(encode_png(resize(scene(5), 44, 40)), "smaller, too", "tree");
  const Inspection inspection = inspected();
  EXPECT_THAT(cases(inspection, FindingKind::copies),
              UnorderedElementsAre(Rows{1, same}, Rows{6, wrong}));
  EXPECT_THAT(cases(inspection, FindingKind::near_copies),
              ElementsAre(Rows{5, smaller}, Rows{6, wrong, wrong_too}));
  EXPECT_EQ(inspection.find(FindingKind::near_copies)->rows, 2);
  EXPECT_THAT(cases(inspection, FindingKind::copies_labelled_apart),
              ElementsAre(Rows{6, wrong, wrong_too}));
  EXPECT_EQ(inspection.find(FindingKind::copies_labelled_apart)->rows, 3);
  EXPECT_EQ(inspection.exact[45], 0u);
  EXPECT_EQ(inspection.near[46], 4u);
}

TEST_F(InspectionTest, CountsTestRowsThatWereLearntFrom) {
  for (int i = 0; i < 45; ++i) {
    add(encode_png(resize(scene(i), 50, 48)), "copy " + std::to_string(i), kNames[i % 3]);
  }
  const Finding leak = *inspected().find(FindingKind::copies_across_split);
  // A fifth of the rows is tested, and of their copies four fifths are not.
  EXPECT_NEAR(static_cast<double>(leak.rows), 90 * 0.2 * 0.8, 6);
  EXPECT_EQ(leak.rows, std::ssize(leak.cases));
  EXPECT_THAT(leak.cases.front().note, HasSubstr("near-duplicates, in t"));

  InspectOptions kept_together;
  kept_together.group_by = GroupBy::duplicates;
  const Inspection joined = inspect(read_dataset(folder_, {}), kept_together);
  EXPECT_EQ(joined.find(FindingKind::copies_across_split), nullptr);

  for (auto& row : rows_) row[3] = "g" + row[1].substr(row[1].rfind(' '));
  const Inspection grouped = inspected();
  EXPECT_EQ(grouped.find(FindingKind::copies_across_split), nullptr);
  EXPECT_EQ(grouped.find(FindingKind::near_copies)->rows, 45);
}

TEST_F(InspectionTest, FindsLabelsInTextsAndTextsOfSeveralLabels) {
  const auto cat = add(encode_png(scene(60)), "Two CATS", "cat");
  const auto other = add(encode_png(scene(61)), "a wolf", "tree");
  const auto one = add(encode_png(scene(62)), "Same  Words", "wolf");
  const auto two = add(encode_png(scene(64)), "same words", "tree");
  add(encode_png(scene(63)), " ", "cat");
  const Inspection inspection = inspected();
  EXPECT_THAT(cases(inspection, FindingKind::label_in_text), ElementsAre(Rows{cat}));
  EXPECT_EQ(inspection.classes[0].naming_rows, 1);
  EXPECT_EQ(inspection.classes[0].rows, 17);
  EXPECT_THAT(cases(inspection, FindingKind::texts_labelled_apart), ElementsAre(Rows{one, two}));
  EXPECT_EQ(inspection.find(FindingKind::no_text)->rows, 1);
  EXPECT_EQ(other, 47);
}

TEST_F(InspectionTest, FindsPicturesThatShowLittle) {
  const auto filled = [](int width, int height, std::uint8_t value) {
    return encode_png(
        {width, height,
         std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height), value)});
  };
  const Image soft = resize(resize(scene(70), 5, 5), 200, 200);
  const auto flat = add(filled(64, 60, 90), "a", "cat");
  const auto dark = add(encode_png(made_up::brighter(scene(71), 0.1)), "b", "wolf");
  const auto blurred = add(encode_png(soft), "c", "tree");
  const auto small = add(encode_png(resize(scene(72), 31, 40)), "d", "cat");
  const auto wide = add(encode_png(made_up::scene(73, 200, 60)), "e", "tree");
  const auto misnamed = add(drawn::jpeg(scene(74)), "f", "wolf", "", "x.PNG");
  const auto renamed = add(drawn::jpeg(scene(75)), "g", "cat", "", "x.jpg");
  const Inspection inspection = inspected();
  EXPECT_THAT(cases(inspection, FindingKind::one_colour), ElementsAre(Rows{flat}));
  EXPECT_THAT(cases(inspection, FindingKind::dark), ElementsAre(Rows{dark}));
  EXPECT_THAT(cases(inspection, FindingKind::blurred), ElementsAre(Rows{blurred}));
  EXPECT_THAT(cases(inspection, FindingKind::small_picture), ElementsAre(Rows{small}));
  EXPECT_THAT(cases(inspection, FindingKind::elongated), ElementsAre(Rows{wide}));
  EXPECT_THAT(cases(inspection, FindingKind::wrong_ending), ElementsAre(Rows{misnamed}));
  EXPECT_NE(renamed, misnamed);
}

TEST_F(InspectionTest, NamesEveryRowThatCannotBeUsed) {
  const auto gone = add("", "a", "cat", "", "gone.png");
  const auto broken = add("no picture", "b", "tree", "", "broken.png");
  const auto unlabelled = add(encode_png(scene(80)), "c", "");
  const auto lonely = add(encode_png(scene(81)), "", "fish");
  const Inspection inspection = inspected();
  EXPECT_THAT(cases(inspection, FindingKind::missing_picture), ElementsAre(Rows{gone}));
  EXPECT_THAT(cases(inspection, FindingKind::unreadable_picture), ElementsAre(Rows{broken}));
  EXPECT_THAT(cases(inspection, FindingKind::no_label), ElementsAre(Rows{unlabelled}));
  EXPECT_THAT(cases(inspection, FindingKind::small_class), ElementsAre(Rows{lonely}));
  EXPECT_EQ(inspection.find(FindingKind::small_picture), nullptr);
  EXPECT_EQ(inspection.findings.back().kind, FindingKind::no_text);
  EXPECT_THAT(inspection_text(inspection),
              AllOf(HasSubstr("49 read, 46 usable"), HasSubstr("gone.png: "),
                    HasSubstr("no picture in a known format")));
}

TEST_F(InspectionTest, TakesNamesThatAreNotUtf8) {
  add("", "a\xff", "c\xfft", "\xff", "gone\xff.png");
  add(encode_png(scene(82)), "b", "cat", "", "there\xff.png");
  const Inspection inspection = inspected();
  EXPECT_THAT(to_json(inspection).dump(), HasSubstr("gone\uFFFD.png"));
  EXPECT_THAT(cleaned_table(inspection, {}, folder_ / "new.csv").csv, HasSubstr("there\xff.png,b"));
}

TEST_F(InspectionTest, FindsLabelsThatAreProbablyWrong) {
  add_scenes(90, 180);
  rows_[9][2] = "wolf";
  rows_[25][2] = "cat";
  const Inspection inspection = inspected();
  EXPECT_THAT(cases(inspection, FindingKind::probable_label_error),
              UnorderedElementsAre(Rows{10}, Rows{26}));
  for (const FindingCase& one : inspection.find(FindingKind::probable_label_error)->cases) {
    EXPECT_EQ(one.note, one.rows[0] == 10 ? "wolf, rather cat" : "cat, rather tree");
  }
}

// Copies that are wrong together must not vouch for each other.
TEST_F(InspectionTest, LearnsNoLabelFromACopy) {
  add_scenes(90, 180);
  for (int i = 0; i < 5; ++i) add(encode_png(scene(9)), "again, wrong", "wolf");
  const auto doubted = cases(inspected(), FindingKind::probable_label_error);
  EXPECT_GE(doubted.size(), 4u);
}

TEST_F(InspectionTest, DoubtsNoLabelsThatItCannotTell) {
  for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i][2] = kNames[i * 7 / 3 % 3];
  const Inspection inspection = inspected();
  EXPECT_FALSE(inspection.tells_labels());
  EXPECT_EQ(inspection.find(FindingKind::probable_label_error), nullptr);
  EXPECT_THAT(inspection_text(inspection), HasSubstr("too few to find wrong ones by"));
}

TEST_F(InspectionTest, IsTheSameForAnyNumberOfThreads) {
  add(encode_png(resize(scene(4), 44, 40)), "smaller", "wolf");
  add("", "a", "cat", "", "gone.png");
  EXPECT_EQ(to_json(inspected(1)), to_json(inspected(4)));
}

TEST_F(InspectionTest, OfRowsOfOneClassSaysNothingOfSplitsAndLabels) {
  for (auto& row : rows_) row[2] = "cat";
  add(encode_png(scene(0)), "again", "cat");
  const Inspection inspection = inspected();
  EXPECT_EQ(inspection.find(FindingKind::copies)->rows, 1);
  EXPECT_EQ(inspection.label_accuracy, 0);
}

TEST_F(InspectionTest, CutsLongListsInJsonButCountsAll) {
  for (int i = 0; i < 30; ++i) add(encode_png(scene(0)), "again " + std::to_string(i), "cat");
  for (int i = 0; i < 1100; ++i) add("", "a", "cat", "", "gone" + std::to_string(i) + ".png");
  const auto json = to_json(inspected());
  for (const auto& finding : json["findings"]) {
    if (finding["key"] == "copies") {
      EXPECT_EQ(finding["rows"], 30);
      EXPECT_EQ(finding["cases"][0]["rows"].size(), 20u);
    }
    if (finding["key"] == "missing_picture") {
      EXPECT_EQ(finding["cases_in_all"], 1100);
      EXPECT_EQ(finding["cases"].size(), 1000u);
    }
  }
}

TEST(FindingTable, HasARowForEachKindInOrder) {
  for (std::size_t i = 0; i < finding_table().size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(finding_table()[i].kind), i);
  }
}

class CleanedTableTest : public InspectionTest {
 protected:
  CleanedTable cleaned(const fs::path& output) const {
    return cleaned_table(inspected(), {}, output);
  }
};

TEST_F(CleanedTableTest, DropsWhatIsUnusableOrDoubledAndGroupsCopies) {
  add(encode_png(scene(0)), rows_[0][1], "cat");                   // all the same: goes
  add(encode_png(scene(0)), "with other words", "cat");            // stays, in one group
  add(encode_png(resize(scene(4), 44, 40)), rows_[4][1], "tree");  // stays, too
  add("", "a", "cat", "", "gone.png");
  add(encode_png(scene(80)), "c", "");
  const CleanedTable table = cleaned(folder_ / "cleaned.csv");
  EXPECT_EQ(table.kept, 47);
  EXPECT_EQ(table.doubled, 1);
  EXPECT_EQ(table.unusable, 2);
  EXPECT_EQ(table.grouped, 4);
  write("cleaned.csv", table.csv);
  const Dataset again = read_dataset(folder_ / "cleaned.csv", {});
  ASSERT_EQ(again.size(), 47u);
  EXPECT_EQ(again[0].group, "copies of p0.png");
  EXPECT_EQ(again[45].text, "with other words");
  EXPECT_EQ(again[45].group, "copies of p0.png");
  EXPECT_EQ(again[46].group, again[4].group);
  EXPECT_EQ(again[1].group, "");
  const Inspection inspection = inspect(again, {});
  EXPECT_EQ(inspection.find(FindingKind::copies_across_split), nullptr);
  EXPECT_EQ(inspection.find(FindingKind::missing_picture), nullptr);
}

TEST_F(CleanedTableTest, KeepsGroupsThatAreGivenAndJoinsThoseThatCopiesConnect) {
  rows_[0][3] = "mine";
  rows_[3][3] = "mine";
  rows_[6][3] = "alone";
  for (std::size_t row : {1, 2, 5}) rows_[row][3] = "left";
  add(encode_png(scene(3)), "again", "cat");
  add(encode_png(scene(1)), "again", "wolf", "right");
  write("cleaned.csv", cleaned(folder_ / "cleaned.csv").csv);
  const Dataset again = read_dataset(folder_ / "cleaned.csv", {});
  EXPECT_EQ(again[0].group, "mine");
  EXPECT_EQ(again[45].group, "mine");
  EXPECT_EQ(again[6].group, "alone");
  for (std::size_t row : {1, 2, 5, 46}) EXPECT_EQ(again[row].group, "right") << row;
  EXPECT_EQ(again[7].group, "");
}

TEST_F(CleanedTableTest, FindsThePicturesFromWhereverItLies) {
  fs::create_directories(folder_ / "deep/er");
  fs::create_directory_symlink(folder_ / "deep/er", folder_ / "link");
  rows_[1][0] = (folder_ / "p1.png").string();
  for (const char* name : {"deep/cleaned.csv", "link/cleaned.csv"}) {
    write(name, cleaned(folder_ / name).csv);
    const Dataset again = read_dataset(folder_ / name, {});
    for (const Example& row : again.rows()) {
      EXPECT_TRUE(fs::exists(row.image.path)) << name << " " << row.image.path;
    }
    EXPECT_THAT(again[0].id, HasSubstr("../p0.png"));
  }
}

TEST_F(CleanedTableTest, FindsThePicturesOfATableThatWasNamedFromHere) {
  write("data.csv", as_delimited({"image", "text", "label", "group"}, rows_, ','));
  fs::create_directories(folder_ / "deep");
  const fs::path before = fs::current_path();
  fs::current_path(folder_);
  const Inspection inspection = inspect(read_dataset("data.csv", {}), {});
  write("deep/cleaned.csv", cleaned_table(inspection, {}, "deep/cleaned.csv").csv);
  fs::current_path(before);
  const Dataset again = read_dataset(folder_ / "deep/cleaned.csv", {});
  EXPECT_TRUE(fs::exists(again[0].image.path)) << again[0].image.path;
}

TEST_F(CleanedTableTest, KeepsEveryColumnAsItIs) {
  std::vector<std::vector<std::string>> rows = rows_;
  for (auto& row : rows) row[3] = "a \"quoted\", \n cell ";
  write("data.csv", as_delimited({"image", "text", "label", "notes"}, rows, ','));
  const Inspection inspection = inspect(read_dataset(folder_, {}), {});
  const std::string csv = cleaned_table(inspection, {}, folder_ / "cleaned.csv").csv;
  EXPECT_THAT(csv, testing::StartsWith("image,text,label,notes,group\n"));
  EXPECT_THAT(csv, HasSubstr("p0.png,photo number 0,cat,\"a \"\"quoted\"\", \n cell \",\n"));
}

}  // namespace
}  // namespace diptych
