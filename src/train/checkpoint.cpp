#include "train/checkpoint.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "config/options.h"
#include "nn/tensor_file.h"
#include "train/epoch_json.h"

namespace diptych {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainingState, epochs_done, best_epoch, best_accuracy, best_loss,
                                   stale_epochs, failed_in_a_row, history)

namespace {

using nlohmann::json;
constexpr const char* kFormat = "diptych.checkpoint.1";

void require_same_run(const TensorFile& file, const RunIdentity& identity,
                      const std::string& where) {
  const std::string& stored = file.metadata.at("config");
  if (stored != identity.config) {
    throw Error(ErrorKind::config,
                "the run was started with other settings:\n" +
                    difference(config_from_json(json::parse(stored)),
                               config_from_json(json::parse(identity.config))),
                where, "resume with the settings it was started with, or use another -o");
  }
  if (file.metadata.at("data") != identity.data) {
    throw Error(ErrorKind::config, "the run was started on other data", where,
                "resume with the same dataset, or use another -o");
  }
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const TrainingState& state,
                     const TensorList& tensors, const RunIdentity& identity) {
  TensorFile file;
  file.tensors = tensors;
  file.metadata = {{"format", kFormat},
                   {"state", json(state).dump()},
                   {"config", identity.config},
                   {"data", identity.data}};
  write_file(path, pack(file));
}

TrainingState load_checkpoint(const std::filesystem::path& path, const TensorList& tensors,
                              const RunIdentity& identity) {
  const TensorFile file = unpack(read_file(path), path.string());
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || format->second != kFormat) {
    throw Error(ErrorKind::model_file, "is not a checkpoint of diptych", path.string());
  }
  require_same_run(file, identity, path.string());
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor* stored = file.find(name);
    if (!stored || stored->sizes() != tensor.sizes()) {
      throw Error(ErrorKind::model_file, "lacks the tensor '" + name + "'", path.string());
    }
    tensor.detach().copy_(*stored);
  }
  return json::parse(file.metadata.at("state")).get<TrainingState>();
}

}  // namespace diptych
