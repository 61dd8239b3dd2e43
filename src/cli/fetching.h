// What the commands that download share: options, a bar on stderr, the table of counts.
#pragma once
#include <filesystem>
#include <vector>

#include "config/config.h"
#include "download/fetch.h"

namespace diptych {

// What the group of options named download says, and torchrun's RANK and WORLD_SIZE where it says
// nothing. resume and overwrite are left to the caller. Throws Error{config}.
FetchOptions fetch_options(const Config& config, std::vector<std::filesystem::path> lists,
                           const std::filesystem::path& folder);

// fetch() with its progress on stderr. SIGINT and SIGTERM end it as a kill would: --resume goes on.
Counts fetch_with_progress(const FetchOptions& options);

// On stdout: the table that accounts for every row, or one object of JSON.
void print_counts(const Counts& counts, bool as_json);

}  // namespace diptych
