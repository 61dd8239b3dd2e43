// WebDataset's shards: a tar whose members' names are KEY.ENDING, the members of a key side by
// side.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.h"
#include "data/samples.h"
#include "data/tar_file.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMostPieceBytes = 64 << 20;  // the longest text that an option allows

// As webdataset divides a name: behind the last slash, before and after the first dot.
bool divide(const std::string& name, std::string& key, std::string& ending) {
  const std::size_t slash = name.rfind('/');
  const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
  const std::size_t dot = name.find('.', begin);
  if (dot == std::string::npos || dot == begin) return false;
  key = name.substr(0, dot);
  ending = name.substr(dot + 1);
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return true;
}

// Any picture is as good as another.
std::set<std::string> kinds_of(const std::set<std::string>& endings) {
  std::set<std::string> kinds;
  for (const std::string& ending : endings) {
    kinds.insert(is_picture_ending("." + ending) ? "" : ending);
  }
  return kinds;
}

class ShardReader {
 public:
  ShardReader(const fs::path& path, const Request& request)
      : path_(path),
        tar_(path),
        samples_(request),
        any_picture_(request.options.image_column == ReadOptions().image_column),
        picture_ending_(request.options.image_column),
        container_(std::make_shared<const ImageContainer>(
            ImageContainer{ImageContainer::Kind::tar, path, ""})) {}

  Table read() {
    while (const TarReader::Member* member = tar_.next()) {
      std::string key, ending;
      in_row_ = member->is_file && divide(member->name, key, ending);
      if (in_row_) add(*member, key, ending);
    }
    if (!tar_.loss().empty()) note_loss();
    samples_.add_unlisted(fs::path(path_).replace_extension(".parquet"), keys_);
    return samples_.finish();
  }

 private:
  std::string name_of(const std::string& member) const {
    return path_.filename().string() + "/" + member;
  }

  void add(const TarReader::Member& member, const std::string& key, const std::string& ending) {
    if (keys_.empty() || key != key_) start(key);
    if (!endings_.insert(ending).second) {
      throw Error(ErrorKind::data, fmt::format("holds '{}' twice", member.name), path_.string(),
                  "write the shard anew, with every name once");
    }
    if (any_picture_ ? is_picture_ending("." + ending) : ending == picture_ending_) {
      add_picture(member);
    } else {
      samples_.add_piece(ending, [&] { return tar_.read(kMostPieceBytes); });
    }
  }

  void start(const std::string& key) {
    if (!keys_.insert(key).second) {
      throw Error(
          ErrorKind::data,
          fmt::format("the members of '{}' do not stand side by side: it returns behind '{}'", key,
                      key_),
          path_.string(), "write the shard anew with its names in order: tar --sort=name");
    }
    key_ = key;
    before_ = std::exchange(endings_, {});
    has_picture_ = false;
    samples_.add_row(name_of(key));
  }

  void add_picture(const TarReader::Member& member) {
    if (has_picture_) {
      throw Error(ErrorKind::data,
                  fmt::format("'{}' is the second picture of its row", member.name), path_.string(),
                  "name the ending of the one that is meant: --image-column jpg");
    }
    has_picture_ = true;
    samples_.set_picture(name_of(member.name), {{}, container_, member.index});
  }

  // The row at the cut is whole when it has all that the one before it had.
  void note_loss() {
    const bool whole = !(tar_.cuts_member() && in_row_) && kinds_of(endings_) == kinds_of(before_);
    const std::string name = whole || keys_.empty() ? "end" : key_;
    if (!whole && !keys_.empty()) samples_.drop_row();
    samples_.add_row(name_of(name));
    samples_.set_problem(Problem::lost, "the shard " + tar_.loss());
  }

  fs::path path_;
  TarReader tar_;
  SampleTable samples_;
  bool any_picture_;
  std::string picture_ending_;
  std::shared_ptr<const ImageContainer> container_;
  std::set<std::string> keys_, endings_, before_;  // endings: of this row and of the one before
  std::string key_;
  bool has_picture_ = false;
  bool in_row_ = false;  // the member that was read last is part of a row
};

}  // namespace

Table read_shards(const Files& files, const Request& request) {
  Table table;
  for (const fs::path& file : files) append(table, ShardReader(file, request).read());
  return table;
}

}  // namespace diptych
