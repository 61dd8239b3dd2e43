// Where decoded pictures go that do not fit into memory, and the line that says so.
#pragma once
#include "cli/progress.h"
#include "config/config.h"
#include "data/pixels.h"

namespace diptych {

// --cache-dir auto: of XDG_CACHE_HOME or HOME; no folder where neither is set.
PixelCache pixel_cache(const Config& config);

// Nothing for pictures in memory.
void say_where(const DecodedImages& images, Progress& progress);

}  // namespace diptych
