// Start here: a trained model, loaded from a file and asked for answers.
//
//   diptych::Model model = diptych::Model::load("runs/fused");
//   diptych::Answer answer = model.answer({.image = "cat.png", .text = "pet | kitten"});
//   std::cout << model.classes()[answer.best] << '\n';
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "diptych/arithmetic.h"
#include "diptych/batch.h"
#include "diptych/device.h"

namespace diptych {

struct Config;
struct Preprocessor;

// What a run's folder calls its model.
inline constexpr const char* kModelFileName = "model.safetensors";

// [B,K], each row sums to 1.
struct Predictions {
  int classes = 0;  // K
  std::vector<float> probabilities;
};

// One question: a picture, a text or both. What the model does not take is ignored.
struct Question {
  std::optional<std::filesystem::path> image = {};
  std::string text = {};
};

struct Answer {
  int best = 0;                      // index into Model::classes()
  std::vector<float> probabilities;  // [K]
};

// Immutable; const methods may be called from several threads at once. Cheap to copy.
class Model {
 public:
  // path: a run's folder or the model file itself. Throws Error{not_found, model_file, io}, and
  // Error{usage} for int8 of a model that was not quantized or where the processor lacks it.
  static Model load(const std::filesystem::path& path, Arithmetic arithmetic = Arithmetic::fp32);
  // The model file that a path names, as load() takes it. Throws Error{not_found}.
  static std::filesystem::path file_of(const std::filesystem::path& path);
  // The bytes of a model file; `where` names them in errors.
  static Model from_bytes(const std::string& bytes, const std::string& where,
                          Arithmetic arithmetic = Arithmetic::fp32);

  // The same model on a device, with the fast path of the processor only there. Throws Error{usage}
  // for cuda where there is none, and for int8 on it.
  Model on(Device device) const;

  // The batch must hold the inputs that the model takes. A row's answer does not depend on the rest
  // of its batch beyond rounding (1e-5).
  Predictions predict(const Batch& batch) const;
  // Throws Error{usage} when the question lacks every input the model takes, Error{not_found,
  // image} for a picture that cannot be read.
  Answer answer(const Question& question) const;

  const std::vector<std::string>& classes() const;  // K names
  const Config& config() const;
  const Preprocessor& preprocessor() const;
  const std::string& provenance() const;  // JSON: versions, data digest, scores
  std::int64_t parameters() const;        // trained numbers
  bool quantized() const;                 // whether it can answer in int8

 private:
  struct Content;
  explicit Model(std::shared_ptr<const Content> content) : content_(std::move(content)) {}
  std::shared_ptr<const Content> content_;
};

}  // namespace diptych
