#include "data/sample_emoji.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <map>
#include <optional>
#include <pugixml.hpp>
#include <sstream>
#include <unordered_map>
#include <vector>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/sample_emoji_drawing.h"
#include "data/sample_emoji_group.h"

namespace diptych {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMaxSourceBytes = 64 << 20;
constexpr std::string_view kPhraseSeparator = " | ";
constexpr const char* kHeader =
    "image,text,label,group,name,keywords,name_ko,keywords_ko,subgroup\n";

struct Row {
  std::u32string code_points;
  std::string label;
  std::string subgroup;
  std::string name;
  std::string keywords;
  std::string name_ko;
  std::string keywords_ko;
  std::string group;
  std::uint64_t picture = 0;  // names the pixels
};

struct Annotation {
  std::string name;
  std::string keywords;
};
using Annotations = std::unordered_map<std::string, Annotation>;  // UTF-8 without U+FE0F → words

std::string read_source(const fs::path& path, const std::string& package) {
  if (!fs::exists(path)) {
    throw Error(ErrorKind::not_found, "a source of the sample data is not there", path.string(),
                "install the Debian package " + package);
  }
  return read_file(path, kMaxSourceBytes);
}

void append_utf8(std::string& text, char32_t code_point) {
  const auto tail = [&](int shift) {
    text += static_cast<char>(0x80 | ((code_point >> shift) & 0x3F));
  };
  if (code_point < 0x80) {
    text += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    text += static_cast<char>(0xC0 | (code_point >> 6));
    tail(0);
  } else if (code_point < 0x10000) {
    text += static_cast<char>(0xE0 | (code_point >> 12));
    tail(6), tail(0);
  } else {
    text += static_cast<char>(0xF0 | (code_point >> 18));
    tail(12), tail(6), tail(0);
  }
}

std::string annotation_key(std::u32string_view code_points) {
  std::string key;
  for (const char32_t code_point : code_points) {
    if (code_point != U'\uFE0F') append_utf8(key, code_point);
  }
  return key;
}

// --- emoji-test.txt: "1F600 ; fully-qualified # 😀 E1.0 grinning face" under "# group: " lines

std::u32string parse_code_points(const std::string& text) {
  std::u32string code_points;
  std::istringstream words(text);
  for (std::uint32_t value = 0; words >> std::hex >> value;) {
    if (value > 0x10FFFF) return {};
    code_points += static_cast<char32_t>(value);
  }
  return words.eof() ? code_points : std::u32string{};
}

bool has_skin_tone(std::u32string_view code_points) {
  return std::any_of(code_points.begin(), code_points.end(),
                     [](char32_t c) { return c >= U'\U0001F3FB' && c <= U'\U0001F3FF'; });
}

bool take_prefix(std::string& line, std::string_view prefix) {
  if (!line.starts_with(prefix)) return false;
  line.erase(0, prefix.size());
  return true;
}

// Nothing when the line is a comment, empty, or of another status. The caller adds the group.
std::optional<Row> parse_row(const std::string& line) {
  const std::size_t status = line.find(';');
  const std::size_t comment = line.find('#');
  if (comment == std::string::npos || status > comment) return std::nullopt;
  std::string word;
  std::istringstream(line.substr(status + 1, comment - status - 1)) >> word;
  if (word != "fully-qualified") return std::nullopt;
  Row row;
  row.code_points = parse_code_points(line.substr(0, status));
  std::istringstream rest(line.substr(comment + 1));
  std::string version;
  rest >> word >> version >> std::ws;
  std::getline(rest, row.name);
  return row;
}

std::vector<Row> read_emoji_test(const fs::path& path) {
  std::istringstream lines(read_source(path, "unicode-data"));
  std::vector<Row> rows;
  std::string label;
  std::string subgroup;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (take_prefix(line, "# group: ")) label = line;
    if (take_prefix(line, "# subgroup: ")) subgroup = line;
    std::optional<Row> row = parse_row(line);
    if (!row) continue;
    if (row->code_points.empty() || row->name.empty() || label.empty()) {
      throw Error(ErrorKind::data, "this line is not understood",
                  fmt::format("{}, line {}: {}", path.string(), number, line));
    }
    row->label = label;
    row->subgroup = subgroup;
    row->group = emoji_group(row->code_points);
    if (!has_skin_tone(row->code_points)) rows.push_back(std::move(*row));
  }
  if (rows.empty()) throw Error(ErrorKind::data, "the file lists no emoji", path.string());
  return rows;
}

