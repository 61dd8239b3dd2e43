// Every option of Diptych, declared once: a member here, a line in option_table.cpp. From that line
// come the flag, the environment variable, the TOML key, the range check, --help, docs/options.md,
// the copy stored in the model and the difference shown on resume.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "diptych/device.h"

namespace diptych {

enum class Preset { standard, paper };                      // "default", "paper"
enum class Inputs { image, text, image_text };              // "image", "text", "image,text"
enum class Precision { automatic, fp32, bf16 };             // "auto", "fp32", "bf16"
enum class ImageEncoderKind { plain, residual };            // see nn/image_encoder.h
enum class TextEncoderKind { lstm, bilstm, average, bag };  // see nn/text_encoder.h
enum class FusionKind { concatenate };                      // see nn/fusion.h
enum class Optimizer { adam, adamw };
enum class Schedule { constant, cosine, one_cycle };
enum class ImageFit { stretch, pad, crop };
enum class ClassWeights { none, balanced };
enum class ShardFormat { webdataset, files };
enum class GroupBy { column, duplicates };

struct Config {
  Preset preset = Preset::standard;

  // data
  std::string image_column = "image";
  std::string text_column = "text";
  std::string text_separator = " | ";
  std::string label_column = "label";
  std::string label_separator = "|";
  std::string label_names = "none";
  std::string group_column = "group";
  std::string split_column = "split";
  GroupBy group_by = GroupBy::column;
  double test_fraction = 0.2;
  double validation_fraction = 0.1;
  double max_skipped = 0.5;
  double max_megapixels = 100;
  int max_text_kb = 64;

  // model
  Inputs inputs = Inputs::image_text;
  int image_size = 80;
  ImageFit image_fit = ImageFit::stretch;
  ImageEncoderKind image_encoder = ImageEncoderKind::residual;
  std::vector<int> channels = {16, 32, 64, 128};
  int image_features = 128;
  int colour_bins = 8;     // beside the encoder: see image/colour_histogram.h; 0: none
  int gradient_cells = 8;  // and image/gradient_histogram.h; 0: none
  int max_tokens = 32;
  int vocabulary = 20000;
  int min_count = 1;
  int ngram_min = 2;
  int ngram_max = 5;
  int ngram_buckets = 16384;
  int word_features = 64;
  TextEncoderKind text_encoder = TextEncoderKind::bag;
  int text_features = 32;
  FusionKind fusion = FusionKind::concatenate;
  int hidden_features = 0;         // dense layer between fusion and class; 0: none
  bool branch_heads = true;        // image and text classify on their own too; answers are averaged
  double branch_loss = 0.3;        // weight of each branch's own loss
  double branch_dropout = 0.2;     // probability of hiding one branch's features from the fusion
  double dropout = 0.3;            // before every classifying layer
  double embedding_dropout = 0.3;  // of word vectors

  // training
  int epochs = 30;
  int batch_size = 64;
  Optimizer optimizer = Optimizer::adamw;
  double learning_rate = 4e-3;
  double embedding_rate = 0.1;  // of word vectors, as a share of learning_rate
  double weight_decay = 0.05;
  Schedule schedule = Schedule::one_cycle;
  double warmup = 0.15;     // share of the steps over which the rate rises
  double ema_decay = 0.99;  // of the averaged weights that are kept; 0: none
  double mixup = 0;         // probability of mixing a batch with another order of itself
  double word_dropout = 0;  // probability of hiding a word in training
  double label_smoothing = 0.03;
  ClassWeights class_weights = ClassWeights::none;
  double clip_norm = 0;
  int patience = 0;
  double augment_flip = 0.5;
  double augment_shift = 0.06;
  double augment_scale = 0.1;
  double augment_rotate = 8;
  double augment_colour = 0;
  double augment_erase = 0;
  Precision precision = Precision::automatic;
  std::uint64_t seed = 1;
  int folds = 0;  // 0: a share of the rows is held out for testing
  int fold = 1;   // that is tested, 1 … folds
  int threads = 0;

  // comparison
  int seeds = 5;
  int jobs = 0;

  // machine
  int cache_mb = 2048;
  std::string cache_dir = "auto";

  // device
  Device device = Device::automatic;

  // download
  std::string url_column = "url";
  std::string caption_column = "text";
  std::string phash_column = "image_phash";
  int phash_radius = 16;
  ShardFormat shard_format = ShardFormat::webdataset;
  int shard_rows = 1000;
  int connections = 256;
  int per_host = 8;
  double timeout = 60;  // seconds, of one try
  int retries = 2;
  double max_picture_mb = 20;
  std::string allow_address = "none";  // or several with commas between them
  bool ignore_robots = false;
  int rank = 0;
  int world_size = 0;  // 0: as torchrun says

  // import
  int sample = 2000;
  int classes = 10;
  bool balanced = false;
  std::string label_map = "none";
  double min_probability = 0;
  std::string where = "none";
};

}  // namespace diptych
