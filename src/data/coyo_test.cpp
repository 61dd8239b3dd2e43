#include "data/coyo.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/rng.h"
#include "data/table_arrow.h"
#include "data/written_tables.h"

namespace diptych {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

struct PairRow {
  std::int64_t id;
  std::string url;
  double score = 0.5;
};
struct LabelRow {
  std::int64_t id;
  std::vector<std::int64_t> labels;
  std::vector<float> probabilities;
};

template <typename ItemBuilder, typename Item>
std::shared_ptr<arrow::Array> lists(const std::vector<std::vector<Item>>& rows) {
  const auto items = std::make_shared<ItemBuilder>();
  arrow::ListBuilder builder(arrow::default_memory_pool(), items);
  for (const auto& row : rows) {
    EXPECT_TRUE(builder.Append().ok() && items->AppendValues(row).ok());
  }
  return *builder.Finish();
}

Columns pair_columns(const std::vector<PairRow>& rows) {
  std::vector<std::int64_t> ids;
  Cells urls, texts;
  std::vector<double> scores;
  for (const PairRow& row : rows) {
    ids.push_back(row.id);
    urls.push_back(row.url);
    texts.push_back("text of " + row.url);
    scores.push_back(row.score);
  }
  return {{"id", column_of<arrow::Int64Builder>(ids)},
          {"url", column_of<arrow::StringBuilder>(urls)},
          {"text", column_of<arrow::StringBuilder>(texts)},
          {"score", column_of<arrow::DoubleBuilder>(scores)}};
}

Columns label_columns(const std::vector<LabelRow>& rows) {
  std::vector<std::int64_t> ids;
  std::vector<std::vector<std::int64_t>> labels;
  std::vector<std::vector<float>> probabilities;
  for (const LabelRow& row : rows) {
    ids.push_back(row.id);
    labels.push_back(row.labels);
    probabilities.push_back(row.probabilities);
  }
  return {{"id", column_of<arrow::Int64Builder>(ids)},
          {"labels", lists<arrow::Int64Builder>(labels)},
          {"label_probs", lists<arrow::FloatBuilder>(probabilities)}};
}

std::vector<std::string> column(const CoyoSample& sample, const std::string& name) {
  TextColumn cells;
  for (const auto& chunk : sample.table->GetColumnByName(name)->chunks()) {
    add_cells(chunk, name, "", cells);
  }
  return {cells.begin(), cells.end()};
}

std::int64_t count_of(const Account& account, const std::string& name) {
  for (const auto& [what, rows] : account) {
    if (what == name) return rows;
  }
  ADD_FAILURE() << "no line '" << name << "'";
  return -1;
}

void expect_whole(const Account& account) {
  std::int64_t sum = 0;
  for (std::size_t i = 1; i < account.size(); ++i) {
    EXPECT_GE(account[i].second, 0) << account[i].first;
    sum += account[i].second;
  }
  EXPECT_EQ(sum, account.front().second);
}

class CoyoTest : public FolderTest {
 protected:
  std::filesystem::path pairs(const std::string& name, const std::vector<PairRow>& rows) const {
    return write(name, parquet_of(pair_columns(rows)));
  }
  std::filesystem::path labels(const std::string& name, const std::vector<LabelRow>& rows) const {
    return write(name, parquet_of(label_columns(rows)));
  }

  CoyoSample sample(CoyoOptions options) const {
    const CoyoSample result = sample_coyo(options);
    expect_whole(result.labels);
    expect_whole(result.pairs);
    return result;
  }

