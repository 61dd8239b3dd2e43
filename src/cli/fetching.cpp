#include "cli/fetching.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <ranges>

#include "base/error.h"
#include "base/parallel.h"
#include "cli/progress.h"
#include "cli/stop_signal.h"
#include "cli/torchrun.h"

namespace diptych {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::string> addresses(const std::string& given) {
  std::vector<std::string> found;
  if (given == "none") return found;
  for (const auto part : std::views::split(given, ','))
    found.emplace_back(part.begin(), part.end());
  return found;
}

void set_rank(const Config& config, FetchOptions& options) {
  options.rank = config.rank;
  options.world_size = config.world_size;
  if (config.world_size == 0) {
    options.world_size = std::max(1, torchrun_number("WORLD_SIZE").value_or(1));
    options.rank = config.rank > 0 ? config.rank : torchrun_number("RANK").value_or(0);
  }
  if (options.rank < options.world_size) return;
  throw Error(ErrorKind::config,
              fmt::format("rank {} of a world-size of {}", options.rank, options.world_size), "",
              "ranks are counted from 0; give both --rank and --world-size");
}

// A connection has a socket, and two more while its host's name is looked up.
void need_descriptors(int connections) {
  const rlim_t needed = 256 + 4 * static_cast<rlim_t>(connections);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return;
  limit.rlim_cur = needed;
  if (needed <= limit.rlim_max && ::setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
  throw Error(ErrorKind::config,
              fmt::format("{} connections need {} open files, {} are allowed", connections, needed,
                          limit.rlim_max),
              "", "give fewer --connections, or raise ulimit -n");
}

// Terminals get a live line, logs a line a tenth.
class Bar {
 public:
  void show(const FetchProgress& now) {
    if (first_ < 0) first_ = now.answered;  // of earlier runs, which say nothing about the speed
    const double share = now.asked > 0 ? 1.0 * now.answered / now.asked : 1;
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    const double speed = seconds > 0 ? (now.answered - first_) / seconds : 0;
    std::string text =
        fmt::format("{} of {}, {} fetched, {:.0f}/s", now.answered, now.asked, now.fetched, speed);
    if (speed > 0 && now.answered < now.asked)
      text += ", " + clock_text((now.asked - now.answered) / speed) + " left";
    if (is_terminal_) return progress_.live(share, text);
    const int tenths = static_cast<int>(10 * share);
    if (tenths > std::exchange(tenths_, std::max(tenths, tenths_))) progress_.line(text);
  }

 private:
  const bool is_terminal_ = ::isatty(STDERR_FILENO) == 1;
  const Clock::time_point start_ = Clock::now();
  Progress progress_;
  std::int64_t first_ = -1;
  int tenths_ = 0;
};

}  // namespace

FetchOptions fetch_options(const Config& config, std::vector<std::filesystem::path> lists,
                           const std::filesystem::path& folder) {
  FetchOptions options;
  options.lists = std::move(lists);
  options.layout = {.folder = folder,
                    .format = config.shard_format,
                    .rows = config.shard_rows,
                    .url_column = config.url_column,
                    .text_column = config.caption_column,
                    .phash_column = config.phash_column,
                    .phash_radius = config.phash_radius};
  DownloadOptions& download = options.download;
  download.connections = config.connections;
  download.per_host = config.per_host;
  download.timeout_ms = static_cast<int>(1000 * config.timeout);
  download.connect_timeout_ms = std::min(download.connect_timeout_ms, download.timeout_ms);
  download.retries = config.retries;
  download.max_bytes = static_cast<std::int64_t>(config.max_picture_mb * (1 << 20));
  download.heeds_robots = !config.ignore_robots;
  download.addresses = AddressRule(addresses(config.allow_address));
  options.max_megapixels = config.max_megapixels;
  options.threads = available_threads();
  set_rank(config, options);
  need_descriptors(config.connections);
  return options;
}

Counts fetch_with_progress(const FetchOptions& options) {
  const StopSignal listening;
  Bar bar;
  return fetch(options, [&](const FetchProgress& now) {
    StopSignal::throw_if_raised();
    bar.show(now);
  });
}

void print_counts(const Counts& counts, bool as_json) {
  if (!as_json) {
    std::cout << counts_table(counts);
    return;
  }
  Counts failures = counts;
  failures.erase(reason_row(Reason::success).text);
  const nlohmann::ordered_json all = {
      {"asked", rows_in(counts)}, {"fetched", fetched_in(counts)}, {"failures", failures}};
  std::cout << all.dump(2) << "\n";
}

}  // namespace diptych
