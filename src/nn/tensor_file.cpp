#include "nn/tensor_file.h"

#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"

namespace diptych {
namespace {

using nlohmann::json;

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kDigestSize = 32;
constexpr std::string_view kDigestKey = "\"digest\":\"";  // never inside a JSON string: its quotes

struct TypeRow {
  at::ScalarType type;
  const char* name;
  std::size_t bytes;
};
constexpr TypeRow kTypes[] = {{at::kFloat, "F32", 4}, {at::kLong, "I64", 8}};

const TypeRow* type_row(at::ScalarType type) {
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return &row;
  }
  return nullptr;
}

const TypeRow* type_row(const std::string& name) {
  for (const TypeRow& row : kTypes) {
    if (name == row.name) return &row;
  }
  return nullptr;
}

[[noreturn]] void refuse(const std::string& reason, const std::string& where) {
  throw Error(
      ErrorKind::model_file, reason, where,
      "the file is damaged or was not written by diptych: use another copy, or train again");
}

// The digest of a whole file but for the digest's own place, which is in its first part.
std::string digest_of(std::span<const std::string_view> parts, std::size_t place) {
  Digest digest;
  digest.add(parts.front().substr(0, place));
  std::vector<std::string_view> rest(parts.begin(), parts.end());
  rest.front().remove_prefix(place + kDigestSize);
  digest.add(rest);
  return digest.hex();
}

std::uint64_t header_length(const std::string& bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  return length;
}

torch::Tensor read_tensor(const json& entry, std::string_view data, std::size_t& expected_begin) {
  const TypeRow* type = type_row(entry.at("dtype").get<std::string>());
  if (!type) throw std::runtime_error("unknown dtype");
  const auto shape = entry.at("shape").get<std::vector<std::int64_t>>();
  const auto offsets = entry.at("data_offsets").get<std::vector<std::size_t>>();
  std::size_t size = type->bytes;
  for (std::int64_t extent : shape) {
    if (extent < 0 || (extent > 0 && size > data.size() / static_cast<std::size_t>(extent))) {
      throw std::runtime_error("a shape beyond the file");
    }
    size *= static_cast<std::size_t>(extent);
  }
  if (offsets.size() != 2 || offsets[0] != expected_begin || offsets[1] != expected_begin + size ||
      offsets[1] > data.size()) {
    throw std::runtime_error("offsets that do not fit the shapes");
  }
  expected_begin = offsets[1];
  torch::Tensor tensor = torch::empty(shape, type->type);
  if (size) std::memcpy(tensor.data_ptr(), data.data() + offsets[0], size);
  return tensor;
}

}  // namespace

const torch::Tensor* TensorFile::find(const std::string& name) const {
  for (const auto& [key, tensor] : tensors) {
    if (key == name) return &tensor;
  }
  return nullptr;
}

PackedTensors::PackedTensors(const TensorFile& file) {
  nlohmann::ordered_json header;
  header["__metadata__"] = file.metadata;
  header["__metadata__"]["digest"] = std::string(kDigestSize, '0');
  std::size_t end = 0;
  for (const auto& [name, tensor] : file.tensors) {
    const TypeRow* type = type_row(tensor.scalar_type());
    TORCH_INTERNAL_ASSERT(type, "tensor ", name, " has a type that model files do not hold");
    tensors_.push_back(tensor.to(at::kCPU).contiguous());
    const std::size_t begin = end;
    end += tensors_.back().nbytes();
    header[name] = {
        {"dtype", type->name}, {"shape", tensor.sizes().vec()}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');
  const std::uint64_t length = text.size();
  head_.assign(reinterpret_cast<const char*>(&length), kLengthBytes);
  head_ += text;
  parts_ = {head_};
  for (const torch::Tensor& tensor : tensors_) {
    parts_.emplace_back(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes());
  }
  const std::size_t place = head_.find(kDigestKey) + kDigestKey.size();
  head_.replace(place, kDigestSize, digest_of(parts_, place));
}

std::string PackedTensors::bytes() const {
  std::string bytes;
  std::size_t size = 0;
  for (const std::string_view part : parts_) size += part.size();
  bytes.reserve(size);
  for (const std::string_view part : parts_) bytes += part;
  return bytes;
}

TensorFile unpack(const std::string& bytes, const std::string& where) {
  if (bytes.size() < kLengthBytes + 2) refuse("is too short to be a model file", where);
  const std::uint64_t length = header_length(bytes);
  if (length > bytes.size() - kLengthBytes) refuse("ends before its header does", where);
  const std::string_view header_text = std::string_view(bytes).substr(kLengthBytes, length);
  const std::size_t key = header_text.find(kDigestKey);
  if (key == std::string_view::npos || key + kDigestKey.size() + kDigestSize > header_text.size()) {
    refuse("holds no digest", where);
  }
  const std::size_t place = kLengthBytes + key + kDigestKey.size();
  const std::string_view whole = bytes;
  if (digest_of(std::span(&whole, 1), place) != whole.substr(place, kDigestSize)) {
    refuse("does not match its own digest", where);
  }
  TensorFile file;
  try {
    const auto header = nlohmann::ordered_json::parse(header_text);
    file.metadata = header.at("__metadata__").get<std::map<std::string, std::string>>();
    const std::string_view data = std::string_view(bytes).substr(kLengthBytes + length);
    std::size_t begin = 0;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") continue;
      file.tensors.emplace_back(name, read_tensor(entry, data, begin));
    }
    if (begin != data.size()) throw std::runtime_error("bytes that belong to no tensor");
  } catch (const std::exception& error) {
    refuse(fmt::format("has a wrong header: {}", error.what()), where);
  }
  return file;
}

const std::string& metadata_text(const TensorFile& file, const std::string& key,
                                 const std::string& where) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) refuse("has no '" + key + "' in its metadata", where);
  return found->second;
}

json metadata_json(const TensorFile& file, const std::string& key, const std::string& where) {
  constexpr int kDeepest = 8;
  const auto shallow = [&](int depth, json::parse_event_t, const json&) {
    if (depth > kDeepest) refuse("nests its '" + key + "' too deeply", where);
    return true;
  };
  try {
    return json::parse(metadata_text(file, key, where), shallow);
  } catch (const json::exception& error) {
    refuse(fmt::format("has a damaged '{}' in its metadata: {}", key, error.what()), where);
  }
}

}  // namespace diptych
