// Conformance: the same rows in every layout, written by the tool that owns it (write_layouts.py),
// are read row for row equal: pictures, texts, labels and parts of the split.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "data/dataset.h"
#include "data/pictures.h"

namespace diptych {
namespace {
namespace fs = std::filesystem;

fs::path root() {
  const char* folder = std::getenv("DIPTYCH_LAYOUTS");
  return folder ? folder : "layouts";
}

struct Row {
  std::string picture, text, part;
  std::vector<std::string> labels;
  bool operator==(const Row&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
  out << row.picture.size() << " bytes, '" << row.text << "', " << row.part;
  for (const std::string& label : row.labels) out << " [" << label << "]";
  return out;
}

// A layout, what it is asked for, and what it cannot hold.
struct Layout {
  const char* name;
  const char* path;
  ReadOptions options = {};
  const char* text = "text";    // the member of rows.jsonl that is read as the text
  const char* label = "label";  // and as the label
  bool has_split = true;
  bool in_order = true;            // else rows are compared in order of their pictures
  const char* failures = nullptr;  // the member of failed.json: rows that img2dataset could not get
};

ReadOptions with(const std::function<void(ReadOptions&)>& change) {
  ReadOptions options;
  change(options);
  return options;
}

const ReadOptions kTags = with([](ReadOptions& options) { options.label_column = "tags"; });
const ReadOptions kTexts =
    with([](ReadOptions& options) { options.text_column = "title,description"; });
const ReadOptions kCaption = with([](ReadOptions& options) { options.text_column = "caption"; });
const ReadOptions kJpg = with([](ReadOptions& options) {
  options.text_column = "caption";
  options.image_column = "jpg";
});
const ReadOptions kNamed = with([](ReadOptions& options) {
  options.label_names = (root() / "hugging_face/names.txt").string();
});

const std::vector<Layout> kLayouts = {
    {"CsvByPyarrow", "tables/rows.csv"},
    {"CsvByPython", "tables/python.csv"},
    {"Tsv", "tables/rows.tsv"},
    {"Jsonl", "tables/rows.jsonl"},
    {"Parquet", "tables/rows.parquet"},
    {"Feather", "tables/rows.feather"},
    {"ArrowFile", "tables/rows.ipc"},
    {"ArrowStream", "tables/rows.arrow"},
    {"CsvTags", "tables/rows.csv", kTags, "text", "tags"},
    {"JsonlTags", "tables/rows.jsonl", kTags, "text", "tags"},
    {"ParquetTags", "tables/rows.parquet", kTags, "text", "tags"},
    {"ArrowTags", "tables/rows.arrow", kTags, "text", "tags"},
    {"CsvTexts", "tables/rows.csv", kTexts, "texts"},
    {"ParquetTexts", "tables/rows.parquet", kTexts, "texts"},
    {"BytesInParquet", "bytes/binary.parquet"},
    {"BytesInFeather", "bytes/binary.feather"},
    {"BytesInArrowFile", "bytes/binary.ipc"},
    {"BytesInArrowStream", "bytes/binary.arrow"},
    {"LargeBytesInParquet", "bytes/large.parquet"},
    {"LargeBytesInFeather", "bytes/large.feather"},
    {"LargeBytesInArrowFile", "bytes/large.ipc"},
    {"LargeBytesInArrowStream", "bytes/large.arrow"},
    {"ViewsInArrowFile", "bytes/view.ipc"},
    {"ViewsInArrowStream", "bytes/view.arrow"},
    {"FolderOfParts", "parts"},
    {"PatternOfParts", "parts/part-{0..2}.parquet"},
    {"FilesOfASplit",
     "files_of_split/{train,validation,test}.csv",
     {},
     "text",
     "label",
     true,
     false},
    {"HuggingFaceParquet", "hugging_face/rows.parquet", kNamed},
    {"HuggingFaceTags", "hugging_face/rows.parquet", kTags, "text", "tags"},
    {"HuggingFaceSaved", "hugging_face/saved", kNamed, "text", "label", true, false},
    {"ImagefolderCsv", "imagefolder_csv"},
    {"ImagefolderJsonl", "imagefolder_jsonl"},
    {"ImagefolderParquet", "imagefolder_parquet"},
    {"ClassFolders", "class_folders", {}, "text", "label", false, false},
    {"SplitFolders", "split_folders", {}, "text", "label", true, false},
    {"WebDatasetCls", "webdataset_cls"},
    {"WebDatasetJson", "webdataset_json"},
    {"WebDatasetTags", "webdataset_json/s-{00000..00002}.tar", kTags, "text", "tags"},
    {"WebDatasetSplit", "webdataset_split", {}, "text", "label", true, false},
    {"Img2datasetFiles", "img2dataset_files", kCaption, "text", "label", true, false, "files"},
    {"Img2datasetText", "img2dataset_files", {}, "text", "label", true, false, "files"},
    {"Img2datasetWebdataset", "img2dataset_webdataset", kCaption, "text", "label", true, false,
     "webdataset"},
    {"Img2datasetParquet", "img2dataset_parquet", kJpg, "text", "label", true, false, "parquet"},
};

const char* part_word(Part part) {
  constexpr const char* kWords[] = {"", "train", "validation", "test"};
  return kWords[static_cast<int>(part)];
}

std::vector<Row> expected_rows(const Layout& layout) {
  std::vector<Row> rows;
  std::ifstream lines(root() / "rows.jsonl");
  for (std::string line; std::getline(lines, line);) {
    const auto object = nlohmann::json::parse(line);
    Row row;
    row.picture = read_file(root() / "pictures" / object.at("image").get<std::string>());
    if (std::string(layout.text) == "texts") {
      const std::string title = object.at("title"), description = object.at("description");
      row.text = title + (title.empty() || description.empty() ? "" : " | ") + description;
    } else {
      row.text = object.at(layout.text);
    }
    if (layout.has_split) row.part = object.at("split");
    const auto& label = object.at(layout.label);
    row.labels = label.is_array() ? label.get<std::vector<std::string>>()
                                  : std::vector<std::string>{label.get<std::string>()};
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Row> read_rows(const Dataset& dataset) {
  std::vector<Row> rows(dataset.size());
  PictureReader reader(dataset);
  while (auto picture = reader.next()) {
    const Example& example = dataset[picture->row];
    Row& row = rows[picture->row];
    EXPECT_FALSE(picture->error) << example.id << ": " << picture->error->what();
    row.picture = picture->bytes;
    row.text = example.text;
    row.part = part_word(example.part);
    for (int label : example.labels) {
      row.labels.push_back(dataset.classes()[static_cast<std::size_t>(label)]);
    }
  }
  return rows;
}

void sort_by_picture(std::vector<Row>& rows) {
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return a.picture < b.picture; });
}

class EveryLayout : public testing::TestWithParam<Layout> {};
INSTANTIATE_TEST_SUITE_P(Conformance, EveryLayout, testing::ValuesIn(kLayouts),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(EveryLayout, IsReadRowForRowEqual) {
  const Layout& layout = GetParam();
  const Dataset dataset = read_dataset(root() / layout.path, layout.options);
  std::vector<Row> rows = read_rows(dataset), expected = expected_rows(layout);
  ASSERT_EQ(expected.size(), 24u) << "run write_layouts.py";
  if (!layout.in_order) {
    sort_by_picture(rows);
    sort_by_picture(expected);
  }
  ASSERT_EQ(rows.size(), expected.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i], expected[i]) << "row " << i + 1;
  }
}

TEST_P(EveryLayout, AccountsForEveryRowThatItWasGiven) {
  const Layout& layout = GetParam();
  const Dataset dataset = read_dataset(root() / layout.path, layout.options);
  std::map<std::string, std::int64_t> expected;
  if (layout.failures) {
    const auto failed = nlohmann::json::parse(read_file(root() / "failed.json"));
    for (const auto& [reason, count] : failed.at(layout.failures).items()) {
      expected["failed download: " + reason] = count;
    }
  }
  EXPECT_EQ(dataset.skipped(), expected);
  EXPECT_EQ(dataset.rows_read(), 24 + (layout.failures ? 3 : 0));
}

}  // namespace
}  // namespace diptych
