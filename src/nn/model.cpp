#include "diptych/model.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "data/preprocessor.h"
#include "nn/device.h"
#include "nn/model_file.h"

namespace diptych {
namespace fs = std::filesystem;

struct Model::Content {
  ModelDescription description;
  Preprocessor preprocessor;
  std::shared_ptr<Network> network;
  Arithmetic arithmetic = Arithmetic::fp32;
};

namespace {

void require_int8(const ModelDescription& description, const std::string& where) {
  if (description.limits.empty()) {
    throw Error(ErrorKind::usage, "the model was not made for int8", where,
                "make one of it with 'diptych quantize', or ask for bf16");
  }
  require_int8_here(where);
}

// torch's own exceptions end here.
template <typename Function>
auto guarded(const Function& function) {
  try {
    return function();
  } catch (const c10::Error& error) {
    throw Error(ErrorKind::internal, error.what_without_backtrace());
  }
}

// A batch of one from a question.
Batch batch_of(const Question& question, const Preprocessor& preprocessor) {
  if (!(preprocessor.takes_image() && question.image) &&
      !(preprocessor.takes_text() && !question.text.empty())) {
    const char* wanted = preprocessor.inputs == Inputs::image  ? "an image"
                         : preprocessor.inputs == Inputs::text ? "a text"
                                                               : "an image, a text or both";
    throw Error(ErrorKind::usage, std::string("the model takes ") + wanted, "",
                "give it with --image or --text");
  }
  DecodedImages images;
  if (preprocessor.takes_image()) {
    const DecodeOptions options = preprocessor.decode_options(1);
    images.side = options.side;
    images.present = {question.image.has_value()};
    images.pixels = question.image
                        ? decode_file(*question.image, options)
                        : std::vector<std::uint8_t>(static_cast<std::size_t>(options.side) *
                                                        static_cast<std::size_t>(options.side) * 3,
                                                    kNoPixel);
  }
  BatchSource source;
  if (preprocessor.takes_image()) source.images = &images;
  if (preprocessor.takes_text()) {
    source.encoding = [&](std::size_t) { return preprocessor.encode(question.text); };
  }
  constexpr std::int64_t kRow = 0;
  return make_batch(source, std::span(&kRow, 1));
}

}  // namespace

Model Model::from_bytes(const std::string& bytes, const std::string& where, Arithmetic arithmetic) {
  return guarded([&] {
    auto content = std::make_shared<Content>();
    LoadedModel loaded = unpack_model(bytes, where);
    content->network = std::move(loaded.network);
    content->network->eval();
    content->arithmetic = arithmetic;
    if (arithmetic == Arithmetic::int8) require_int8(loaded.description, where);
    content->network->pack(arithmetic, loaded.description.limits);
    content->preprocessor =
        Preprocessor::from_config(loaded.description.config, loaded.description.tokenizer);
    content->description = std::move(loaded.description);
    return Model(std::move(content));
  });
}

fs::path Model::file_of(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  const fs::path file = path / kModelFileName;
  if (fs::exists(file)) return file;
  throw Error(ErrorKind::not_found, std::string("the folder holds no ") + kModelFileName,
              path.string(), "name a folder that 'diptych train' wrote, or the file itself");
}

Model Model::load(const fs::path& path, Arithmetic arithmetic) {
  const fs::path file = file_of(path);
  return from_bytes(read_file(file), file.string(), arithmetic);
}

Model Model::on(Device wanted) const {
  return guarded([&] {
    const at::Device device = resolve_device(wanted);
    if (device == content_->network->device()) return *this;
    if (content_->arithmetic == Arithmetic::int8) {
      throw Error(ErrorKind::usage, "int8 is for processors", "--device cuda",
                  "ask for bf16, or for --device cpu");
    }
    auto content = std::make_shared<Content>(*content_);
    content->network = copy_on(device, *content_->network, content_->description);
    content->network->eval();
    content->network->pack(content->arithmetic, content->description.limits);
    return Model(std::move(content));
  });
}

Predictions Model::predict(const Batch& batch) const {
  return guarded([&] {
    const torch::InferenceMode inference;
    Pass pass;  // of what is not packed
    if (content_->arithmetic == Arithmetic::bf16) pass.compute = at::kBFloat16;
    const torch::Tensor probabilities = Network::probabilities(
        content_->network->forward(content_->network->input_from(batch), pass));
    const torch::Tensor answers = probabilities.to(at::kCPU).contiguous();
    const auto* begin = answers.data_ptr<float>();
    return Predictions{static_cast<int>(classes().size()), {begin, begin + answers.numel()}};
  });
}

Answer Model::answer(const Question& question) const {
  Predictions predictions = predict(batch_of(question, preprocessor()));
  const auto best =
      std::max_element(predictions.probabilities.begin(), predictions.probabilities.end());
  return {static_cast<int>(best - predictions.probabilities.begin()),
          std::move(predictions.probabilities)};
}

const std::vector<std::string>& Model::classes() const { return content_->description.classes; }
const Config& Model::config() const { return content_->description.config; }
const Preprocessor& Model::preprocessor() const { return content_->preprocessor; }
const std::string& Model::provenance() const { return content_->description.provenance; }

bool Model::quantized() const { return !content_->description.limits.empty(); }

std::int64_t Model::parameters() const {
  std::int64_t count = 0;
  for (const torch::Tensor& parameter : content_->network->parameters()) count += parameter.numel();
  return count;
}

}  // namespace diptych
