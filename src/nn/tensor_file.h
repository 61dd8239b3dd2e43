// Safetensors (the format of Hugging Face's safetensors library, version 0.x): an 8-byte length, a
// JSON header, raw tensors. On top of it every file of ours carries a digest of all its bytes, so
// that a damaged file is refused whole. See docs/model_format.md.
#pragma once
#include <torch/torch.h>

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace diptych {

struct TensorFile {
  std::vector<std::pair<std::string, torch::Tensor>> tensors;  // contiguous, fp32 or int64
  std::map<std::string, std::string> metadata;

  const torch::Tensor* find(const std::string& name) const;
};

// A file's bytes, most of which are the tensors' own.
class PackedTensors {
 public:
  // The same content gives the same bytes, on whatever device the tensors are. "digest" is added to
  // the metadata.
  explicit PackedTensors(const TensorFile& file);
  PackedTensors(const PackedTensors&) = delete;
  std::span<const std::string_view> parts() const { return parts_; }  // of this object
  std::string bytes() const;

 private:
  std::string head_;
  std::vector<torch::Tensor> tensors_;
  std::vector<std::string_view> parts_;
};

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