  // rows ids, 0 to rows - 1; every second one labelled; label of id: 7 thrice as often as 8, 9.
  CoyoOptions many(std::int64_t rows) const {
    std::vector<PairRow> pair_rows;
    std::vector<LabelRow> label_rows;
    for (std::int64_t id = 0; id < rows; ++id) {
      pair_rows.push_back({id, "u" + std::to_string(id), static_cast<double>(id % 10) / 10});
      if (id % 2 == 1) label_rows.push_back({id, {label_of(id), 3}, {0.6f, 0.2f}});
    }
    CoyoOptions options;
    options.pairs = {pairs("pairs.parquet", pair_rows)};
    options.labels = {labels("labels.parquet", label_rows)};
    return options;
  }
  static std::int64_t label_of(std::int64_t id) {
    const std::int64_t part = id / 2 % 5;
    return part < 3 ? 7 : 5 + part;
  }
};

TEST_F(CoyoTest, JoinsByIdAndTakesTheMostProbableLabel) {
  CoyoOptions options;
  options.pairs = {pairs("p.parquet", {{1, "a"}, {2, "b"}, {3, "c"}})};
  options.labels = {
      labels("l.parquet",
             {{3, {10, 11, 12}, {0.1f, 0.7f, 0.2f}}, {1, {5, 4}, {0.4f, 0.4f}}, {9, {4}, {0.9f}}})};
  const CoyoSample result = sample(options);
  const auto ids = column(result, "id"), names = column(result, "label");
  std::map<std::string, std::string> label;
  for (std::size_t i = 0; i < ids.size(); ++i) label[ids[i]] = names[i];
  EXPECT_THAT(label, ElementsAre(Pair("1", "4"), Pair("3", "11"))) << "of equals the smaller";
  EXPECT_THAT(result.table->schema()->field_names(),
              ElementsAre("id", "url", "text", "score", "label", "probability"));
  EXPECT_EQ(count_of(result.pairs, "without a label"), 1);
  EXPECT_EQ(count_of(result.pairs, "sampled"), 2);
}

TEST_F(CoyoTest, KeepsTheMostFrequentClassesAndOfEqualsTheSmaller) {
  CoyoOptions options;
  std::vector<PairRow> pair_rows;
  std::vector<LabelRow> label_rows;
  for (std::int64_t id = 0; id < 12; ++id) {
    pair_rows.push_back({id, "u" + std::to_string(id)});
    label_rows.push_back({id, {id < 4 ? 20 : id < 8 ? 30 : id < 11 ? 10 : 5}, {0.5f}});
  }
  options.pairs = {pairs("p.parquet", pair_rows)};
  options.labels = {labels("l.parquet", label_rows)};
  options.rules.classes = 2;
  const CoyoSample two = sample(options);
  ASSERT_EQ(two.classes.size(), 2u);
  EXPECT_EQ(two.classes[0].name, "20");
  EXPECT_EQ(two.classes[1].name, "30");
  EXPECT_EQ(count_of(two.pairs, "of other classes"), 4);
  EXPECT_EQ(count_of(two.labels, "of other classes"), 4);
  options.rules.classes = 0;
  EXPECT_EQ(sample(options).classes.size(), 4u);
}

TEST_F(CoyoTest, NamesLabelsByAMapWhichMayJoinThem) {
  CoyoOptions options;
  options.pairs = {pairs("p.parquet", {{1, "a"}, {2, "b"}, {3, "c"}})};
  options.labels = {labels("l.parquet", {{1, {10}, {0.5f}}, {2, {11}, {0.5f}}, {3, {12}, {0.5f}}})};
  options.rules.names = {{"10", "개"}, {"11", "개"}, {"13", "cat"}};
  const CoyoSample result = sample(options);
  EXPECT_THAT(column(result, "label"), ElementsAre("개", "개"));
  EXPECT_EQ(count_of(result.pairs, "of other classes"), 1);
  options.rules.names = {{"ten", "x"}};
  EXPECT_THAT(error_of([&] { sample_coyo(options); }).full(), HasSubstr("'ten'"));
}

TEST_F(CoyoTest, CountsLabelsThatAreImprobableOrDamaged) {
  CoyoOptions options;
  const float nan = std::nanf("");
  options.pairs = {
      pairs("p.parquet", {{1, "a"}, {2, "b"}, {3, "c"}, {4, "d"}, {5, "e"}, {6, "f"}})};
  options.labels = {labels("l.parquet", {{1, {7}, {0.7f}},
                                         {2, {7}, {0.69f}},
                                         {3, {}, {}},
                                         {4, {7, 8}, {0.9f}},
                                         {5, {7, 8}, {nan, 0.8f}},
                                         {6, {-7}, {0.9f}}})};
  options.rules.min_probability = 0.7;
  const CoyoSample result = sample(options);
  std::vector<std::string> ids = column(result, "id");
  std::sort(ids.begin(), ids.end());
  EXPECT_THAT(ids, ElementsAre("1", "5"));
  EXPECT_EQ(count_of(result.labels, "without a label"), 3);
  EXPECT_EQ(count_of(result.labels, "improbable label"), 1);
  EXPECT_EQ(count_of(result.pairs, "improbable label"), 1);
}

TEST_F(CoyoTest, FiltersAndCountsByCondition) {
  CoyoOptions options = many(200);
  options.where = "score>0.15 and score<0.55";
  options.rows = 1000;
  const CoyoSample result = sample(options);
  for (const std::string& score : column(result, "score")) {
    EXPECT_GT(std::stod(score), 0.15);
    EXPECT_LT(std::stod(score), 0.55);
  }
  EXPECT_EQ(count_of(result.pairs, "not score>0.15"), 20);  // 0.1, as even ids have no label
  EXPECT_EQ(count_of(result.pairs, "not score<0.55"), 40);  // 0.7, 0.9
  EXPECT_EQ(count_of(result.pairs, "sampled"), 40);         // 0.3, 0.5
}

// The slow way: every eligible row, by priority.
std::vector<std::string> first_by_priority(std::int64_t rows, std::size_t most,
                                           std::uint64_t seed) {
  std::vector<std::pair<std::uint64_t, std::int64_t>> all;
  for (std::int64_t id = 1; id < rows; id += 2) all.emplace_back(priority_of(seed, id), id);
  std::sort(all.begin(), all.end());
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < most; ++i) ids.push_back(std::to_string(all[i].second));
  return ids;
}

