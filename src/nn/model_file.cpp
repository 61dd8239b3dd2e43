#include "nn/model_file.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "config/options.h"

namespace diptych {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "diptych.model";
constexpr const char* kVersion = "1";

[[noreturn]] void refuse(const std::string& reason, const std::string& where) {
  throw Error(ErrorKind::model_file, reason, where,
              "use a model that this version of diptych wrote, or train again");
}

const std::string& entry(const TensorFile& file, const std::string& key, const std::string& where) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) refuse("has no '" + key + "' in its metadata", where);
  return found->second;
}

ModelDescription describe(const TensorFile& file, const std::string& where) {
  if (const auto format = file.metadata.find("format");
      format == file.metadata.end() || format->second != kFormat) {
    refuse("is not a model of diptych", where);
  }
  if (entry(file, "version", where) != kVersion) {
    refuse(
        "has format version " + entry(file, "version", where) + "; this program reads " + kVersion,
        where);
  }
  ModelDescription description;
  try {
    description.config = config_from_json(json::parse(entry(file, "config", where)));
    description.classes =
        json::parse(entry(file, "classes", where)).get<std::vector<std::string>>();
    description.tokenizer = Tokenizer::from_json(json::parse(entry(file, "tokenizer", where)));
    description.provenance = entry(file, "provenance", where);
    if (!json::parse(description.provenance).is_object()) refuse("has no provenance", where);
  } catch (const json::exception& error) {
    refuse(std::string("has damaged metadata: ") + error.what(), where);
  }
  if (description.classes.size() < 2) refuse("names fewer than two classes", where);
  return description;
}

}  // namespace

std::vector<std::pair<std::string, torch::Tensor>> state_of(const Network& network) {
  std::vector<std::pair<std::string, torch::Tensor>> state;
  for (const auto& item : network.named_parameters()) state.emplace_back(item.key(), item.value());
  for (const auto& item : network.named_buffers()) state.emplace_back(item.key(), item.value());
  return state;
}

void restore_state(Network& network, const TensorFile& file, const std::string& prefix,
                   const std::string& where) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : state_of(network)) {
    const torch::Tensor* stored = file.find(prefix + name);
    if (!stored) refuse("lacks the tensor '" + prefix + name + "'", where);
    if (stored->sizes() != tensor.sizes() || stored->scalar_type() != tensor.scalar_type()) {
      refuse("holds the tensor '" + prefix + name + "' in another shape", where);
    }
    tensor.copy_(*stored);
  }
}

std::string pack_model(const Network& network, const ModelDescription& description) {
  TensorFile file;
  for (auto& [name, tensor] : state_of(network)) file.tensors.emplace_back(name, tensor.detach());
  file.metadata = {{"format", kFormat},
                   {"version", kVersion},
                   {"config", to_json(description.config).dump()},
                   {"classes", json(description.classes).dump()},
                   {"tokenizer", description.tokenizer.to_json().dump()},
                   {"provenance", description.provenance}};
  return pack(file);
}

LoadedModel unpack_model(const std::string& bytes, const std::string& where) {
  const TensorFile file = unpack(bytes, where);
  LoadedModel model{describe(file, where), nullptr};
  const NetworkShape shape{model.description.tokenizer.vocabulary_size(),
                           static_cast<int>(model.description.classes.size())};
  model.network = std::make_shared<Network>(model.description.config, shape, /*seed=*/0);
  if (state_of(*model.network).size() != file.tensors.size()) {
    refuse("holds more or fewer tensors than its network has", where);
  }
  restore_state(*model.network, file, "", where);
  return model;
}

}  // namespace diptych
