#include "train/checkpoint.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "config/options.h"
#include "nn/tensor_file.h"
#include "train/epoch_json.h"

namespace diptych {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainingState, best_epoch, failed_in_a_row, history)

namespace {

using nlohmann::json;
constexpr const char* kFormat = "diptych.checkpoint.1";

[[noreturn]] void refuse(const std::string& reason, const std::string& where) {
  throw Error(ErrorKind::model_file, reason, where, "remove the file to start the run again");
}

Config stored_config(const TensorFile& file, const std::string& where) {
  const json stored = metadata_json(file, "config", where);
  try {
    return config_from_json(stored);
  } catch (const Error& error) {
    refuse(error.where() + ": " + error.what(), where);
  }
}

void require_same_run(const TensorFile& file, const RunIdentity& identity,
                      const std::string& where) {
  if (metadata_text(file, "config", where) != identity.config) {
    throw Error(
        ErrorKind::config,
        "the run was started with other settings:\n" +
            difference(stored_config(file, where), config_from_json(json::parse(identity.config))),
        where, "resume with the settings it was started with, or use another -o");
  }
  if (metadata_text(file, "data", where) != identity.data) {
    throw Error(ErrorKind::config, "the run was started on other data", where,
                "resume with the same dataset, or use another -o");
  }
}

TrainingState state_from(const TensorFile& file, const std::string& where) {
  TrainingState state;
  try {
    metadata_json(file, "state", where).get_to(state);
  } catch (const json::exception& error) {
    refuse(std::string("has a damaged state: ") + error.what(), where);
  }
  bool in_order = !state.history.empty();
  for (int i = 0; i < state.epochs_done(); ++i) {
    in_order = in_order && state.history[static_cast<std::size_t>(i)].epoch == i + 1;
  }
  if (!in_order || state.best_epoch < 1 || state.best_epoch > state.epochs_done() ||
      state.failed_in_a_row < 0) {
    refuse("has a state that contradicts itself", where);
  }
  return state;
}

}  // namespace

RunIdentity identity_of(const Config& config, const TrainingData& data) {
  Digest digest;
  digest.add(data.dataset.digest_for(config.inputs));
  for (const auto* rows : {&data.split.train, &data.split.validation}) {
    digest.add({reinterpret_cast<const char*>(rows->data()), rows->size() * sizeof rows->front()});
  }
  return {to_json(config).dump(), digest.hex()};
}

void save_checkpoint(const std::filesystem::path& path, const TrainingState& state,
                     const TensorList& tensors, const RunIdentity& identity) {
  TensorFile file;
  file.tensors = tensors;
  file.metadata = {{"format", kFormat},
                   {"state", json(state).dump()},
                   {"config", identity.config},
                   {"data", identity.data}};
  write_file(path, PackedTensors(file).parts());
}

TrainingState load_checkpoint(const std::string& bytes, const std::filesystem::path& path,
                              const TensorList& tensors, const RunIdentity& identity) {
  const std::string where = path.string();
  const TensorFile file = unpack(bytes, where);
  if (metadata_text(file, "format", where) != kFormat)
    refuse("is not a checkpoint of diptych", where);
  require_same_run(file, identity, where);
  const TrainingState state = state_from(file, where);
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor* stored = file.find(name);
    if (!stored || stored->sizes() != tensor.sizes() ||
        stored->scalar_type() != tensor.scalar_type()) {
      refuse("lacks the tensor '" + name + "' in its shape", where);
    }
  }
  if (file.tensors.size() != tensors.size()) refuse("holds tensors of another run", where);
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) tensor.detach().copy_(*file.find(name));
  return state;
}

}  // namespace diptych