TEST_F(CoyoTest, DrawsTheSameRowsHoweverFewLabelsAreHeld) {
  CoyoOptions options = many(4000);
  options.rows = 150;
  const auto expected = first_by_priority(4000, 150, 1);
  EXPECT_EQ(column(sample(options), "id"), expected);
  for (const std::size_t most : {1, 7, 40, 200, 1999, 2000}) {
    if (most < 7) options.rows = 5;
    options.most_held = most;
    const CoyoSample result = sample(options);
    const auto ids = column(result, "id");
    EXPECT_TRUE(std::equal(ids.begin(), ids.end(), expected.begin())) << most;
    EXPECT_EQ(ids.size(), static_cast<std::size_t>(options.rows)) << most;
    EXPECT_LE(result.most_held, most + most / 4 + 1) << most;
    EXPECT_EQ(result.rounds > 1, most < 150) << most;
    options.rows = 150;
  }
}

TEST_F(CoyoTest, NeedsSeveralRoundsWhenTheFilterIsStrictAndSaysWhatWasBeyondTheDraw) {
  CoyoOptions options = many(4000);
  options.where = "score>0.85";
  options.rows = 30;
  const auto all = column(sample(options), "id");
  options.most_held = 100;
  const CoyoSample result = sample(options);
  EXPECT_EQ(column(result, "id"), all);
  EXPECT_GT(result.rounds, 1);
  EXPECT_GT(count_of(result.pairs, "beyond the draw"), 0);
  EXPECT_GT(count_of(result.pairs, "without a label of the classes"), 0);
}

TEST_F(CoyoTest, DoesNotDependOnTheOrderOfRowsAndFiles) {
  std::vector<PairRow> pair_rows;
  std::vector<LabelRow> label_rows;
  for (std::int64_t id = 0; id < 500; ++id) {
    pair_rows.push_back({id, "u" + std::to_string(id)});
    label_rows.push_back({id, {id % 3}, {0.5f}});
    if (id % 5 == 0) pair_rows.push_back({id, "other" + std::to_string(id)});  // ids twice
    if (id % 7 == 0) label_rows.push_back({id, {(id + 1) % 3}, {0.6f}});
  }
  for (const bool balanced : {false, true}) {
    std::vector<std::string> first;
    Account accounts;
    for (std::uint64_t order = 0; order < 4; ++order) {
      Rng rng(order);
      rng.shuffle(std::span(pair_rows));
      rng.shuffle(std::span(label_rows));
      const auto half = pair_rows.begin() + 200;
      CoyoOptions options;
      options.pairs = {pairs("p1.parquet", {pair_rows.begin(), half}),
                       pairs("p2.parquet", {half, pair_rows.end()})};
      options.labels = {labels("l.parquet", label_rows)};
      options.rows = 90;
      options.balanced = balanced;
      options.most_held = order % 2 ? 64 : 10000;
      if (order > 1) std::swap(options.pairs[0], options.pairs[1]);
      const CoyoSample result = sample(options);
      auto seen = column(result, "url");
      const auto names = column(result, "label");
      seen.insert(seen.end(), names.begin(), names.end());
      if (order == 0) first = seen;
      EXPECT_EQ(seen, first) << order;
    }
  }
}

TEST_F(CoyoTest, TakesAnIdOnce) {
  CoyoOptions options;
  options.pairs = {pairs("p.parquet", {{1, "b"}, {1, "a"}, {1, "c"}, {2, "d"}})};
  options.labels = {labels("l.parquet", {{1, {7}, {0.5f}}, {1, {8}, {0.6f}}, {2, {8}, {0.5f}}})};
  const CoyoSample result = sample(options);
  EXPECT_EQ(result.table->num_rows(), 2);
  EXPECT_EQ(count_of(result.pairs, "doubled id"), 2);
  EXPECT_THAT(column(result, "label"), ElementsAre("8", "8"));
  EXPECT_THAT(column(result, "url"), testing::UnorderedElementsAre("a", "d"));
}

