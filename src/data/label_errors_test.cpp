#include "data/label_errors.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "base/rng.h"
#include "image/made_up_scenes.h"

namespace diptych {
namespace {

std::vector<std::size_t> each_alone(std::size_t count) {
  std::vector<std::size_t> groups(count);
  std::iota(groups.begin(), groups.end(), 0);
  return groups;
}

int likeliest(std::span<const float> probabilities, std::size_t row, std::size_t classes) {
  const auto begin = probabilities.begin() + static_cast<std::ptrdiff_t>(row * classes);
  return static_cast<int>(std::max_element(begin, begin + static_cast<std::ptrdiff_t>(classes)) -
                          begin);
}

// Pictures of a class have its colour, more or less, texts its words, among others.
struct Rows {
  std::vector<FeatureRow> features;
  std::vector<int> labels;
  std::vector<std::size_t> groups;

  Rows(std::size_t count, int classes, bool pictures = true, bool texts = true)
      : groups(each_alone(count)) {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < count; ++i) {
      Rng rng(5, {i});
      const int label = static_cast<int>(i) % classes;
      labels.push_back(label);
      features.emplace_back();
      Image image = made_up::scene(i, 60, 60);
      for (std::size_t at = static_cast<std::size_t>(label); at < image.pixels.size(); at += 3) {
        image.pixels[at] = static_cast<std::uint8_t>(128 + image.pixels[at] / 2);
      }
      if (pictures) add_picture_features(image, features.back());
      words.push_back("photo " + std::string(1, static_cast<char>('a' + label)) + "word" +
                      std::to_string(rng.below(4)) + " thing" + std::to_string(rng.below(50)));
    }
    if (texts)
      add_text_features(std::vector<std::string_view>(words.begin(), words.end()), features);
  }
  LabelledRows view(int classes) const { return {features, labels, groups, classes}; }
};

TEST(OutOfFold, LearnsFromPicturesAndFromTexts) {
  for (const auto& [pictures, texts] : {std::pair{true, true}, {true, false}, {false, true}}) {
    const Rows rows(300, 3, pictures, texts);
    const auto probabilities = out_of_fold(rows.view(3), {});
    std::size_t right = 0;
    for (std::size_t i = 0; i < 300; ++i) {
      right += likeliest(probabilities, i, 3) == rows.labels[i];
      EXPECT_NEAR(std::accumulate(&probabilities[3 * i], &probabilities[3 * i] + 3, 0.0), 1, 1e-4);
    }
    EXPECT_GE(right, 240) << pictures << texts;
  }
}

TEST(OutOfFold, IsTheSameForAnyNumberOfThreads) {
  const Rows rows(60, 3);
  EXPECT_EQ(out_of_fold(rows.view(3), {.threads = 1}), out_of_fold(rows.view(3), {.threads = 3}));
  EXPECT_NE(out_of_fold(rows.view(3), {.seed = 1}), out_of_fold(rows.view(3), {.seed = 2}));
}

// Labels by chance, but the rows of a group share theirs, and a feature that tells the group.
TEST(OutOfFold, AsksNoRowWhoseGroupWasLearntFrom) {
  std::vector<FeatureRow> features;
  std::vector<int> labels;
  std::vector<std::size_t> groups;
  Rng rng(1);
  for (std::size_t group = 0; group < 100; ++group) {
    const int label = static_cast<int>(rng.below(2));
    for (int copy = 0; copy < 4; ++copy) {
      features.push_back({{}, {{static_cast<std::uint32_t>(group), 5}}});
      labels.push_back(label);
      groups.push_back(group);
    }
  }
  const auto right = [&](std::span<const std::size_t> held_out) {
    const auto probabilities = out_of_fold({features, labels, held_out, 2}, {});
    std::size_t count = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      count += likeliest(probabilities, i, 2) == labels[i];
    }
    return count;
  };
  EXPECT_GE(right(each_alone(400)), 380u);
  EXPECT_LE(right(groups), 280u);
}

// A class that is frequent is probable even where nothing else is known.
TEST(OutOfFold, KnowsHowFrequentClassesAre) {
  const std::vector<FeatureRow> features(90);
  std::vector<int> labels(90, 1);
  for (std::size_t i = 0; i < 90; i += 3) labels[i] = 0;
  const auto probabilities = out_of_fold({features, labels, each_alone(90), 2}, {});
  double mean = 0;
  for (std::size_t i = 0; i < 90; ++i) mean += probabilities[2 * i + 1] / 90;
  EXPECT_NEAR(mean, 2.0 / 3, 0.1);
}

