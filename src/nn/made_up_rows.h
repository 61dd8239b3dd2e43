// Small made-up rows, batches and configurations for the tests of this layer and of training.
#pragma once
#include <string>
#include <vector>

#include "base/rng.h"
#include "config/options.h"
#include "data/dataset.h"
#include "data/pixels.h"
#include "data/preprocessor.h"
#include "text/tokenizer.h"

namespace diptych {

struct MadeUpRows {
  Dataset dataset;
  DecodedImages images;
};

struct MadeUpOptions {
  int rows = 24;
  int classes = 3;
  int side = 16;
  double noise = 0.3;  // share of a picture and of the words that says nothing about the class
  bool gaps = false;   // every fifth row has no text, every seventh no picture
};

// Row i has class i % classes; its colour and one of its words show it.
inline MadeUpRows made_up_rows(const MadeUpOptions& options) {
  const char* const kTelling[] = {"apple", "bridge", "cloud"};  // with few n-grams in common
  const char* const kFillers[] = {"on", "a", "warm", "day", "there", "was", "ünïcode"};
  Rng rng(11);
  std::vector<Example> examples;
  MadeUpRows made;
  made.images.side = options.side;
  for (int i = 0; i < options.rows; ++i) {
    const int label = i % options.classes;
    Example example;
    example.id = "row " + std::to_string(i);
    example.row = i + 1;
    example.labels = {label};
    const auto words = options.gaps && i % 5 == 2 ? 0 : 1 + rng.below(5);
    for (std::uint64_t word = 0; word < words; ++word) {
      const bool tells = word == 0 && !rng.chance(options.noise);
      example.text += tells ? kTelling[label % 3] : kFillers[rng.below(7)];
      example.text += ' ';
    }
    examples.push_back(example);
    made.images.present.push_back(!(options.gaps && i % 7 == 3));
    for (int value = 0; value < options.side * options.side * 3; ++value) {
      const double shown = value % 3 == label % 3 ? 200 : 60;
      made.images.pixels.push_back(static_cast<std::uint8_t>((1 - options.noise) * shown +
                                                             options.noise * rng.uniform(0, 255)));
    }
  }
  std::vector<std::string> classes;
  for (int k = 0; k < options.classes; ++k) classes.push_back("class " + std::to_string(k));
  made.dataset = Dataset(std::move(examples), std::move(classes));
  return made;
}

// The same kind of network with few features, so that a test takes milliseconds.
inline Config small(Config config) {
  config.image_size = 16;
  config.channels = {4, 6};
  config.image_features = 7;
  config.word_features = 6;
  config.text_features = 5;
  if (config.hidden_features) config.hidden_features = 9;
  if (config.ngram_buckets) config.ngram_buckets = 50;
  config.precision = Precision::fp32;
  config.threads = 1;
  return config;
}

inline Tokenizer tokenizer_for(const Config& config, const Dataset& dataset) {
  const TextColumn& texts = dataset.columns().texts;
  return Tokenizer::build(std::vector(texts.begin(), texts.end()), tokenizer_options(config));
}

// Rows begin … begin + count - 1, with what the configuration's inputs take.
inline Batch batch_of(const MadeUpRows& made, const Preprocessor& preprocessor, int begin,
                      int count) {
  std::vector<std::int32_t> labels;
  for (const Example& row : made.dataset.rows()) {
    labels.push_back(row.labels.front());
  }
  BatchSource source;
  if (preprocessor.takes_image()) source.images = &made.images;
  const EncodedTexts encodings = preprocessor.encode(made.dataset.columns().texts);
  if (preprocessor.takes_text()) {
    source.encoding = [&](std::size_t row) { return encodings[row]; };
  }
  source.labels = labels;
  std::vector<std::int64_t> rows;
  for (int row = begin; row < begin + count; ++row) rows.push_back(row);
  return make_batch(source, rows);
}

}  // namespace diptych
