// Reading data for a command: a live bar, and a place for decoded pictures that memory cannot hold.
#pragma once
#include "cli/progress.h"
#include "config/config.h"
#include "data/loading.h"

namespace diptych {

// As load_data() gives it; a signal stops it where a command listens. Says where a file of decoded
// pictures lies. --cache-dir auto: of XDG_CACHE_HOME or HOME; no folder where neither is set.
LoadedData load_with_progress(const std::filesystem::path& data, const Config& config,
                              LoadOptions options, Progress& progress);

}  // namespace diptych
