#include "nn/model_file.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "config/options.h"
#include "data/preprocessor.h"

namespace diptych {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "diptych.model";
constexpr const char* kVersion = "1";

[[noreturn]] void refuse(const std::string& reason, const std::string& where) {
  throw Error(ErrorKind::model_file, reason, where,
              "use a model that this version of diptych wrote, or train again");
}

std::vector<float> read_limits(const TensorFile& file, const std::string& where) {
  std::vector<float> limits;
  try {
    limits = metadata_json(file, "limits", where).get<std::vector<float>>();
  } catch (const json::exception&) {
    refuse("gives limits that are not a list of numbers", where);
  }
  for (const float limit : limits) {
    if (!std::isfinite(limit) || limit < 0) refuse("gives a limit that is not one", where);
  }
  return limits;
}

ModelDescription describe(const TensorFile& file, const std::string& where) {
  if (const auto format = file.metadata.find("format");
      format == file.metadata.end() || format->second != kFormat) {
    refuse("is not a model of diptych", where);
  }
  const std::string& version = metadata_text(file, "version", where);
  if (version != kVersion) {
    refuse("has format version " + version + "; this program reads " + kVersion, where);
  }
  ModelDescription description;
  try {
    description.config = config_from_json(metadata_json(file, "config", where));
    description.tokenizer = Tokenizer::from_json(metadata_json(file, "tokenizer", where));
  } catch (const Error& error) {
    if (error.where() == where) throw;
    refuse(error.where() + ": " + error.what(), where);
  }
  description.provenance = metadata_text(file, "provenance", where);
  if (!metadata_json(file, "provenance", where).is_object()) refuse("has no provenance", where);
  try {
    description.classes = metadata_json(file, "classes", where).get<std::vector<std::string>>();
  } catch (const json::exception&) {
    refuse("names its classes otherwise than by a list of texts", where);
  }
  if (description.classes.size() < 2) refuse("names fewer than two classes", where);
  if (file.metadata.contains("limits")) description.limits = read_limits(file, where);
  // Else n-grams could point beyond the embedding table.
  if (description.config.inputs != Inputs::image &&
      description.tokenizer.options() != tokenizer_options(description.config)) {
    refuse("has a tokenizer of other options than its configuration", where);
  }
  return description;
}

using State = std::vector<std::pair<std::string, torch::Tensor>>;

// One of each convolution of the network.
void require_limits_for(const Network& network, const ModelDescription& description,
                        const std::string& where) {
  if (!description.limits.empty() && description.limits.size() != network.convolutions()) {
    refuse("has limits of other convolutions than its own", where);
  }
}

void require_same_shapes(const State& state, const TensorFile& file, const std::string& where) {
  for (const auto& [name, tensor] : state) {
    const torch::Tensor* stored = file.find(name);
    if (!stored) refuse("lacks the tensor '" + name + "'", where);
    if (stored->sizes() != tensor.sizes() || stored->scalar_type() != tensor.scalar_type()) {
      refuse("holds the tensor '" + name + "' in another shape", where);
    }
  }
  if (state.size() != file.tensors.size()) {
    refuse("holds more tensors than its network has", where);
  }
}

NetworkShape shape_of(const ModelDescription& description) {
  return {description.tokenizer.vocabulary_size(), static_cast<int>(description.classes.size())};
}

}  // namespace

std::vector<std::pair<std::string, torch::Tensor>> state_of(const Network& network) {
  std::vector<std::pair<std::string, torch::Tensor>> state;
  for (const auto& item : network.named_parameters()) state.emplace_back(item.key(), item.value());
  for (const auto& item : network.named_buffers()) state.emplace_back(item.key(), item.value());
  return state;
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
  if (!description.limits.empty()) file.metadata["limits"] = json(description.limits).dump();
  return PackedTensors(file).bytes();
}

LoadedModel unpack_model(const std::string& bytes, const std::string& where) {
  const TensorFile file = unpack(bytes, where);
  LoadedModel model{describe(file, where), nullptr};
  const Config& config = model.description.config;
  const NetworkShape shape = shape_of(model.description);
  // Before a network of the size that the configuration claims is allocated.
  require_same_shapes(state_of(Network::plan(config, shape)), file, where);
  model.network = Network::unfilled(config, shape);
  require_limits_for(*model.network, model.description, where);
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : state_of(*model.network)) tensor.set_data(*file.find(name));
  return model;
}

std::shared_ptr<Network> copy_on(at::Device device, const Network& network,
                                 const ModelDescription& description) {
  const std::shared_ptr<Network> copy =
      Network::unfilled(description.config, shape_of(description), device);
  const torch::NoGradGuard no_grad;
  const State from = state_of(network), to = state_of(*copy);
  for (std::size_t i = 0; i < to.size(); ++i) to[i].second.detach().copy_(from[i].second);
  return copy;
}

}  // namespace diptych
