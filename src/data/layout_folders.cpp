// Folders of pictures: one for each class, or as img2dataset's "files" are, with NAME.txt and
// NAME.json beside NAME.jpg.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/file.h"
#include "data/samples.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMostPieceBytes = 64 << 20;

// Pictures of a format that we do not decode are rows too: skipped, and counted.
constexpr std::array kPictureEndings = {".jpg", ".jpeg", ".png",  ".webp", ".gif", ".bmp",
                                        ".tif", ".tiff", ".avif", ".heic", ".jxl"};

// What stands beside a picture under its name.
void add_pieces(SampleTable& samples, const fs::path& picture,
                std::initializer_list<const char*> endings) {
  for (const char* ending : endings) {
    const fs::path file = fs::path(picture).replace_extension(ending);
    std::error_code code;
    if (!fs::is_regular_file(file, code)) continue;
    samples.add_piece(ending + 1, [&] { return read_file(file, kMostPieceBytes); });
  }
}

bool is_picture_file(const fs::path& path) {
  std::error_code code;
  return is_picture_name(path) && !fs::is_directory(path, code);
}

void refuse_deeper_pictures(const fs::path& folder) {
  for (const fs::path& entry : entries_of(folder)) {
    if (!is_picture_file(entry)) continue;
    throw Error(ErrorKind::data, "pictures lie deeper than in a folder for each class",
                folder.string(), "name the folder whose folders are the classes");
  }
}

}  // namespace

Files entries_of(const fs::path& folder) {
  Files entries;
  std::error_code code;
  fs::directory_iterator iterator(folder, code);
  for (; !code && iterator != fs::directory_iterator(); iterator.increment(code)) {
    const fs::path& path = iterator->path();
    if (!path.filename().string().starts_with(".")) entries.push_back(path);
  }
  if (code) throw Error(ErrorKind::io, "cannot be listed: " + code.message(), folder.string());
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool is_picture_ending(const std::string& ending) {
  return std::find(kPictureEndings.begin(), kPictureEndings.end(), ending) != kPictureEndings.end();
}

bool is_picture_name(const fs::path& path) { return is_picture_ending(ending_of(path)); }

Table read_class_folders(const Files& folders, const Request& request) {
  SampleTable samples(request);
  const auto add = [&](const fs::path& picture, const std::string& label) {
    if (!is_picture_file(picture)) return;
    const fs::path name = fs::path(label) / picture.filename();
    samples.add_row(name.string());
    samples.set_picture(name.string(), {picture, nullptr, 0});
    samples.set("label", label);
    add_pieces(samples, picture, {".txt"});
  };
  std::error_code code;
  for (const fs::path& entry : entries_of(folders.front())) {
    if (!fs::is_directory(entry, code)) {
      add(entry, "");
      continue;
    }
    for (const fs::path& inner : entries_of(entry)) {
      if (fs::is_directory(inner, code)) refuse_deeper_pictures(inner);
      add(inner, entry.filename().string());
    }
  }
  return samples.finish();
}

Table read_download_folders(const Files& folders, const Request& request) {
  SampleTable samples(request);
  for (const fs::path& folder : folders) {
    std::set<std::string> keys;
    for (const fs::path& picture : entries_of(folder)) {
      if (!is_picture_file(picture)) continue;
      keys.insert(picture.stem().string());
      const std::string name = folder.filename().string() + "/" + picture.filename().string();
      samples.add_row(name);
      samples.set_picture(name, {picture, nullptr, 0});
      add_pieces(samples, picture, {".txt", ".cls", ".json"});
    }
    samples.add_unlisted(fs::path(folder.string() + ".parquet"), keys);
  }
  return samples.finish();
}

}  // namespace diptych
