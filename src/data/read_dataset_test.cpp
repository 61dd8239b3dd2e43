// Roles that need more than one cell, or more than a cell: texts, labels, parts, downloads.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "data/dataset.h"
#include "data/written_tables.h"

namespace diptych {
namespace {
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

using Skipped = std::map<std::string, std::int64_t>;

class RolesTest : public FolderTest {
 protected:
  Dataset read(const std::string& csv, const ReadOptions& options = {}) const {
    return read_dataset(write("data.csv", csv), options);
  }
  Dataset rows(const std::vector<Cells>& rows, const ReadOptions& options = {}) const {
    return read(as_delimited({"image", "text", "label", "group"}, rows, ','), options);
  }
  Error refused(const std::string& csv, const ReadOptions& options = {}) const {
    return error_of([&] { read(csv, options); });
  }
};

Cells problems_of(const Dataset& dataset) {
  Cells lines;
  for (const RowProblem& problem : dataset.problems()) {
    lines.push_back(fmt::format("{} {} {} {}", problem.row, problem.id,
                                problem_name(problem.problem), problem.detail));
  }
  return lines;
}

TEST_F(RolesTest, JoinsTheTextOfSeveralColumns) {
  const std::string csv =
      "image,title,description,label,\"title,description\"\na,빨간,사과,x,one\nb,,only,x,two\nc,,,"
      "x,\n";
  const auto texts = [&](const std::string& columns, const std::string& separator) {
    ReadOptions options;
    options.text_column = columns;
    options.text_separator = separator;
    Cells cells;
    const Dataset dataset = read(csv, options);
    for (const Example& row : dataset.rows()) cells.push_back(row.text);
    return cells;
  };
  EXPECT_THAT(texts("title, description", " | "), ElementsAre("빨간 | 사과", "only", ""));
  EXPECT_THAT(texts("description,title", ". "), ElementsAre("사과. 빨간", "only", ""));
  EXPECT_THAT(texts("title,description", " | "),
              ElementsAre("one", "two", ""));  // there is one so named
  ReadOptions options;
  options.text_column = "title,subtitle";
  EXPECT_THAT(refused(csv, options).full(),
              AllOf(HasSubstr("there is no column 'subtitle'"), HasSubstr("--text-column")));
  options.text_column = "title";
  EXPECT_THAT(
      read_dataset(write("t.jsonl", R"({"image": "a", "title": ["x", "", "y"], "label": 1})"),
                   options)[0]
          .text,
      "x | y");
}

Cells label_lines(const Dataset& dataset) {
  Cells lines;
  for (const Example& row : dataset.rows()) {
    std::string& line = lines.emplace_back();
    for (int label : row.labels)
      line += "[" + dataset.classes()[static_cast<std::size_t>(label)] + "]";
  }
  return lines;
}

TEST_F(RolesTest, ReadsSeveralLabelsOfACellOrAList) {
  const std::vector<Cells> content = {{"a", "", "cat| dog |cat", ""},
                                      {"b", "", "|", ""},
                                      {"c", "", "dog", ""},
                                      {"d", "", "고양이;dog", ""}};
  EXPECT_THAT(label_lines(rows(content)), ElementsAre("[cat][dog]", "[dog]", "[고양이;dog]"));
  EXPECT_EQ(rows(content).skipped(), (Skipped{{"empty label", 1}}));
  ReadOptions options;
  options.label_separator = ";";
  EXPECT_THAT(label_lines(rows(content, options)),
              ElementsAre("[cat| dog |cat]", "[|]", "[dog]", "[고양이][dog]"));
  options.label_separator = kNone;
  EXPECT_THAT(label_lines(rows(content, options)),
              ElementsAre("[cat| dog |cat]", "[|]", "[dog]", "[고양이;dog]"));
  options.needs_text = false;
  const std::string lists =
      "{\"image\": \"a\", \"label\": [\"cat|x\", 7, \"\", 7]}\n{\"image\": \"b\", \"label\": "
      "[]}\n{\"image\": \"c\", \"label\": [\"cat|x\"]}\n";
  EXPECT_THAT(label_lines(read_dataset(write("t.jsonl", lists), options)),
              ElementsAre("[cat|x][7]", "[cat|x]"));
}

TEST_F(RolesTest, ARowWithOneLabelThatTheModelDoesNotKnowIsSkipped) {
  ReadOptions options;
  options.classes = {"cat", "dog"};
  const Dataset dataset = rows({{"a", "", "cat|bird", ""}, {"b", "", "dog|cat", ""}}, options);
  EXPECT_THAT(label_lines(dataset), ElementsAre("[dog][cat]"));
  EXPECT_THAT(problems_of(dataset), ElementsAre("1 a unknown label bird"));
}

TEST_F(RolesTest, NamesLabelsFromAFile) {
  ReadOptions options;
  const std::vector<Cells> content = {
      {"a", "", "0", ""}, {"b", "", "2|1", ""}, {"c", "", "7", ""}, {"d", "", "1", ""}};
  const auto named = [&](const std::string& name, const std::string& bytes) {
    options.label_names = write(name, bytes).string();
    return rows(content, options);
  };
  const Dataset dataset = named("names.txt", "고양이\r\n dog \nbird, small\n");
  EXPECT_THAT(label_lines(dataset), ElementsAre("[고양이]", "[bird, small][dog]", "[dog]"));
  EXPECT_THAT(problems_of(dataset), ElementsAre("3 c unknown label 7 has no name"));
  EXPECT_EQ(named("names.csv", "name,more,label\n고양이,,0\n\"bird, small\",,2\ndog,,1\n").digest(),
            dataset.digest());
  EXPECT_EQ(named("names.jsonl",
                  "{\"label\": 0, \"name\": \"고양이\"}\n{\"label\": 2, \"name\": \"bird, "
                  "small\"}\n{\"label\": 1, \"name\": \"dog\"}\n")
                .digest(),
            dataset.digest());
  EXPECT_THAT(label_lines(named("animals.csv", "label,name\n0,pet\n1,pet\n2,wild\n7,wild\n")),
              ElementsAre("[pet]", "[wild][pet]", "[wild]", "[pet]"));
  for (const auto& [name, bytes, reason] : std::vector<std::array<const char*, 3>>{
           {"twice.csv", "label,name\n1,a\n1,b\n", "names the label '1' twice"},
           {"none.txt", "\n\n", "names no labels"},
           {"other.csv", "id,name\n1,a\n", "no columns 'label' and 'name'"}}) {
    EXPECT_THAT(error_of([&] { named(name, bytes); }).full(),
                AllOf(HasSubstr(name), HasSubstr(reason)));
  }
  options.label_names = (folder_ / "absent.txt").string();
  EXPECT_EQ(error_of([&] { rows(content, options); }).kind(), ErrorKind::not_found);
}

TEST_F(RolesTest, ReadsTheSplitThatAColumnGives) {
  const auto table = [](const std::string& column, const Cells& words) {
    std::string csv = "image,text,label," + column + "\n";
    for (std::size_t i = 0; i < words.size(); ++i)
      csv += std::to_string(i) + ",,x," + words[i] + "\n";
    return csv;
  };
  const Cells words = {"train", "Test",     " VAL ",   "validation", "valid",
                       "dev",   "training", "testing", "extra",      ""};
  const Dataset dataset = read(table("split", words));
  std::vector<Part> parts;
  for (const Example& row : dataset.rows()) parts.push_back(row.part);
  EXPECT_THAT(parts, ElementsAre(Part::train, Part::test, Part::validation, Part::validation,
                                 Part::validation, Part::validation, Part::train, Part::test));
  EXPECT_TRUE(dataset.gives_split());
  EXPECT_THAT(problems_of(dataset), ElementsAre("9 8 unknown split extra", "10 9 unknown split "));
  ReadOptions options;
  options.split_column = kNone;
  EXPECT_FALSE(read(table("split", words), options).gives_split());
  EXPECT_EQ(read(table("split", words), options).size(), 10u);
  EXPECT_FALSE(read(table("fold", words)).gives_split());
  options.split_column = "fold";
  EXPECT_TRUE(read(table("fold", words), options).gives_split());
  EXPECT_THAT(refused(table("split", words), options).full(),
              AllOf(HasSubstr("'fold'"), HasSubstr("--split-column NAME")));
  EXPECT_NE(read(table("split", {"train", "test"})).digest(),
            read(table("split", {"test", "train"})).digest());
  EXPECT_NE(read(table("split", {"train", "test"})).digest(),
            read(table("fold", {"train", "test"})).digest());
}

TEST_F(RolesTest, LeavesGroupsOutWhenToldThatThereAreNone) {
  ReadOptions options;
  options.group_column = kNone;
  EXPECT_EQ(rows({{"a", "", "x", "g"}}, options)[0].group, "");
}

TEST_F(RolesTest, CountsFailedDownloadsByTheirReason) {
  std::string csv =
      "image,text,label,key,url,status,error_message\na,,x,1,u,success,\n,,x,2,u,failed_to_"
      "download,timed out\n,,x,3,u,failed_to_download,\"HTTP Error 404: Not "
      "Found\"\n,,,4,u,failed_to_download,timed out\n,,x,5,u,failed_to_resize,\n";
  EXPECT_EQ(read(csv).skipped(), (Skipped{{"failed download: timed out", 2},
                                          {"failed download: HTTP Error 404: Not Found", 1},
                                          {"failed download: failed_to_resize", 1}}));
  EXPECT_EQ(read("image,text,label,status,error_message\na,,x,new,\n").size(),
            1u);  // another's column
  for (int i = 0; i < 60; ++i) {
    csv += fmt::format(",,x,6,u,failed,reason {} {}\n", i, std::string(200, 'x'));
  }
  const auto skipped = read(csv).skipped();
  EXPECT_EQ(skipped.size(), 21u);
  EXPECT_EQ(skipped.at("failed download: timed out"), 2);
  EXPECT_EQ(skipped.at("failed download, other reasons"), 43);
  EXPECT_EQ(read(csv).rows_read(), 65);
}

}  // namespace
}  // namespace diptych