TEST(OutOfFold, TakesNoSparseFeatureForADenseOne) {
  std::vector<FeatureRow> features;
  std::vector<int> labels;
  for (int i = 0; i < 60; ++i) {
    labels.push_back(i % 2);
    features.push_back(i % 2 ? FeatureRow{{0}, {{0, 1}}} : FeatureRow{{255}, {}});
  }
  const auto probabilities = out_of_fold({features, labels, each_alone(60), 2}, {});
  for (std::size_t i = 0; i < 60; ++i) EXPECT_EQ(likeliest(probabilities, i, 2), labels[i]);
}

TEST(TextFeatures, AreWordsAndPartsOfWordsOfLengthOneEach) {
  const std::vector<std::string_view> texts{"a cat and a dog", "a cat", "", "two words, two"};
  std::vector<FeatureRow> rows(4);
  add_text_features(texts, rows);
  for (std::size_t i = 0; i < 4; ++i) {
    double squares = 0;
    for (const Feature& feature : rows[i].sparse) squares += feature.value * feature.value;
    EXPECT_NEAR(squares, texts[i].empty() ? 0 : 2, 1e-5);
  }
}

TEST(OutOfFold, TakesFewRowsAndRowsWithNothing) {
  const std::vector<FeatureRow> features(3);
  const std::vector<int> labels{0, 1, 1};
  const auto probabilities = out_of_fold({features, labels, each_alone(3), 2}, {});
  for (float value : probabilities) EXPECT_TRUE(value >= 0 && value <= 1);
  EXPECT_TRUE(out_of_fold({{}, {}, {}, 2}, {}).empty());
}

TEST(DoubtfulLabels, AreAsManyAsAreConfidentlyOfAnotherClass) {
  const std::vector<int> labels{0, 0, 0, 1, 1, 1};
  // Class 0's own rows are sure of it by 0.6 on average, class 1's by 0.5.
  const std::vector<float> probabilities{0.9F, 0.1F, 0.8F,  0.2F,  0.1F,  0.9F,
                                         0.2F, 0.8F, 0.55F, 0.45F, 0.75F, 0.25F};
  const auto doubts = doubtful_labels(probabilities, labels, 2);
  ASSERT_EQ(doubts.size(), 2u);
  EXPECT_EQ(doubts[0].row, 2u);
  EXPECT_EQ(doubts[0].suggested, 1);
  EXPECT_NEAR(doubts[0].margin, 0.8, 1e-6);
  EXPECT_EQ(doubts[1].row, 5u);
}

TEST(DoubtfulLabels, AreNoneWhereAllIsWell) {
  const std::vector<int> labels{0, 1, 2};
  const std::vector<float> sure{0.8F, 0.1F, 0.1F, 0.1F, 0.8F, 0.1F, 0.1F, 0.1F, 0.8F};
  EXPECT_TRUE(doubtful_labels(sure, labels, 3).empty());
  EXPECT_TRUE(doubtful_labels({}, {}, 3).empty());
  const std::vector<int> two{0, 1};  // the third class has no rows
  const std::vector<float> odd{0.4F, 0.1F, 0.5F, 0.1F, 0.4F, 0.5F};
  EXPECT_TRUE(doubtful_labels(odd, two, 3).empty());
}

// The third row is as sure of another class as that class's own rows, but surer of its own.
TEST(DoubtfulLabels, AreNoneThatAreLikeliestRight) {
  const std::vector<int> labels{0, 1, 0, 1};
  const std::vector<float> probabilities{0.95F, 0.05F, 0.0F,  0.8F, 0.2F, 0.0F,
                                         0.45F, 0.42F, 0.13F, 0.0F, 0.6F, 0.4F};
  const auto doubts = doubtful_labels(probabilities, labels, 3);
  ASSERT_EQ(doubts.size(), 1u);
  EXPECT_EQ(doubts[0].row, 1u);
}

TEST(DoubtfulLabels, AreThoseThatWereFlipped) {
  Rows rows(600, 4);
  std::set<std::size_t> flipped;
  Rng rng(8);
  while (flipped.size() < 30) {
    const std::size_t row = rng.below(600);
    if (flipped.insert(row).second) {
      rows.labels[row] = (rows.labels[row] + 1 + static_cast<int>(rng.below(3))) % 4;
    }
  }
  const auto doubts = doubtful_labels(out_of_fold(rows.view(4), {}), rows.labels, 4);
  std::size_t found = 0;
  for (const LabelDoubt& doubt : doubts) found += flipped.contains(doubt.row);
  EXPECT_GE(found, flipped.size() * 7 / 10);
  EXPECT_GE(found, doubts.size() * 6 / 10);
}

}  // namespace
}  // namespace diptych
