// From lists of URLs to shards of pictures: every row is asked for once, in whichever run or on
// whichever machine, and accounted for.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "download/downloader.h"
#include "download/shard.h"

namespace diptych {

struct FetchOptions {
  DownloadOptions download;
  ShardLayout layout;
  std::vector<std::filesystem::path> lists;  // as one list; their columns must be the same
  int rank = 0, world_size = 1;              // shard s is of rank s % world_size
  int threads = 1;                           // that check pictures
  double max_megapixels = 100;
  bool resume = false, overwrite = false;
};

struct FetchProgress {
  std::int64_t asked = 0;  // rows of ours in all
  std::int64_t answered = 0, fetched = 0;
};

// Fills layout.folder. Finished shards of ours are kept with `resume`; else the folder may hold
// none of ours. Several ranks may share a folder. observe: ten times a second or more; what it
// throws ends all, and leaves what a kill would leave. Throws Error{exists, config, data, io,
// not_found}.
Counts fetch(const FetchOptions& options,
             const std::function<void(const FetchProgress&)>& observe = {});

// The table that accounts for every row: one line a reason, then their sum.
std::string counts_table(const Counts& counts);

}  // namespace diptych
