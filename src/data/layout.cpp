#include "data/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/error.h"
#include "data/table_formats.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

struct Layout {
  const char* name;
  Table (*read)(const Files& files, const Request& request);
  const char* what;
};

constexpr Layout kTables{"table", read_tables,
                         "FILE or DIR/data with the ending .csv .tsv .jsonl .parquet .arrow "
                         ".feather: paths, or bytes"};
constexpr Layout kParts{"tables", read_tables,
                        "DIR/*.parquet or *.arrow, or tables named train, validation, test"};
constexpr Layout kMetadata{"imagefolder", read_metadata,
                           "DIR/metadata.csv, .jsonl or .parquet with a column file_name"};
constexpr Layout kClassFolders{"class folders", read_class_folders,
                               "DIR/CLASS/NAME.jpg, with its text in NAME.txt beside it"};
constexpr Layout kShards{"WebDataset", read_shards,
                         "FILE.tar, DIR/*.tar or DIR/{00000..00012}.tar: KEY.jpg, KEY.txt, KEY.cls "
                         "or KEY.json"};
constexpr Layout kDownloads{"img2dataset", read_download_folders,
                            "its output folder: files, webdataset or parquet"};
constexpr Layout kSplit{"split folders", nullptr,  // each part is read by its own
                        "DIR/train, DIR/validation, DIR/test: each one of the others"};
constexpr std::array<const Layout*, 7> kLayouts{&kTables, &kParts,     &kMetadata, &kClassFolders,
                                                &kShards, &kDownloads, &kSplit};

// What one reader reads in one go.
struct Piece {
  const Layout* layout = nullptr;
  Files files;
  std::string name;         // to tell it from others
  std::string part = "";    // the word that names a part of a split
  std::string prefix = "";  // of the pictures' names
  bool is_flat = false;     // pictures lie in the folder itself
};
using Pieces = std::vector<Piece>;

std::string name_of(const fs::path& path) { return path.filename().string(); }
std::string stem_of(const fs::path& path) { return path.stem().string(); }

// "train" of "train-00000-of-00003.parquet".
std::string first_word(const fs::path& path) {
  const std::string stem = stem_of(path);
  return stem.substr(0, stem.find_first_of("-_."));
}

bool names_part(const fs::path& path) { return part_named(first_word(path)) != Part::unknown; }

bool all_of(const Files& files, const auto& test) {
  return std::all_of(files.begin(), files.end(), test);
}

[[noreturn]] void refuse_both(const fs::path& folder, const Pieces& pieces) {
  throw Error(ErrorKind::data,
              fmt::format("the folder holds both {} and {}", pieces[0].name, pieces[1].name),
              folder.string(), "name the one that is meant");
}

// What a folder holds that could be data.
struct Contents {
  Files tables, tars, folders, picture_folders;
  bool has_pictures = false, has_lists = false;
};

bool holds_picture(const fs::path& folder) {
  const Files entries = entries_of(folder);
  return std::any_of(entries.begin(), entries.end(), is_picture_name);
}

Contents contents_of(const fs::path& folder) {
  Contents contents;
  std::set<std::string> listed;  // what img2dataset's lists are named for
  std::error_code code;
  for (const fs::path& path : entries_of(folder)) {
    if (fs::is_directory(path, code)) {
      contents.folders.push_back(path);
      if (!holds_picture(path)) continue;
      contents.picture_folders.push_back(path);
      listed.insert(name_of(path));
    } else if (ending_of(path) == ".tar") {
      contents.tars.push_back(path);
      listed.insert(stem_of(path));
    } else if (is_table_name(path)) {
      contents.tables.push_back(path);
    } else {
      contents.has_pictures |= is_picture_name(path);
    }
  }
  const auto lists = std::erase_if(contents.tables, [&](const fs::path& path) {
    return ending_of(path) == ".parquet" && listed.contains(stem_of(path));
  });
  contents.has_lists = lists > 0;
  return contents;
}

// Tables whose name says that they stand for their folder.
Pieces named_tables(const Files& tables) {
  Pieces named;
  for (const fs::path& path : tables) {
    if (stem_of(path) == "data") named.push_back({&kTables, {path}, name_of(path)});
    if (stem_of(path) == "metadata") named.push_back({&kMetadata, {path}, name_of(path)});
  }
  return named;
}

// One piece when they are parts of one table, else each by itself.
Pieces pieces_of_tables(const Files& tables) {
  const auto is_part = [&](const fs::path& path) {
    const std::string ending = ending_of(path);
    return ending == ending_of(tables.front()) && (ending == ".parquet" || ending == ".arrow");
  };
  if (!tables.empty() && (all_of(tables, is_part) || all_of(tables, names_part))) {
    return {{&kParts, tables, name_of(tables.front())}};
  }
  Pieces each;
  for (const fs::path& path : tables) each.push_back({&kTables, {path}, name_of(path)});
  return each;
}

Pieces find_in_folder(const fs::path& folder, const Contents& contents) {
  Pieces found = named_tables(contents.tables);
  if (!found.empty()) return found;
  found = pieces_of_tables(contents.tables);
  if (!contents.tars.empty()) {
    found.push_back({&kShards, contents.tars, name_of(contents.tars.front())});
  }
  if (!contents.picture_folders.empty()) {
    const bool listed = contents.has_lists && contents.tars.empty();
    found.push_back({listed ? &kDownloads : &kClassFolders,
                     listed ? contents.picture_folders : Files{folder},
                     "pictures in the folder " + name_of(contents.picture_folders.front())});
  } else if (contents.has_pictures) {
    found.push_back({&kClassFolders, {folder}, "pictures", "", "", true});
  }
  return found;
}

