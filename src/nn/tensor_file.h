// Safetensors (the format of Hugging Face's safetensors library, version 0.x): an 8-byte length, a
// JSON header, raw tensors. On top of it every file of ours carries a digest of all its bytes, so
// that a damaged file is refused whole. See docs/model_format.md.
#pragma once
#include <torch/torch.h>

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace diptych {

struct TensorFile {
  std::vector<std::pair<std::string, torch::Tensor>> tensors;  // contiguous, fp32 or int64
  std::map<std::string, std::string> metadata;

  const torch::Tensor* find(const std::string& name) const;
};

// The same content gives the same bytes. "digest" is added to the metadata.
std::string pack(const TensorFile& file);

// Throws Error{model_file} with the reason; `where` names the file. Nothing is allocated before the
// digest and the header have been checked; tensors are copied out of `bytes`.
TensorFile unpack(const std::string& bytes, const std::string& where);

// One entry of the metadata, and the same as JSON of a few levels. Throws Error{model_file} when it
// is missing, is not JSON, or nests so deeply that walking it could exhaust the stack.
const std::string& metadata_text(const TensorFile& file, const std::string& key,
                                 const std::string& where);
nlohmann::json metadata_json(const TensorFile& file, const std::string& key,
                             const std::string& where);

}  // namespace diptych
