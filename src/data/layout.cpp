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

Table read_parts_of_split(const Files& folders, const Request& request);

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
constexpr Layout kSplit{"split folders", read_parts_of_split,
                        "DIR/train, DIR/validation, DIR/test: each one of the others"};
constexpr std::array<const Layout*, 7> kLayouts{&kTables, &kParts,     &kMetadata, &kClassFolders,
                                                &kShards, &kDownloads, &kSplit};

struct Found {
  const Layout* layout = nullptr;
  Files files;
  bool is_flat = false;  // pictures lie in the folder itself
};

// What a folder holds that could be data.
struct Contents {
  Files tables, tars, folders, picture_folders, lists;
  bool has_pictures = false;
};

std::string stem_of(const fs::path& path) { return path.stem().string(); }

bool holds_picture(const fs::path& folder) {
  for (const fs::path& path : entries_of(folder)) {
    if (is_picture_name(path)) return true;
  }
  return false;
}

Contents contents_of(const fs::path& folder) {
  Contents contents;
  Files tables;
  std::set<std::string> listed;  // what img2dataset's lists are named for
  for (const fs::path& path : entries_of(folder)) {
    std::error_code code;
    if (fs::is_directory(path, code)) {
      contents.folders.push_back(path);
      if (!holds_picture(path)) continue;
      contents.picture_folders.push_back(path);
      listed.insert(path.filename().string());
    } else if (ending_of(path) == ".tar") {
      contents.tars.push_back(path);
      listed.insert(stem_of(path));
    } else if (is_table_name(path)) {
      tables.push_back(path);
    } else {
      contents.has_pictures |= is_picture_name(path);
    }
  }
  for (const fs::path& path : tables) {
    const bool is_list = ending_of(path) == ".parquet" && listed.contains(stem_of(path));
    (is_list ? contents.lists : contents.tables).push_back(path);
  }
  return contents;
}

[[noreturn]] void refuse_both(const fs::path& folder, const std::string& one,
                              const std::string& other) {
  throw Error(ErrorKind::data, fmt::format("the folder holds both {} and {}", one, other),
              folder.string(), "name the one that is meant");
}

// The part of a split that a name begins with: "train-00000-of-00003.parquet".
Part part_of(const fs::path& path) {
  const std::string stem = stem_of(path);
  return part_named(stem.substr(0, stem.find_first_of("-_.")));
}

std::optional<Found> find_named_table(const fs::path& folder, const Files& tables) {
  std::optional<Found> found;
  for (const auto& [stem, layout] :
       {std::pair("data", &kTables), std::pair("metadata", &kMetadata)}) {
    for (const fs::path& path : tables) {
      if (stem_of(path) != stem) continue;
      if (found) {
        refuse_both(folder, found->files.front().filename().string(), path.filename().string());
      }
      found = Found{layout, {path}};
    }
  }
  return found;
}

void require_one_table(const fs::path& folder, const Files& tables) {
  if (tables.size() < 2) return;
  const std::string ending = ending_of(tables.front());
  const bool may_be_parts = ending != ".csv" && ending != ".tsv" && ending != ".jsonl";
  const bool same = std::all_of(tables.begin(), tables.end(),
                                [&](const fs::path& path) { return ending_of(path) == ending; });
  const bool split = std::all_of(tables.begin(), tables.end(), [](const fs::path& path) {
    return part_of(path) != Part::unknown;
  });
  if (split || (same && may_be_parts)) return;
  refuse_both(folder, tables[0].filename().string(), tables[1].filename().string());
}

Found find_in_folder(const fs::path& folder, bool may_be_split);

// Folders that are all named for parts of a split, each with a layout of its own.
bool are_parts_of_split(const Contents& contents) {
  const bool named = std::all_of(
      contents.folders.begin(), contents.folders.end(),
      [](const fs::path& path) { return part_named(path.filename().string()) != Part::unknown; });
  if (contents.folders.empty() || !named) return false;
  for (const fs::path& folder : contents.folders) {
    if (!find_in_folder(folder, false).is_flat) continue;
    throw Error(
        ErrorKind::data, "is this the name of a class, or of a part of a split?", folder.string(),
        "give the pictures a table, data.csv or metadata.csv, or one folder for each class");
  }
  return true;
}

