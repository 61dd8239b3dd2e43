#include "data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <set>

#include "data/written_tables.h"

namespace diptych {
namespace {
namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const Cells kNames = {"image", "text", "label", "group"};

class DatasetTest : public FolderTest {
 protected:
  Dataset read(const std::string& csv, const ReadOptions& options = {}) const {
    return read_dataset(write("data.csv", csv), options);
  }
  Dataset rows(const std::vector<Cells>& rows, const ReadOptions& options = {}) const {
    return read(as_delimited(kNames, rows, ','), options);
  }
  Error refused(const std::string& csv, const ReadOptions& options = {}) const {
    return error_of([&] { read(csv, options); });
  }
};

std::vector<std::string> problems_of(const Dataset& dataset) {
  std::vector<std::string> lines;
  for (const RowProblem& problem : dataset.problems()) {
    lines.push_back(std::to_string(problem.row) + " " + problem.id + " " +
                    problem_name(problem.problem) + " " + problem.detail);
  }
  return lines;
}

std::int64_t skipped_rows(const Dataset& dataset) {
  std::int64_t sum = 0;
  for (const auto& [reason, count] : dataset.skipped()) sum += count;
  return sum;
}

TEST_F(DatasetTest, HoldsRowsInTheOrderOfTheFileWithSortedClasses) {
  const Dataset dataset = rows({{"b.png", "나비", " zebra ", "g1"},
                                {"a.png", "x", "ape", ""},
                                {"sub/c.png", "", "zebra", "g1"}});
  ASSERT_EQ(dataset.size(), 3u);
  EXPECT_THAT(dataset.classes(), ElementsAre("ape", "zebra"));
  EXPECT_EQ(dataset[0].id, "b.png");
  EXPECT_EQ(dataset[0].text, "나비");
  EXPECT_THAT(dataset[0].labels, ElementsAre(1));
  EXPECT_THAT(dataset[1].labels, ElementsAre(0));
  EXPECT_EQ(dataset[0].group, "g1");
  EXPECT_EQ(dataset[1].group, "");
  EXPECT_EQ(dataset[2].row, 3);
  EXPECT_EQ(dataset[2].image.path, folder_ / "sub/c.png");
  EXPECT_EQ(dataset.source(), (folder_ / "data.csv").string());
}

TEST_F(DatasetTest, TakesAbsoluteImagePathsAsTheyAre) {
  const std::string path = (folder_ / "far.png").string();
  EXPECT_EQ(rows({{path, "", "1", ""}, {"b", "", "1", ""}})[0].image.path, path);
}

TEST_F(DatasetTest, IsTheSameInEveryFormat) {
  const std::vector<Cells> content = {{"a.png", "빨간 \"사과\"", "1", "g"},
                                      {"b.png", "two\nlines", "2", ""}};
  std::set<std::string> digests;
  for (const std::string ending : {".csv", ".tsv", ".jsonl", ".parquet", ".arrow", ".feather"}) {
    const fs::path folder = folder_ / ending.substr(1);
    fs::create_directories(folder);
    write_file(folder / ("data" + ending), as_table(ending, kNames, content));
    digests.insert(read_dataset(folder, {}).digest());
    digests.insert(read_dataset(folder / ("data" + ending), {}).digest());
  }
  EXPECT_EQ(digests.size(), 1u);
}

TEST_F(DatasetTest, AFolderMustHoldOneTable) {
  EXPECT_EQ(error_of([&] { read_dataset(folder_, {}); }).kind(), ErrorKind::not_found);
  write("data.csv", "a\n");
  write("data.jsonl", "{}\n");
  EXPECT_THAT(error_of([&] { read_dataset(folder_, {}); }).full(),
              AllOf(HasSubstr("data.csv"), HasSubstr("data.jsonl")));
  fs::create_directories(folder_ / "x.csv");
  const std::string long_name(300, 'x');
  for (const std::string& name : {std::string("x.csv"), std::string("absent"), long_name}) {
    EXPECT_EQ(error_of([&] { read_dataset(folder_ / name, {}); }).kind(), ErrorKind::not_found);
  }
}

TEST_F(DatasetTest, AMissingColumnNamesThoseThatAreThereTheNearestAndTheFlag) {
  EXPECT_THAT(refused("image,text,labels\na,b,c\n").full(),
              AllOf(HasSubstr("there is no column 'label'"), HasSubstr("image, text, labels"),
                    HasSubstr("did you mean 'labels'?"), HasSubstr("--label-column NAME")));
  EXPECT_THAT(refused("text,label\na,b\n").full(), HasSubstr("--image-column NAME"));
  EXPECT_THAT(refused("image,label\na,b\n").full(), HasSubstr("--text-column NAME"));
  ReadOptions options;
  options.group_column = "owner";
  EXPECT_THAT(refused("image,text,label,group\na,b,c,d\n", options).full(),
              AllOf(HasSubstr("'owner'"), HasSubstr("--group-column NAME")));
}

TEST_F(DatasetTest, NeverGuessesARole) {
  EXPECT_EQ(refused("picture,caption,class\na.png,b,c\n").kind(), ErrorKind::data);
  ReadOptions options;
  options.image_column = "picture";
  options.text_column = "caption";
  options.label_column = "class";
  const Dataset dataset = read("picture,caption,class,image\na.png,b,c,d\n", options);
  EXPECT_EQ(dataset[0].image.path, folder_ / "a.png");
  EXPECT_EQ(dataset[0].text, "b");
  EXPECT_THAT(dataset.classes(), ElementsAre("c"));
}

TEST_F(DatasetTest, NeedsNoColumnThatTheInputsLeaveOut) {
  ReadOptions options;
  options.needs_image = options.needs_label = false;
  const Dataset dataset = read("text\na\n\"\"\nb\n", options);
  ASSERT_EQ(dataset.size(), 3u);
  EXPECT_EQ(dataset[2].id, "row 3");
  EXPECT_TRUE(dataset[2].image.path.empty());
  EXPECT_TRUE(dataset[2].labels.empty());
}

TEST_F(DatasetTest, GivesEveryRowAnIdOfItsOwn) {
  ReadOptions options;
  options.skips_empty_image = false;
  const Dataset dataset = rows({{"a (row 3)", "", "1", ""},
                                {"a", "", "1", ""},
                                {"a", "", "1", ""},
                                {"row 5", "", "1", ""},
                                {"", "", "1", ""},
                                {"", "", "1", ""}},
                               options);
  std::set<std::string> ids;
  for (const Example& row : dataset.rows()) ids.insert(row.id);
  EXPECT_EQ(ids.size(), 6u);
  EXPECT_EQ(dataset[1].id, "a");
  EXPECT_EQ(dataset[5].id, "row 6");
}

TEST_F(DatasetTest, UsesOrSkipsEveryRowForOneReason) {
  // Every combination of what can be wrong with a row.
  std::vector<Cells> content;
  std::int64_t usable = 0;
  for (const std::string image : {"a", ""}) {
    for (const std::string label : {"1", "other", ""}) {
      for (const std::string& text :
           {std::string("t"), std::string("\xff"), std::string(99, 'x')}) {
        content.push_back({image, text, label, "g"});
        usable += !image.empty() && label == "1";
      }
    }
  }
  ReadOptions options;
  options.max_text_bytes = 10;
  options.classes = {"0", "1"};
  const Dataset dataset = rows(content, options);
  EXPECT_EQ(std::ssize(dataset.rows()), usable);
  EXPECT_EQ(dataset.rows_read(), std::ssize(content));
  EXPECT_EQ(usable + skipped_rows(dataset), dataset.rows_read());
  EXPECT_EQ(dataset.skipped(),
            (std::map<std::string, std::int64_t>{
                {"missing image", 9}, {"unknown label", 3}, {"empty label", 3}}));
  EXPECT_THAT(dataset.classes(), ElementsAre("0", "1"));
  for (const Example& row : dataset.rows()) EXPECT_THAT(row.labels, ElementsAre(1));
}

TEST_F(DatasetTest, CutsLongTextsAndRepairsBytesAndSaysSo) {
  ReadOptions options;
  options.max_text_bytes = 10;
  const Dataset dataset = rows({{"a", "0123456789", "x", ""},
                                {"b", "가나다라", "x", ""},
                                {"c", "a\xff\xfe", "caf\xe9", "g\xe9"},
                                {"d\xe9", "ok", "x", ""}},
                               options);
  ASSERT_EQ(dataset.size(), 4u);
  EXPECT_EQ(dataset[0].text, "0123456789");
  EXPECT_EQ(dataset[1].text, "가나다");
  EXPECT_EQ(dataset[2].text, "a\ufffd\ufffd");
  EXPECT_EQ(dataset[2].group, "g\ufffd");
  EXPECT_EQ(dataset[3].image.path, folder_ / "d\xe9");
  EXPECT_THAT(problems_of(dataset),
              testing::UnorderedElementsAre(
                  "2 b long text 12 bytes", "3 c invalid UTF-8 in the text",
                  "3 c invalid UTF-8 in the label", "3 c invalid UTF-8 in the group",
                  "4 d\ufffd invalid UTF-8 in the image's name"));
  EXPECT_THAT(dataset.classes(), ElementsAre("caf\ufffd", "x"));
}

TEST_F(DatasetTest, UsesARowWhoseTextIsTenMegabytes) {
  const Dataset dataset = rows({{"a", std::string(10 << 20, 'x'), "1", ""}});
  EXPECT_EQ(dataset[0].text.size(), ReadOptions().max_text_bytes);
  EXPECT_THAT(problems_of(dataset), ElementsAre("1 a long text 10485760 bytes"));
}

TEST_F(DatasetTest, KeepsRowsWithoutLabelsWhenNoneIsNeeded) {
  ReadOptions options;
  options.needs_label = false;
  options.classes = {"x"};
  const Dataset dataset =
      rows({{"a", "", "", ""}, {"b", "", "x", ""}, {"c", "", "y", ""}}, options);
  ASSERT_EQ(dataset.size(), 3u);
  EXPECT_TRUE(dataset[0].labels.empty());
  EXPECT_THAT(dataset[1].labels, ElementsAre(0));
  EXPECT_TRUE(dataset[2].labels.empty());
}

TEST_F(DatasetTest, WithoutAUsableRowIsRefusedWithTheReasons) {
  EXPECT_THAT(refused("image,text,label\na,b,\n,c,1\n").full(),
              AllOf(HasSubstr("empty label: 1"), HasSubstr("missing image: 1")));
  EXPECT_THAT(refused("image,text,label\n").what(), HasSubstr("no row can be used"));
}

TEST_F(DatasetTest, LeavesRowsOutAndNumbersTheirClassesAnew) {
  const Dataset all = rows({{"a", "", "x", ""},
                            {"b", "", "y", ""},
                            {"c", "", "z", ""},
                            {"", "", "z", ""},
                            {"e", "", "y", ""}});
  const std::vector<RowProblem> problems = {{5, "e", Problem::invalid_utf8, ""},
                                            {1, "a", Problem::unreadable_image, "why"}};
  const Dataset left = all.without(problems);
  ASSERT_EQ(left.size(), 3u);
  EXPECT_THAT(left.classes(), ElementsAre("y", "z"));
  EXPECT_THAT(left[0].labels, ElementsAre(0));
  EXPECT_THAT(left[1].labels, ElementsAre(1));
  EXPECT_EQ(left.rows_read(), 5);
  EXPECT_EQ(left.source(), all.source());
  EXPECT_EQ(skipped_rows(left) + 3, left.rows_read());
  EXPECT_THAT(problems_of(left),
              ElementsAre("1 a unreadable image why", "4 row 4 missing image the cell is empty",
                          "5 e invalid UTF-8 "));
  EXPECT_THAT(all.without(problems, true).classes(), ElementsAre("x", "y", "z"));
  EXPECT_THAT(all.without(problems, true)[0].labels, ElementsAre(1));
}

TEST_F(DatasetTest, ProblemsAreWrittenAsCsv) {
  const std::vector<RowProblem> problems = {{3, "a \"b\",c", Problem::missing_image, "x\ny"},
                                            {4, "d", Problem::long_text, ""}};
  EXPECT_EQ(problems_csv(problems),
            "row,id,problem,action,detail\n3,\"a \"\"b\"\",c\",missing image,skipped,\"x\ny\"\n"
            "4,d,long text,used,\n");
}

TEST_F(DatasetTest, DigestChangesWithAnyContentAndWithNothingElse) {
  const std::vector<Cells> content = {{"a", "t1", "x", "g"}, {"b", "t2", "y", "g"}};
  const std::string digest = rows(content).digest();
  EXPECT_EQ(digest.size(), 32u);
  std::set<std::string> digests = {digest};
  for (std::size_t row = 0; row < 2; ++row) {
    for (std::size_t column = 0; column < 4; ++column) {
      std::vector<Cells> changed = content;
      changed[row][column] += "!";
      digests.insert(rows(changed).digest());
    }
  }
  digests.insert(rows({content[1], content[0]}).digest());
  digests.insert(rows({content[0]}).digest());
  digests.insert(rows({{"a", "t1g", "x", ""}, content[1]}).digest());
  EXPECT_EQ(digests.size(), 12u);

  EXPECT_EQ(read("more,group,image,text,label\n1,g,a,t1,x\n2,g,b,t2,y\n").digest(), digest);
  EXPECT_EQ(rows({content[0], {"c", "", "", ""}, content[1]}).digest(), digest);
  write("other.csv", as_delimited(kNames, content, ','));
  EXPECT_EQ(read_dataset(folder_ / "other.csv", {}).digest(), digest);
}

Example example(const Cells& parts, std::vector<int> labels) {
  Example row;
  row.id = parts[0];
  row.text = parts[1];
  row.group = parts[2];
  row.labels = std::move(labels);
  return row;
}

TEST_F(DatasetTest, DigestTellsLabelsFromTextsAndClassesFromRows) {
  // Each pair is the same sequence of words.
  const Dataset labelled(
      {example({"a", "b", "c"}, {0}), example({"d", "e", "f"}, {0}), example({"g", "h", "i"}, {0})},
      {"x"});
  const Dataset bare({example({"a", "b", "c"}, {}), example({"x", "d", "e"}, {}),
                      example({"f", "x", "g"}, {}), example({"h", "i", "x"}, {})},
                     {"x"});
  EXPECT_NE(labelled.digest(), bare.digest());
  const Dataset one({example({"y", "a", "t"}, {0})}, {"0"});
  const Dataset two({example({"a", "t", "1"}, {})}, {"0", "y"});
  EXPECT_NE(one.digest(), two.digest());
}

TEST_F(DatasetTest, DigestCoversThePicturesForModelsThatSeeThem) {
  const Dataset bare = rows({{"a", "t1", "x", "g"}, {"b", "t2", "y", "g"}});
  const std::vector<std::uint64_t> hashes = {1, 2}, others = {2, 1};
  const Dataset dataset = bare.with_pictures(hashes);
  EXPECT_NE(dataset.digest(), bare.digest());
  EXPECT_EQ(dataset.digest(), bare.with_pictures(hashes).digest());
  EXPECT_NE(dataset.digest(), bare.with_pictures(others).digest());
  EXPECT_NE(dataset.digest(),
            rows({{"a", "t1", "x", "g"}, {"b", "t3", "y", "g"}}).with_pictures(hashes).digest());
  EXPECT_EQ(dataset.digest_for(Inputs::image_text), dataset.digest());
  EXPECT_EQ(dataset.digest_for(Inputs::image), dataset.digest());
  EXPECT_EQ(dataset.digest_for(Inputs::text), bare.digest());
  EXPECT_EQ(bare.digest_for(Inputs::image), bare.digest());
  EXPECT_EQ(dataset.size(), 2u);
  EXPECT_EQ(dataset.source(), bare.source());
  EXPECT_THROW(bare.with_pictures(std::span(hashes).first(1)), std::invalid_argument);
}

TEST(Dataset, WithOtherGroupsIsAnother) {
  std::vector<Example> rows(2);
  rows[0].id = "a";
  rows[1].id = "b";
  const Dataset dataset(rows, {});
  const std::vector<std::string> groups{"x", ""};
  const Dataset grouped = dataset.with_groups(groups);
  EXPECT_EQ(grouped[0].group, "x");
  EXPECT_EQ(grouped[1].group, "");
  EXPECT_EQ(dataset[0].group, "");
  EXPECT_NE(grouped.digest(), dataset.digest());
  EXPECT_EQ(grouped.with_groups(std::vector<std::string>(2)).digest(), dataset.digest());
  const std::vector<std::uint64_t> pictures{1, 2};
  const Dataset seen = dataset.with_pictures(pictures).with_groups(groups);
  EXPECT_EQ(seen.digest(), grouped.digest());  // the pictures are to be told again
  EXPECT_THROW(dataset.with_groups(std::span(groups).first(1)), std::invalid_argument);
}

}  // namespace
}  // namespace diptych
