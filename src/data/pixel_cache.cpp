#include "data/pixel_cache.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>

#include "base/error.h"
#include "base/hash.h"
#include "data/pictures.h"
#include "text/unicode.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

using ReportProgress = std::function<void(std::size_t, std::size_t)>;

// Where pictures lie and what the file system says of that, in numbers that change with it.
class Sources {
 public:
  std::uint64_t of(const Example& row) {
    const ImageSource& source = row.image;
    if (source.empty()) return 0;
    if (!source.container) return hash64(told(source.path));
    if (container_ != source.container) {
      container_ = source.container;
      told_ = told(container_->path) + container_->column;
    }
    std::string place = fmt::format("{}\n{}", told_, source.index);
    // Of a table that names files beside it, a row's id is that name.
    const bool is_table = container_->kind == ImageContainer::Kind::table;
    if (is_table) place += told(container_->path.parent_path() / row.id);
    return hash64(place);
  }

 private:
  std::string told(const fs::path& path) const {
    const fs::path whole = (here_ / path).lexically_normal();
    struct stat info {};
    if (::stat(whole.c_str(), &info) != 0) return whole.string() + "\nmissing";
    return fmt::format("{}\n{} {}.{:09}\n", whole.string(), info.st_size, info.st_mtim.tv_sec,
                       info.st_mtim.tv_nsec);
  }

  fs::path here_ = fs::current_path();
  std::shared_ptr<const ImageContainer> container_;  // the last one, and what is told of it
  std::string told_;
};

RowVector<PixelEntry> entries_of(const Dataset& dataset) {
  Sources sources;
  RowVector<PixelEntry> entries;
  entries.reserve(dataset.size());
  for (const Example& row : dataset.rows()) entries.push_back({sources.of(row), 0, 0, 0});
  return entries;
}

// One for each source, size and fit.
fs::path place_of(const Dataset& dataset, const DecodeOptions& options) {
  constexpr std::size_t kLongest = 60;
  const PixelCache& cache = options.cache;
  if (cache.folder.empty()) {
    throw Error(ErrorKind::usage,
                "decoded pictures do not fit into --cache-mb, and there is no folder for them", "",
                "name one with --cache-dir");
  }
  fs::path source = fs::absolute(dataset.source()).lexically_normal();
  if (!source.has_filename()) source = source.parent_path();
  const std::string identity =
      fmt::format("{}\n{} {}", source.string(), options.side, static_cast<int>(options.fit));
  const std::string name =
      source.parent_path().filename().string() + "-" + source.filename().string();
  return cache.folder / fmt::format("{}-{}px-{:016x}.pixels", cut_utf8(name, kLongest),
                                    options.side, hash64(identity));
}

PixelKind kind_of(const Dataset& dataset, const DecodeOptions& options) {
  Digest digest;
  digest.add(decoder_version());
  digest.add(fmt::format("{} {} {}", options.side, static_cast<int>(options.fit),
                         options.limits.max_megapixels));
  constexpr std::uint64_t kLarger = 8;  // a dataset may be a part of the one before
  return {options.side, digest.hex(), kLarger * dataset.size()};
}

// Where each entry's picture lies in a file; empty unless all do.
RowVector<std::int64_t> places_in(const PixelFile& file, std::span<const PixelEntry> entries) {
  using Known = std::pair<std::uint64_t, std::int64_t>;  // source and place
  RowVector<Known> known;
  known.reserve(file.entries().size());
  for (const PixelEntry& entry : file.entries())
    known.emplace_back(entry.source, std::ssize(known));
  std::sort(known.begin(), known.end());
  RowVector<std::int64_t> places;
  places.reserve(entries.size());
  for (const PixelEntry& entry : entries) {
    const auto found = std::lower_bound(known.begin(), known.end(), Known(entry.source, 0));
    if (found == known.end() || found->first != entry.source) return {};
    places.push_back(found->second);
  }
  return places;
}

void tell_entries(DecodedImages& images, std::span<const PixelEntry> entries) {
  images.present.reserve(entries.size());
  images.digests.reserve(entries.size());
  for (const PixelEntry& entry : entries) {
    images.present.push_back(static_cast<std::uint8_t>(entry.present));
    images.digests.push_back(entry.digest);
  }
}

// Pictures that could not be read are tried again: what is wrong with them is told anew, and one
// that has become readable makes the file out of date. False then.
bool find_problems(const Dataset& dataset, const DecodeOptions& options, DecodedImages& images) {
  std::vector<Example> failed;
  std::size_t index = 0;
  for (const Example& row : dataset.rows()) {
    if (images.present[index++] || row.image.empty()) continue;
    failed.push_back(row);
    failed.back().labels.clear();  // their classes are not asked for
  }
  std::atomic<bool> all_fail{true};
  const auto decode = [&](std::size_t, const std::string& bytes) {
    square_pixels(bytes, options);
    all_fail = false;
  };
  images.problems = visit_pictures(Dataset(failed, {}), options.threads, decode);
  return all_fail;
}

// Fills `images` from what another run has left; false when that is not to be used.
bool reuse(const Dataset& dataset, const DecodeOptions& options,
           std::span<const PixelEntry> entries, const ReportProgress& progress,
           DecodedImages& images) {
  images.reused = true;
  images.places = places_in(*images.file, entries);
  if (images.places.size() != entries.size()) return false;
  RowVector<PixelEntry> found;
  found.reserve(entries.size());
  for (std::int64_t place : images.places) {
    found.push_back(images.file->entries()[static_cast<std::size_t>(place)]);
  }
  tell_entries(images, found);
  return images.file->is_intact(options.threads, progress) &&
         find_problems(dataset, options, images);
}

// Passes visit_pictures(), to which an Error is a problem of one row.
struct CannotWrite {
  Error error;
};

}  // namespace

DecodedImages decode_to_file(const Dataset& dataset, const DecodeOptions& options,
                             const ReportProgress& progress) {
  const fs::path path = place_of(dataset, options);
  const PixelKind kind = kind_of(dataset, options);
  RowVector<PixelEntry> entries = entries_of(dataset);  // before a picture is read
  DecodedImages images;
  images.side = options.side;
  images.file = PixelFile::open(path, kind);
  if (images.file && reuse(dataset, options, entries, progress, images)) return images;

  images = {};
  images.side = options.side;
  PixelFileWriter writer(path, kind, std::move(entries));
  const auto decode = [&](std::size_t row, const std::string& bytes) {
    const auto pixels = square_pixels(bytes, options);
    try {
      writer.write(row, hash64(bytes), pixels);
    } catch (const Error& error) {
      throw CannotWrite{error};
    }
  };
  try {
    images.problems = visit_pictures(dataset, options.threads, decode, progress);
  } catch (const CannotWrite& failure) {
    throw failure.error;
  }
  images.file = writer.finish();
  tell_entries(images, images.file->entries());
  return images;
}

}  // namespace diptych