// --- CLDR: <annotation cp="😀">face | grin</annotation>, and type="tts" for the name

void read_annotations(const fs::path& path, Annotations& annotations) {
  const std::string xml = read_source(path, "unicode-cldr-core");
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size());
  if (!parsed) {
    throw Error(ErrorKind::data, std::string("this is not XML: ") + parsed.description(),
                fmt::format("{}, byte {}", path.string(), parsed.offset));
  }
  for (const pugi::xml_node node : document.child("ldml").child("annotations")) {
    Annotation& annotation = annotations[node.attribute("cp").value()];
    const bool is_name = std::string_view(node.attribute("type").value()) == "tts";
    (is_name ? annotation.name : annotation.keywords) = node.text().get();
  }
}

Annotations read_language(const fs::path& cldr, const std::string& language) {
  Annotations annotations;
  for (const char* folder : {"annotations", "annotationsDerived"}) {
    read_annotations(cldr / folder / (language + ".xml"), annotations);
  }
  return annotations;
}

// --- words that would give the class away

std::vector<std::string> split_phrases(std::string_view text) {
  std::vector<std::string> phrases;
  while (true) {
    const std::size_t end = text.find(kPhraseSeparator);
    phrases.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return phrases;
    text.remove_prefix(end + kPhraseSeparator.size());
  }
}

// "flag", "keycap" and what CLDR says for them in Korean (with the particles that may follow): they
// stand in every row of one class or subgroup only.
bool is_class_word(std::string_view word) {
  static constexpr std::array<std::string_view, 4> korean = {"깃발", "국기", "플래그", "키캡"};
  static constexpr std::array<std::string_view, 4> english = {"flag", "flags", "keycap", "keycaps"};
  std::string letters;
  for (const char c : word) {
    if (!std::isalpha(static_cast<unsigned char>(c))) break;
    letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return std::find(english.begin(), english.end(), letters) != english.end() ||
         std::any_of(korean.begin(), korean.end(),
                     [&](std::string_view stem) { return word.starts_with(stem); });
}

std::string phrase_without_class_words(std::string phrase) {
  static constexpr std::string_view spaced = "키 캡";  // one word that CLDR writes as two
  if (const auto at = phrase.find(spaced); at != std::string::npos) {
    phrase.replace(at, spaced.size(), "키캡");
  }
  std::istringstream words(phrase);
  std::vector<std::string> kept;
  for (std::string word; words >> word;) {
    if (!is_class_word(word)) kept.push_back(word);
  }
  return fmt::format("{}", fmt::join(kept, " "));
}

// A phrase that is left empty or equal to an earlier one goes too: an echo would betray the word
// that was taken out.
std::string without_class_words(std::string_view text) {
  std::vector<std::string> kept;
  for (const std::string& full : split_phrases(text)) {
    const std::string phrase = phrase_without_class_words(full);
    const bool echo = std::find(kept.begin(), kept.end(), phrase) != kept.end();
    if (!phrase.empty() && !echo) kept.push_back(phrase);
  }
  return fmt::format("{}", fmt::join(kept, kPhraseSeparator));
}

// A flag's only keyword is "flag": its name stands in, so that no class is known by its empty text.
std::string keywords_or_name(const Annotation& annotation) {
  const std::string keywords = without_class_words(annotation.keywords);
  return keywords.empty() ? without_class_words(annotation.name) : keywords;
}

void describe(std::vector<Row>& rows, const fs::path& cldr) {
  Annotations english = read_language(cldr, "en");
  Annotations korean = read_language(cldr, "ko");
  for (Row& row : rows) {
    const std::string key = annotation_key(row.code_points);
    // Emoji younger than CLDR have the name of emoji-test.txt and no Korean.
    Annotation& annotation = english[key];
    if (annotation.name.empty()) annotation.name = row.name;
    row.name = annotation.name;
    row.keywords = keywords_or_name(annotation);
    row.name_ko = korean[key].name;
    row.keywords_ko = keywords_or_name(korean[key]);
  }
}

// --- pictures

std::string image_name(const Row& row) { return "images/" + hex_name(row.code_points) + ".png"; }

// Not made durable one by one: data.csv, written last, says that all are there.
void write_picture(const fs::path& path, const std::string& png) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(png.data(), static_cast<std::streamsize>(png.size()));
  file.close();
  if (!file) {
    throw Error(ErrorKind::io, "the picture could not be written", path.string(),
                "check the free space and the rights of the folder");
  }
}