TEST_F(CoyoTest, DrawsEveryRowEquallyOften) {
  CoyoOptions options = many(400);  // 200 are eligible
  options.rows = 50;
  std::map<std::string, int> drawn;
  constexpr int kSeeds = 200;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    options.seed = seed;
    for (const std::string& id : column(sample(options), "id")) ++drawn[id];
  }
  EXPECT_EQ(drawn.size(), 200u);
  double chi_squared = 0;  // 199 degrees of freedom, but drawn without replacement
  const double expected = kSeeds * 0.25;
  for (const auto& [id, times] : drawn) {
    chi_squared += (times - expected) * (times - expected) / (expected * 0.75);
  }
  EXPECT_GT(chi_squared, 130);
  EXPECT_LT(chi_squared, 280);
}

TEST_F(CoyoTest, GivesEveryClassAsManyRowsAsItHasWhenBalanced) {
  CoyoOptions options = many(1000);  // of 500: 300 of class 7, 100 of 8 and 9 each
  options.rows = 90;
  options.balanced = true;
  const auto sampled = [&] {
    std::map<std::string, std::int64_t> rows;
    for (const auto& one : sample(options).classes) rows[one.name] = one.sampled;
    return rows;
  };
  EXPECT_THAT(sampled(), ElementsAre(Pair("7", 30), Pair("8", 30), Pair("9", 30)));
  options.rows = 350;
  EXPECT_THAT(sampled(), ElementsAre(Pair("7", 150), Pair("8", 100), Pair("9", 100)));
  options.most_held = 60;
  EXPECT_THAT(sampled(), ElementsAre(Pair("7", 150), Pair("8", 100), Pair("9", 100)));
}

TEST_F(CoyoTest, GivesWhatThereIsWhenFewerAreEligible) {
  CoyoOptions options = many(20);
  EXPECT_EQ(sample(options).table->num_rows(), 10);
  options.where = "score>5";
  const CoyoSample none = sample(options);
  EXPECT_EQ(none.table, nullptr);
  EXPECT_EQ(count_of(none.pairs, "not score>5"), 10);
}

TEST_F(CoyoTest, CountsPairsWithoutAUrl) {
  CoyoOptions options;
  options.pairs = {pairs("p.parquet", {{1, ""}, {2, "  "}, {3, "c"}})};
  options.labels = {labels("l.parquet", {{1, {7}, {0.5f}}, {2, {7}, {0.5f}}, {3, {7}, {0.5f}}})};
  const CoyoSample result = sample(options);
  EXPECT_EQ(count_of(result.pairs, "without a URL"), 2);
  EXPECT_THAT(column(result, "url"), ElementsAre("c"));
}

TEST_F(CoyoTest, ReadsFilesWhoseColumnsDiffer) {
  Columns narrow = pair_columns({{1, "a"}});
  narrow[0].second = column_of<arrow::Int32Builder>(std::vector<std::int32_t>{1});
  narrow[3].first = "faces";
  const auto odd = write("p1.parquet", parquet_of(narrow));
  CoyoOptions options;
  options.pairs = {odd, pairs("p2.parquet", {{2, "b"}})};
  options.labels = {labels("l.parquet", {{1, {7}, {0.5f}}, {2, {7}, {0.5f}}})};
  const CoyoSample result = sample(options);
  EXPECT_EQ(result.table->num_rows(), 2);
  EXPECT_EQ(result.table->GetColumnByName("score")->null_count(), 1);
  narrow[1].second = column_of<arrow::Int32Builder>(std::vector<std::int32_t>{1});
  write("p1.parquet", parquet_of(narrow));
  EXPECT_EQ(error_of([&] { sample_coyo(options); }).kind(), ErrorKind::data);
}

TEST_F(CoyoTest, NamesTheColumnThatIsMissingOrOfAnotherKind) {
  CoyoOptions options = many(20);
  options.pairs = {
      write("p.parquet",
            parquet_of(text_columns({"id", "urls", "text"}, {{"1", "a", "b"}, {"2", "a", "b"}})))};
  EXPECT_THAT(error_of([&] { sample_coyo(options); }).full(), HasSubstr("did you mean 'urls'"));
  options = many(20);
  options.labels = {
      write("l.parquet", parquet_of(text_columns({"id", "labels", "label_probs"},
                                                 {{"1", "7", "0.5"}, {"2", "7", "0.5"}})))};
  EXPECT_THAT(error_of([&] { sample_coyo(options); }).full(), HasSubstr("not whole numbers"));
  Columns columns = label_columns({{1, {7}, {0.5f}}});
  columns[1].second = columns[2].second;
  options.labels = {write("l.parquet", parquet_of(columns))};
  EXPECT_THAT(error_of([&] { sample_coyo(options); }).full(), HasSubstr("not lists of int64"));
}

}  // namespace
}  // namespace diptych
