// The table of options: one line each. Everything else about options is driven by it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "config/option_binding.h"

namespace diptych {
namespace {

// A line per option: name, member, range, help. The layout stays one line whatever its length.
// clang-format off
void add_preset(Binder& add) {
  add("preset", &Config::preset, "Values that the other options start from; paper: the model of the original publication");
}

void add_data(Binder& add) {
  add("image-column", &Config::image_column, "Column that holds the picture: its path, or its bytes");
  add("text-column", &Config::text_column, "Column that holds the text, or several: title,description");
  add("text-separator", &Config::text_separator, "What stands between the texts of several columns");
  add("label-column", &Config::label_column, "Column that holds the class");
  add("label-separator", &Config::label_separator, "What stands between several labels in a cell; none: a cell is one label");
  add("label-names", &Config::label_names, "File of names for labels: columns label and name, or a line for each of 0, 1, 2; none: no file");
  add("group-column", &Config::group_column, "Column whose equal values stay on one side of a split; none: no groups");
  add("group-by", &Config::group_by, "What stays on one side of a split: the group column alone, or near-duplicates of a picture as well");
  add("split-column", &Config::split_column, "Column that says train, validation or test; none: make a split even if the data gives one");
  add("test-fraction", &Config::test_fraction, range(0.01, 0.9), "Share of the rows held out for testing");
  add("validation-fraction", &Config::validation_fraction, range(0.01, 0.9), "Share of the remaining rows held out for choosing the epoch");
  add("max-skipped", &Config::max_skipped, range(0.0, 1.0), "Stop when a larger share of the rows cannot be used");
  add("max-megapixels", &Config::max_megapixels, range(0.01, 100000.0), "Refuse larger pictures before decoding them");
  add("max-text-kb", &Config::max_text_kb, range(1, 65536), "Cut longer texts, in KiB");
}

void add_model(Binder& add) {
  add("inputs", &Config::inputs, "Inputs of the model");
  add("image-size", &Config::image_size, range(8, 1024), "Side of the square input of the image encoder, in pixels");
  add("image-fit", &Config::image_fit, "How a picture becomes square: stretch it, pad its short side or crop its long side");
  add("image-encoder", &Config::image_encoder, "Convolutional network of the picture: plain stages or residual blocks");
  add("channels", &Config::channels, range(1, 4096), "Channels of each convolution stage; a stage halves the picture");
  add("image-features", &Config::image_features, range(1, 8192), "Width of the plain encoder's dense layer");
  add("colour-bins", &Config::colour_bins, range(0, 16), "Bins per channel of the colour histogram beside the image encoder's features; 0 or 1: none");
  add("gradient-cells", &Config::gradient_cells, range(0, 32), "Cells per side of the histogram of gradients beside the image encoder's features; 0 or 1: none");
  add("max-tokens", &Config::max_tokens, range(1, 4096), "Longest text, in tokens; the rest is cut");
  add("vocabulary", &Config::vocabulary, range(0, 10000000), "Most frequent words that have an embedding of their own; 0: n-grams alone");
  add("min-count", &Config::min_count, range(1, 1000000), "Least number of occurrences for a word to enter the vocabulary");
  add("ngram-min", &Config::ngram_min, range(0, 16), "Shortest character n-gram; 0: none");
  add("ngram-max", &Config::ngram_max, range(0, 16), "Longest character n-gram; 0: none");
  add("ngram-buckets", &Config::ngram_buckets, range(0, 100000000), "Rows of the hashed n-gram embedding; 0: none");
  add("word-features", &Config::word_features, range(1, 8192), "Width of a word embedding");
  add("text-encoder", &Config::text_encoder, "Network of the text: an LSTM, a bidirectional one, average of embeddings, or sum by TF-IDF");
  add("text-features", &Config::text_features, range(1, 8192), "Width of the hidden state of the text encoder");
  add("fusion", &Config::fusion, "How the features of picture and text are joined");
  add("hidden-features", &Config::hidden_features, range(0, 8192), "Width of the dense layer between fusion and classes; 0: none");
  add("branch-heads", &Config::branch_heads, "Picture and text also classify alone, and the answers are averaged");
  add("branch-loss", &Config::branch_loss, range(0.0, 10.0), "Weight of the loss of each branch's own answer");
  add("branch-dropout", &Config::branch_dropout, range(0.0, 0.5), "Probability of hiding one branch from the fusion in training");
  add("dropout", &Config::dropout, range(0.0, 0.95), "Dropout before the classifying layers");
  add("embedding-dropout", &Config::embedding_dropout, range(0.0, 0.95), "Dropout of word embeddings");
}

void add_training(Binder& add) {
  add("epochs", &Config::epochs, range(1, 100000), "Passes over the training rows");
  add("batch-size", &Config::batch_size, range(1, 65536), "Rows per optimiser step, of all processes together");
  add("optimizer", &Config::optimizer, "Adam, or AdamW with decoupled weight decay");
  add("learning-rate", &Config::learning_rate, range(1e-7, 10.0), "Peak learning rate");
  add("embedding-rate", &Config::embedding_rate, range(0.0, 10.0), "Learning rate of the embedding tables, as a share of the others'; with adamw");
  add("weight-decay", &Config::weight_decay, range(0.0, 10.0), "Weight decay; not of embeddings, biases and normalisation layers");
  add("schedule", &Config::schedule, "Course of the learning rate over the training");
  add("warmup", &Config::warmup, range(0.0, 0.9), "Share of the steps over which one_cycle raises the learning rate");
  add("ema-decay", &Config::ema_decay, range(0.0, 0.99999), "Decay of the exponential moving average of the weights that is kept; 0: off");
  add("mixup", &Config::mixup, range(0.0, 1.0), "Probability of mixing a batch with a permutation of itself");
  add("word-dropout", &Config::word_dropout, range(0.0, 0.95), "Probability of hiding a word in training");
  add("label-smoothing", &Config::label_smoothing, range(0.0, 0.9), "Share of the target spread evenly over all classes");
  add("class-weights", &Config::class_weights, "Weights of the classes in the loss; balanced: inverse to their frequency");
  add("clip-norm", &Config::clip_norm, range(0.0, 1e6), "Largest norm of the gradient; 0: no clipping");
  add("patience", &Config::patience, range(0, 100000), "Epochs without a better validation score before stopping; 0: never stop early");
  add("augment-flip", &Config::augment_flip, range(0.0, 1.0), "Probability of mirroring a picture");
  add("augment-shift", &Config::augment_shift, range(0.0, 0.9), "Largest shift, as a share of the side");
  add("augment-scale", &Config::augment_scale, range(0.0, 0.9), "Largest zoom in or out, as a share");
  add("augment-rotate", &Config::augment_rotate, range(0.0, 180.0), "Largest rotation, in degrees");
  add("augment-colour", &Config::augment_colour, range(0.0, 0.95), "Largest change of brightness, contrast and saturation, as a share");
  add("augment-erase", &Config::augment_erase, range(0.0, 1.0), "Probability of blanking a random rectangle");
  add("precision", &Config::precision, "Precision of feature maps in training; auto: bf16 where it is faster");
  add("seed", &Config::seed, range<std::uint64_t>(0, INT64_MAX), "Seed of split, initial weights, order and augmentation");
  add("folds", &Config::folds, range(0, 100), "Deal the rows into so many folds and test one, each in its turn; 0: hold out test-fraction");
  add("fold", &Config::fold, range(1, 100), "The fold to test, from 1; compare tests them all");
  add("threads", &Config::threads, range(0, 1024), "Threads of one process that trains; 0: its share of the processors (in compare always 1)");
}

void add_comparison(Binder& add) {
  add("seeds", &Config::seeds, range(1, 1000), "Number of splits and seeds to repeat over; with folds, of deals: one if not given");
  add("jobs", &Config::jobs, range(0, 1024), "Trainings side by side; 0: automatic, one per processor");
}

void add_machine(Binder& add) {
  add("cache-mb", &Config::cache_mb, range(0, 100000000), "Memory for decoded pictures, in MiB; more of them than that go into a file");
  add("cache-dir", &Config::cache_dir, "Folder of such files, which may be deleted; auto: ~/.cache/diptych");
}

void add_device(Binder& add) {
  add("device", &Config::device, "Where networks train and answer; auto: on a GPU by CUDA if torch and the machine have it");
}

void add_download(Binder& add) {
  add("url-column", &Config::url_column, "Column that holds the URL of the picture");
  add("caption-column", &Config::caption_column, "Column that holds the text, which the output calls caption; none: no text");
  add("phash-column", &Config::phash_column, "Column with the perceptual hash that a picture should have; none: take any picture");
  add("phash-radius", &Config::phash_radius, range(0, 64), "Bits of that hash in which a picture may differ and still be the same");
  add("shard-format", &Config::shard_format, "Tars of WebDataset, or folders of files");
  add("shard-rows", &Config::shard_rows, range(1, 1000000), "Rows of a shard");
  add("connections", &Config::connections, range(1, 10000), "Connections at once");
  add("per-host", &Config::per_host, range(1, 10000), "Connections to one host at once");
  add("timeout", &Config::timeout, range(0.1, 3600.0), "Seconds of one try, from the first packet to the last");
  add("retries", &Config::retries, range(0, 10), "Tries after the first, where the failure may pass");
  add("max-picture-mb", &Config::max_picture_mb, range(0.001, 1000.0), "Largest picture, in MiB");
  add("allow-address", &Config::allow_address, "Addresses to permit though they are not public, comma-separated; none: none");
  add("ignore-robots", &Config::ignore_robots, "Take pictures even if their server says X-Robots-Tag: noai, noindex and the like");
  add("rank", &Config::rank, range(0, 1000000), "Number of this machine among those that share a list, with --world-size");
  add("world-size", &Config::world_size, range(0, 1000000), "Machines that share a list; 0: as RANK and WORLD_SIZE say, else one");
}

void add_import(Binder& add) {
  add("sample", &Config::sample, range(1, 5000000), "Rows to draw");
  add("classes", &Config::classes, range(0, 1000000), "Most frequent classes that are kept; 0: all, the default with a label-map");
  add("balanced", &Config::balanced, "Draw as many rows of each class, rather than as they come");
  add("label-map", &Config::label_map, "File of names for label numbers, as label-names has it; others are left out; none: no file");
  add("min-probability", &Config::min_probability, range(0.0, 1.0), "Least probability of a row's label");
  add("where", &Config::where, "Condition on the pairs' columns of numbers: 'watermark_score<0.5 and width>99'; none: all rows");
}
// clang-format on

std::vector<Option> build_table() {
  Binder add;
  const auto fill = [&](OptionGroup group, void (*lines)(Binder&)) {
    add.group = group;
    lines(add);
  };
  fill(OptionGroup::preset, add_preset);
  fill(OptionGroup::data, add_data);
  fill(OptionGroup::model, add_model);
  fill(OptionGroup::training, add_training);
  fill(OptionGroup::comparison, add_comparison);
  fill(OptionGroup::machine, add_machine);
  fill(OptionGroup::device, add_device);
  fill(OptionGroup::download, add_download);
  fill(OptionGroup::import, add_import);
  return std::move(add.table);
}

// What the paper's preset sets: the network of its figure 1, and nothing else. The paper leaves the
// widths and the training open: Adam, with an average over the last steps to steady its last one.
const std::vector<std::pair<const char*, const char*>> kPaper = {
    {"image-size", "48"},
    {"image-encoder", "plain"},
    {"channels", "32,64,128"},
    {"image-features", "128"},
    {"gradient-cells", "0"},
    {"colour-bins", "0"},
    {"ngram-min", "0"},
    {"ngram-max", "0"},
    {"ngram-buckets", "0"},
    {"word-features", "512"},
    {"text-encoder", "lstm"},
    {"text-features", "128"},
    {"hidden-features", "128"},
    {"branch-heads", "false"},
    {"branch-loss", "0"},
    {"branch-dropout", "0"},
    {"dropout", "0"},
    {"embedding-dropout", "0"},
    {"word-dropout", "0"},
    {"mixup", "0"},
    {"ema-decay", "0.98"},
    {"optimizer", "adam"},
    {"learning-rate", "0.001"},
    {"embedding-rate", "1"},
    {"weight-decay", "0"},
    {"schedule", "constant"},
    {"warmup", "0"},
    {"epochs", "15"},
    {"batch-size", "32"},
    {"label-smoothing", "0"},
    {"clip-norm", "0"},
    {"augment-flip", "0"},
    {"augment-shift", "0"},
    {"augment-scale", "0"},
    {"augment-rotate", "0"},
    {"augment-colour", "0"},
    {"augment-erase", "0"},
    {"precision", "fp32"},
};

}  // namespace

std::span<const Option> options() {
  static const std::vector<Option> table = build_table();
  return table;
}

bool is_kept(const Option& option) { return option.group < OptionGroup::machine; }

std::span<const Option> kept_options() {
  static const auto end = std::find_if_not(options().begin(), options().end(), is_kept);
  return {options().begin(), end};
}

Config preset_config(Preset preset) {
  Config config;
  config.preset = preset;
  switch (preset) {
    case Preset::standard:
      break;
    case Preset::paper:
      for (const auto& [name, value] : kPaper) set_option(config, name, value, "preset paper");
      break;
  }
  return config;
}

void refuse_value(const std::string& name, const std::string& text, const std::string& allowed) {
  throw Error(ErrorKind::config, fmt::format("{} cannot be '{}'", name, text), "",
              "allowed: " + allowed);
}

bool is_plain_text(const std::string& text) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (text.empty() || std::any_of(text.begin(), text.end(), is_control)) return false;
  try {
    nlohmann::json(text).dump();
    return true;
  } catch (const nlohmann::json::type_error&) {  // not UTF-8
    return false;
  }
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
  require(config.channels.size() < 11 && config.image_size >> config.channels.size() >= 1,
          "image-size is too small for so many channels: each stage halves the picture",
          "raise image-size or give fewer channels");
  require(config.image_encoder != ImageEncoderKind::residual || config.channels.size() > 1,
          "the residual image-encoder takes its features from the second of channels onwards",
          "give at least two channels, or choose image-encoder plain");
  require(config.vocabulary > 0 || config.ngram_buckets > 0,
          "neither words nor n-grams have vectors", "raise vocabulary or ngram-buckets");
  require(config.folds != 1, "one fold leaves no rows to learn from", "give folds 2 or more");
  require(config.fold <= std::max(1, config.folds), "fold is larger than folds",
          "give folds, and a fold from 1 to that");
  require(config.folds == 0 || config.test_fraction == Config().test_fraction,
          "test-fraction has no meaning with folds: each fold is tested in its turn",
          "leave out one of the two");
}

}  // namespace diptych