// Leaves out the rows that the font does not draw.
void draw_pictures(std::vector<Row>& rows, const fs::path& folder, const fs::path& font_path,
                   const std::function<void(int, int)>& progress) {
  const EmojiFont font(font_path);
  const std::size_t total = rows.size();
  std::vector<Row> drawn;
  for (std::size_t i = 0; i < total; ++i) {
    if (const auto image = font.draw(rows[i].code_points)) {
      rows[i].picture =
          hash64({reinterpret_cast<const char*>(image->pixels.data()), image->pixels.size()});
      write_picture(folder / image_name(rows[i]), encode_png(*image));
      drawn.push_back(std::move(rows[i]));
    }
    if (progress) progress(static_cast<int>(i + 1), static_cast<int>(total));
  }
  if (drawn.size() * 20 < total * 19) {
    throw Error(ErrorKind::data,
                fmt::format("the font draws only {} of {} emoji", drawn.size(), total),
                font_path.string(), "install the Debian package fonts-noto-color-emoji");
  }
  rows = std::move(drawn);
}

// Several territories fly the same flag: what looks the same to the last pixel is one group.
void join_identical(std::vector<Row>& rows) {
  std::map<std::string, std::string> joined;
  const auto root = [&](std::string group) {
    for (auto to = joined.find(group); to != joined.end(); to = joined.find(group)) {
      group = to->second;
    }
    return group;
  };
  std::unordered_map<std::uint64_t, std::string> first;
  for (const Row& row : rows) {
    const std::string one = root(first.try_emplace(row.picture, row.group).first->second);
    const std::string other = root(row.group);
    if (one != other) joined[other] = one;
  }
  for (Row& row : rows) row.group = root(row.group);
}

std::string csv(const std::vector<Row>& rows) {
  std::string result = kHeader;
  for (const Row& row : rows) {
    result += csv_cell(image_name(row));
    for (const std::string* field :
         {&row.keywords, &row.label, &row.group, &row.name, &row.keywords, &row.name_ko,
          &row.keywords_ko, &row.subgroup}) {
      result += ',' + csv_cell(*field);
    }
    result += '\n';
  }
  return result;
}

void make_empty_place(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder / "images", code);
  // An old data.csv must not vouch for pictures that are being replaced.
  if (!code) fs::remove(folder / "data.csv", code);
  if (code)
    throw Error(ErrorKind::io, "the folder cannot be used: " + code.message(), folder.string(),
                "choose a folder that can be written to");
}

}  // namespace

int write_emoji_sample(const fs::path& folder, const EmojiSources& sources,
                       const std::function<void(int done, int total)>& progress) {
  std::vector<Row> rows = read_emoji_test(sources.emoji_test);
  describe(rows, sources.cldr);
  make_empty_place(folder);
  draw_pictures(rows, folder, sources.font, progress);
  join_identical(rows);
  write_file(folder / "data.csv", csv(rows));
  return static_cast<int>(rows.size());
}

}  // namespace diptych
