#include "base/error.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace diptych {
namespace {

constexpr std::array<ErrorRow, 11> kTable{{
    {ErrorKind::usage, "usage", 2, 400, "the command line or an option is wrong"},
    {ErrorKind::config, "config", 3, 400, "a configuration file or value is wrong"},
    {ErrorKind::not_found, "not_found", 4, 404, "a file or folder that was named is not there"},
    {ErrorKind::exists, "exists", 5, 409, "the output is already there"},
    {ErrorKind::io, "io", 6, 500, "reading or writing failed: permissions, a full disk"},
    {ErrorKind::data, "data", 7, 422, "a table, a row or a whole dataset cannot be used"},
    {ErrorKind::image, "image", 8, 422, "a picture cannot be read"},
    {ErrorKind::model_file, "model_file", 9, 500, "a model or checkpoint is damaged or not ours"},
    {ErrorKind::numeric, "numeric", 10, 500, "training diverged: too many non-finite steps"},
    {ErrorKind::interrupted, "interrupted", 130, 503,
     "stopped by a signal, or another process was lost; the last good state is on disk"},
    {ErrorKind::internal, "internal", 70, 500, "a fault of the program"},
}};

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0u);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::span<const ErrorRow> error_table() { return kTable; }

const ErrorRow& error_row(ErrorKind kind) { return kTable[static_cast<std::size_t>(kind)]; }

std::string Error::full() const {
  std::string text = where_.empty() ? what() : where_ + ": " + what();
  if (!hint_.empty()) text += "\n  " + hint_;
  return text;
}

std::string did_you_mean(const std::string& given, std::span<const std::string> candidates) {
  const std::string* best = nullptr;
  std::size_t least = std::max<std::size_t>(2, given.size() / 2) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(given, candidate);
    if (distance < least) {
      least = distance;
      best = &candidate;
    }
  }
  return best ? "did you mean '" + *best + "'?" : "";
}

}  // namespace diptych
