// The model file: weights as safetensors, everything else needed to predict as JSON in its
// metadata.
#pragma once
#include <string>
#include <vector>

#include "config/config.h"
#include "nn/network.h"
#include "nn/tensor_file.h"
#include "text/tokenizer.h"

namespace diptych {

struct ModelDescription {
  Config config;
  std::vector<std::string> classes;
  Tokenizer tokenizer;
  std::string provenance =
      "{}";  // JSON object; no times in it, so that equal trainings give equal bytes
  std::vector<float> limits = {};  // the largest output of each convolution; empty: not quantized
};

std::string pack_model(const Network& network, const ModelDescription& description);

struct LoadedModel {
  ModelDescription description;
  std::shared_ptr<Network> network;
};
// Throws Error{model_file} on anything that pack_model() did not write; what it allocates is
// bounded by the size of the file.
LoadedModel unpack_model(const std::string& bytes, const std::string& where);

std::shared_ptr<Network> copy_on(at::Device device, const Network& network,
                                 const ModelDescription& description);

// Parameters and buffers by name, in order of registration.
std::vector<std::pair<std::string, torch::Tensor>> state_of(const Network& network);

}  // namespace diptych