Found find_in_folder(const fs::path& folder, bool may_be_split) {
  const Contents contents = contents_of(folder);
  if (auto named = find_named_table(folder, contents.tables)) return *named;
  std::vector<Found> found;
  std::vector<std::string> names;
  const auto add = [&](const Layout& layout, Files files, const std::string& name) {
    found.push_back({&layout, std::move(files)});
    names.push_back(name);
  };
  if (!contents.tables.empty()) {
    add(kParts, contents.tables, contents.tables.front().filename().string());
  }
  if (!contents.tars.empty()) {
    add(kShards, contents.tars, contents.tars.front().filename().string());
  }
  const bool listed = !contents.lists.empty() && contents.tars.empty();
  if (may_be_split && are_parts_of_split(contents)) {
    add(kSplit, contents.folders, "the folder " + contents.folders.front().filename().string());
  } else if (!contents.picture_folders.empty()) {
    add(listed ? kDownloads : kClassFolders, listed ? contents.picture_folders : Files{folder},
        "pictures in the folder " + contents.picture_folders.front().filename().string());
  } else if (contents.has_pictures) {
    add(kClassFolders, {folder}, "pictures");
    found.back().is_flat = true;
  }
  if (found.size() > 1) refuse_both(folder, names[0], names[1]);
  if (found.empty()) {
    throw Error(ErrorKind::not_found, "the folder holds no data in a layout that is known",
                folder.string(),
                fmt::format("a table in it may be named, for example {}; the layouts are:\n{}",
                            (folder / "rows.csv").string(), layouts_help()));
  }
  if (found.front().layout == &kParts) require_one_table(folder, contents.tables);
  return found.front();
}

Found find_files(const Files& files) {
  const auto all = [&](bool (*test)(const fs::path&)) {
    return std::all_of(files.begin(), files.end(), test);
  };
  if (all([](const fs::path& path) { return ending_of(path) == ".tar"; })) return {&kShards, files};
  if (all([](const fs::path& path) { return stem_of(path) == "metadata"; })) {
    return {&kMetadata, files};
  }
  return {&kTables, files};
}

Found find_layout(const fs::path& path) {
  std::error_code code;  // a name that cannot be looked up is not there
  if (fs::is_directory(path, code)) return find_in_folder(path, true);
  Files files;
  const auto names =
      fs::exists(path, code) ? std::vector{path.string()} : expand_braces(path.string());
  for (const std::string& name : names) {
    if (!fs::exists(name, code)) {
      throw Error(ErrorKind::not_found, "there is no such file or folder", name);
    }
    files.emplace_back(name);
  }
  return find_files(files);
}

// A word for each row, where the data has no such column itself.
void give_part(Table& table, const std::string& column, const std::string& word) {
  if (column == kNone || contains(table.names, column)) return;
  table.names.push_back(column);
  table.columns[column].assign(static_cast<std::size_t>(table.rows), word);
}

Table read_parts_of_split(const Files& folders, const Request& request) {
  Table table;
  for (const fs::path& folder : folders) {
    const Found found = find_in_folder(folder, false);
    Table part = found.layout->read(found.files, request);
    const std::string name = folder.filename().string();
    for (std::string& picture : part.picture_names) {
      if (!picture.empty()) picture = name + "/" + picture;
    }
    if (folders.size() > 1) give_part(part, request.options.split_column, name);
    append(table, std::move(part));
  }
  return table;
}

// Files of one folder whose names say which part they are: train-00000.parquet.
Table read_files_of_split(const Found& found, const Request& request) {
  std::set<Part> parts;
  for (const fs::path& file : found.files) parts.insert(part_of(file));
  if (parts.size() < 2 || request.options.split_column == kNone) {
    return found.layout->read(found.files, request);
  }
  Table table;
  for (const fs::path& file : found.files) {
    if (part_of(file) == Part::unknown) {
      throw Error(ErrorKind::data, "other files are named for parts of a split; this one is not",
                  file.string(), "name the files that are meant, or give --split-column none");
    }
    Table part = found.layout->read({file}, request);
    const std::string stem = stem_of(file);
    give_part(part, request.options.split_column, stem.substr(0, stem.find_first_of("-_.")));
    append(table, std::move(part));
  }
  return table;
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
  const Found found = find_layout(path);
  const bool may_name_parts =
      found.layout == &kParts || found.layout == &kShards || found.layout == &kTables;
  Table table = may_name_parts ? read_files_of_split(found, request)
                               : found.layout->read(found.files, request);
  const bool is_one_file = found.files.size() == 1 && found.files.front() != path;
  table.source = (is_one_file ? found.files.front() : path).string();
  while (table.source.size() > 1 && table.source.ends_with('/')) table.source.pop_back();
  return table;
}

}  // namespace diptych
