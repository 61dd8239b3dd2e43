#include "cli/loading.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/memory.h"
#include "base/row_memory.h"
#include "cli/stop_signal.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

// Empty unless it is an absolute path: others are ignored, as the XDG specification has it.
fs::path folder_named_by(const char* variable) {
  const char* value = std::getenv(variable);
  return value && fs::path(value).is_absolute() ? fs::path(value) : fs::path();
}

fs::path cache_folder() {
  if (const fs::path caches = folder_named_by("XDG_CACHE_HOME"); !caches.empty()) {
    return caches / "diptych";
  }
  const fs::path home = folder_named_by("HOME");
  return home.empty() ? home : home / ".cache" / "diptych";
}

PixelCache pixel_cache(const Config& config) {
  return {static_cast<std::uint64_t>(config.cache_mb) << 20,
          config.cache_dir == "auto" ? cache_folder() : fs::path(config.cache_dir)};
}

void say_where(const DecodedImages& images, Progress& progress) {
  if (!images.file) return;
  progress.line(fmt::format("decoded pictures {} {} ({:.1f} MiB), which may be deleted",
                            images.reused ? "were found in" : "are kept for the next run in",
                            images.file->path().string(),
                            static_cast<double>(images.file->bytes()) / (1 << 20)));
}

}  // namespace

LoadedData load_with_progress(const fs::path& data, const Config& config, LoadOptions options,
                              Progress& progress) {
  options.cache = pixel_cache(config);
  keep_rows_in(options.cache.folder);
  options.progress = [&progress](std::size_t done, std::size_t total) {
    StopSignal::throw_if_raised();
    progress.live(static_cast<double>(done) / static_cast<double>(total), "reading pictures");
  };
  LoadedData loaded = load_data(data, config, options);
  say_where(loaded.images, progress);
  give_back_freed_memory();
  return loaded;
}

}  // namespace diptych
