// The table of options: one line each. Everything else about options is driven by it.
#include <algorithm>

#include "base/error.h"
#include "config/option_binding.h"

namespace diptych {
namespace {

std::vector<Option> build_table() {
  using enum OptionGroup;
  Binder add;
  add(preset, "preset", &Config::preset, "A set of values that the other options start from");

  add(data, "image-column", &Config::image_column, "Column that holds the picture's path");
  add(data, "text-column", &Config::text_column, "Column that holds the text");
  add(data, "label-column", &Config::label_column, "Column that holds the class");
  add(data, "group-column", &Config::group_column, "Column whose equal values stay on one side of a split");
  add(data, "test-fraction", &Config::test_fraction, range(0.01, 0.9), "Share of all rows that is kept for testing");
  add(data, "validation-fraction", &Config::validation_fraction, range(0.01, 0.9), "Share of the other rows that chooses the epoch");
  add(data, "max-skipped", &Config::max_skipped, range(0.0, 1.0), "Stop when a larger share of the rows cannot be used");
  add(data, "max-megapixels", &Config::max_megapixels, range(0.01, 100000.0), "Refuse larger pictures before decoding them");
  add(data, "max-text-kb", &Config::max_text_kb, range(1, 65536), "Cut longer texts, in KiB");

  add(model, "inputs", &Config::inputs, "What the model looks at");
  add(model, "image-size", &Config::image_size, range(8, 1024), "Side of the picture that the network sees, in pixels");
  add(model, "image-fit", &Config::image_fit, "How a picture becomes square");
  add(model, "image-encoder", &Config::image_encoder, "Network of the picture");
  add(model, "channels", &Config::channels, range(1, 4096), "Channels of each convolution stage");
  add(model, "image-features", &Config::image_features, range(1, 8192), "Width of the plain encoder's dense layer");
  add(model, "max-tokens", &Config::max_tokens, range(1, 4096), "Words of a text that are looked at");
  add(model, "vocabulary", &Config::vocabulary, range(0, 10000000), "Most frequent words that get a vector of their own");
  add(model, "min-count", &Config::min_count, range(1, 1000000), "Least occurrences of such a word");
  add(model, "ngram-min", &Config::ngram_min, range(0, 16), "Shortest character n-gram; 0: none");
  add(model, "ngram-max", &Config::ngram_max, range(0, 16), "Longest character n-gram; 0: none");
  add(model, "ngram-buckets", &Config::ngram_buckets, range(0, 100000000), "Vectors that hashed n-grams share; 0: none");
  add(model, "word-features", &Config::word_features, range(1, 8192), "Width of a word's vector");
  add(model, "text-encoder", &Config::text_encoder, "Network of the text");
  add(model, "text-features", &Config::text_features, range(1, 8192), "Width of the text encoder's state");
  add(model, "fusion", &Config::fusion, "How picture and text are joined");
  add(model, "hidden-features", &Config::hidden_features, range(0, 8192), "Width of a dense layer after the fusion; 0: none");
  add(model, "branch-heads", &Config::branch_heads, "Picture and text also classify alone; the answers are averaged");
  add(model, "branch-loss", &Config::branch_loss, range(0.0, 10.0), "Weight of the loss of each branch's own answer");
  add(model, "branch-dropout", &Config::branch_dropout, range(0.0, 0.5), "Probability of hiding one branch from the fusion");
  add(model, "dropout", &Config::dropout, range(0.0, 0.95), "Dropout before the classifying layers");
  add(model, "embedding-dropout", &Config::embedding_dropout, range(0.0, 0.95), "Dropout of word vectors");

  add(training, "epochs", &Config::epochs, range(1, 100000), "Passes over the training rows");
  add(training, "batch-size", &Config::batch_size, range(1, 65536), "Rows of a step");
  add(training, "optimizer", &Config::optimizer, "Optimiser");
  add(training, "learning-rate", &Config::learning_rate, range(1e-7, 10.0), "Highest learning rate");
  add(training, "weight-decay", &Config::weight_decay, range(0.0, 10.0), "Weight decay of layers; not of embeddings, biases and normalisation");
  add(training, "schedule", &Config::schedule, "Course of the learning rate");
  add(training, "warmup", &Config::warmup, range(0.0, 0.9), "Share of the steps over which one_cycle rises");
  add(training, "ema-decay", &Config::ema_decay, range(0.0, 0.99999), "Decay of the averaged weights that are kept; 0: no averaging");
  add(training, "mixup", &Config::mixup, range(0.0, 1.0), "Probability of mixing a batch with itself in another order");
  add(training, "word-dropout", &Config::word_dropout, range(0.0, 0.95), "Probability of hiding a word");
  add(training, "label-smoothing", &Config::label_smoothing, range(0.0, 0.9), "Share of the target that is spread over all classes");
  add(training, "class-weights", &Config::class_weights, "Weight of each class in the loss");
  add(training, "clip-norm", &Config::clip_norm, range(0.0, 1e6), "Largest norm of the gradient; 0: no clipping");
  add(training, "patience", &Config::patience, range(0, 100000), "Stop after so many epochs without a better validation score; 0: never");
  add(training, "augment-flip", &Config::augment_flip, range(0.0, 1.0), "Probability of mirroring a picture");
  add(training, "augment-shift", &Config::augment_shift, range(0.0, 0.9), "Largest shift, as a share of the side");
  add(training, "augment-scale", &Config::augment_scale, range(0.0, 0.9), "Largest zoom in or out, as a share");
  add(training, "augment-rotate", &Config::augment_rotate, range(0.0, 180.0), "Largest rotation, in degrees");
  add(training, "augment-colour", &Config::augment_colour, range(0.0, 0.95), "Largest change of brightness, contrast, saturation");
  add(training, "augment-erase", &Config::augment_erase, range(0.0, 1.0), "Probability of blanking a rectangle");
  add(training, "precision", &Config::precision, "Arithmetic of convolutions in training; auto: bf16 where the processor has it");
  add(training, "seed", &Config::seed, "Seed of split, weights, order and augmentation");
  add(training, "threads", &Config::threads, range(0, 1024), "Threads of one training; 0: all (in compare always 1)");

  add(comparison, "seeds", &Config::seeds, range(1, 1000), "Splits to repeat over");
  add(comparison, "jobs", &Config::jobs, range(0, 1024), "Trainings side by side; 0: one per processor");
  return std::move(add.table);
}

// What the paper's preset sets: its figure 1, and nothing else.
const std::vector<std::pair<const char*, const char*>> kPaper = {
    {"image-size", "48"},       {"image-encoder", "plain"}, {"channels", "32,64,128"},
    {"image-features", "128"},  {"ngram-min", "0"},         {"ngram-max", "0"},
    {"ngram-buckets", "0"},     {"word-features", "128"},   {"text-encoder", "lstm"},
    {"text-features", "128"},   {"hidden-features", "128"}, {"branch-heads", "false"},
    {"branch-loss", "0"},       {"branch-dropout", "0"},    {"dropout", "0"},
    {"embedding-dropout", "0"}, {"word-dropout", "0"},      {"mixup", "0"},
    {"ema-decay", "0"},         {"optimizer", "adam"},      {"learning-rate", "0.001"},
    {"weight-decay", "0"},      {"schedule", "constant"},   {"warmup", "0"},
    {"epochs", "15"},           {"batch-size", "32"},       {"label-smoothing", "0"},
    {"clip-norm", "0"},         {"augment-flip", "0"},      {"augment-shift", "0"},
    {"augment-scale", "0"},     {"augment-rotate", "0"},    {"augment-colour", "0"},
    {"augment-erase", "0"},     {"precision", "fp32"},
};

}  // namespace

std::span<const Option> options() {
  static const std::vector<Option> table = build_table();
  return table;
}

Config preset_config(Preset preset) {
  Config config;
  config.preset = preset;
  switch (preset) {
    case Preset::standard: break;
    case Preset::paper:
      for (const auto& [name, value] : kPaper) set_option(config, name, value, "preset paper");
      break;
  }
  return config;
}

const char* inputs_name(Inputs inputs) { return choice_name(inputs); }

void check(const Config& config) {
  const auto require = [](bool holds, const char* message, const char* hint) {
    if (!holds) throw Error(ErrorKind::config, message, "", hint);
  };
  require(config.ngram_min <= config.ngram_max, "ngram-min is larger than ngram-max",
          "set both to 0 to leave n-grams out");
  require((config.ngram_max > 0) == (config.ngram_buckets > 0) &&
              (config.ngram_max > 0) == (config.ngram_min > 0),
          "ngram-min, ngram-max and ngram-buckets are either all 0 or all positive",
          "set all three to 0 to leave n-grams out");
  require(!config.channels.empty(), "channels is empty", "give one number per stage: 32,64,128");
  require(config.channels.size() < 11 &&
              config.image_size >> config.channels.size() >= 1,
          "image-size is too small for so many channels: each stage halves the picture",
          "raise image-size or give fewer channels");
  require(config.vocabulary > 0 || config.ngram_buckets > 0,
          "neither words nor n-grams have vectors", "raise vocabulary or ngram-buckets");
}

}  // namespace diptych
