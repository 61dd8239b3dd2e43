// Where targets write what they read: a folder of this process, which the driver removes.
#pragma once
#include <unistd.h>

#include <filesystem>
#include <string>

inline const std::filesystem::path& scratch_folder() {
  static const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("diptych-fuzz-" + std::to_string(getpid()));
  return folder;
}
