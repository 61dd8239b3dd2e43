#include "cli/torchrun.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/parallel.h"

namespace diptych {
namespace {

std::string_view variable(const char* name) {
  const char* const text = std::getenv(name);
  return text ? text : "";
}

int needed_number(const char* name) {
  if (const auto number = torchrun_number(name)) return *number;
  throw Error(ErrorKind::config, fmt::format("WORLD_SIZE is there and {} is not", name), "",
              "unset it, or start the processes with torchrun");
}

}  // namespace

std::optional<int> torchrun_number(const char* name) {
  const std::string_view word = variable(name);
  if (word.empty()) return {};
  int number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || number < 0) {
    throw Error(ErrorKind::config, fmt::format("{} is '{}', not a number", name, word), "",
                "unset it, or start the processes with torchrun");
  }
  return number;
}

Rank torchrun_rank() {
  const int size = std::max(1, torchrun_number("WORLD_SIZE").value_or(1));
  const int rank = size == 1 ? 0 : needed_number("RANK");
  if (rank < size) return {rank, size};
  throw Error(ErrorKind::config, fmt::format("RANK {} of a WORLD_SIZE of {}", rank, size), "",
              "ranks are counted from 0");
}

Meeting torchrun_meeting() {
  Meeting meeting;
  const Rank own = torchrun_rank();
  if (own.size == 1) return meeting;
  meeting.rank = own.rank;
  meeting.size = own.size;
  meeting.port = needed_number("MASTER_PORT");
  meeting.host = variable("MASTER_ADDR");
  meeting.is_kept = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
  meeting.name =
      fmt::format("diptych/{}", torchrun_number("TORCHELASTIC_RESTART_COUNT").value_or(0));
  return meeting;
}

int threads_of_process() {
  return std::max(
      1, available_threads() / std::max(1, torchrun_number("LOCAL_WORLD_SIZE").value_or(1)));
}

}  // namespace diptych