Piece find_one_in_folder(const fs::path& folder) {
  const Pieces found = find_in_folder(folder, contents_of(folder));
  if (found.size() > 1) refuse_both(folder, found);
  if (!found.empty()) return found.front();
  throw Error(ErrorKind::not_found, "the folder holds no data in a layout that is known",
              folder.string(),
              fmt::format("a table in it may be named, for example {}; the layouts are:\n{}",
                          (folder / "rows.csv").string(), layouts_help()));
}

// Folders that are all named for parts of a split hold a layout each, one level deep.
Pieces find_in_folder(const fs::path& folder) {
  const Contents contents = contents_of(folder);
  const bool is_split = !contents.folders.empty() && named_tables(contents.tables).empty() &&
                        all_of(contents.folders, [](const fs::path& path) {
                          return part_named(name_of(path)) != Part::unknown;
                        });
  if (!is_split) return {find_one_in_folder(folder)};
  Pieces pieces = pieces_of_tables(contents.tables);
  for (const fs::path& tar : contents.tars) pieces.push_back({&kShards, {tar}, name_of(tar)});
  if (!pieces.empty()) {
    pieces.push_back({&kSplit, {}, "the folder " + name_of(contents.folders.front())});
    refuse_both(folder, pieces);
  }
  for (const fs::path& part : contents.folders) {
    pieces.push_back(find_one_in_folder(part));
    pieces.back().part = name_of(part);
    pieces.back().prefix = name_of(part) + "/";
    if (!pieces.back().is_flat) continue;
    throw Error(ErrorKind::data, "is this the name of a class, or of a part of a split?",
                part.string(),
                "give the pictures a table, data.csv or metadata.csv, or a folder for each class");
  }
  return pieces;
}

Piece piece_of_files(const Files& files) {
  const bool are_shards =
      all_of(files, [](const fs::path& path) { return ending_of(path) == ".tar"; });
  const bool are_metadata =
      all_of(files, [](const fs::path& path) { return stem_of(path) == "metadata"; });
  return {are_shards ? &kShards : are_metadata ? &kMetadata : &kTables, files, ""};
}

// Files whose names say which part of a split they are, each by itself.
Pieces divided_by_name(const Piece& piece) {
  Pieces pieces;
  std::set<Part> parts;
  for (const fs::path& file : piece.files) {
    parts.insert(part_named(first_word(file)));
    pieces.push_back({piece.layout, {file}, "", first_word(file)});
  }
  if (parts.size() < 2) return {piece};
  for (const fs::path& file : piece.files) {
    if (names_part(file)) continue;
    throw Error(ErrorKind::data, "other files are named for parts of a split; this one is not",
                file.string(), "name the files that are meant, or give --split-column none");
  }
  return pieces;
}

Pieces find_pieces(const fs::path& path, bool divides) {
  std::error_code code;  // a name that cannot be looked up is not there
  Pieces pieces;
  if (fs::is_directory(path, code)) {
    pieces = find_in_folder(path);
  } else {
    Files files;
    const bool exists = fs::exists(path, code);
    for (const std::string& name : exists ? std::vector{path.string()} : expand_braces(path)) {
      if (!fs::exists(name, code)) {
        throw Error(ErrorKind::not_found, "there is no such file or folder", name);
      }
      files.emplace_back(name);
    }
    pieces = {piece_of_files(files)};
  }
  const Layout* layout = pieces.front().layout;
  const bool are_files = layout == &kParts || layout == &kShards || layout == &kTables;
  return divides && are_files && pieces.size() == 1 ? divided_by_name(pieces.front()) : pieces;
}

}  // namespace

std::string layouts_help() {
  std::string text;
  for (const Layout* layout : kLayouts) {
    text += fmt::format("{}  {:<14} {}", text.empty() ? "" : "\n", layout->name, layout->what);
  }
  return text;
}

Table read_layout(const fs::path& path, const Request& request) {
  const std::string& column = request.options.split_column;
  const Pieces pieces = find_pieces(path, column != kNone);
  Table table;
  for (const Piece& piece : pieces) {
    Table rows = piece.layout->read(piece.files, request);
    for (std::size_t i = 0; i < rows.picture_names.size() && !piece.prefix.empty(); ++i) {
      const std::string_view name = rows.picture_names[i];
      if (!name.empty()) rows.picture_names.set(i, piece.prefix + std::string(name));
    }
    // A word for each row, where the data has no such column itself.
    if (pieces.size() > 1 && column != kNone && !contains(rows.names, column)) {
      rows.names.push_back(column);
      rows.columns[column].assign(static_cast<std::size_t>(rows.rows), piece.part);
    }
    append(table, std::move(rows));
  }
  const Files& files = pieces.front().files;
  const bool is_one_file = pieces.size() == 1 && files.size() == 1 && files.front() != path;
  table.source = (is_one_file ? files.front() : path).string();
  while (table.source.size() > 1 && table.source.ends_with('/')) table.source.pop_back();
  return table;
}

}  // namespace diptych
