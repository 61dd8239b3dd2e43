// An inspection as JSON, and as lines for a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "data/inspection.h"
#include "text/unicode.h"

namespace diptych {
namespace {

using nlohmann::json;

constexpr std::size_t kMostCases = 1000, kMostRowsOfACase = 20;  // in JSON; the counts are whole
constexpr std::size_t kShownCases = 3;                           // on a terminal

json spread(std::vector<std::int64_t> values) {
  if (values.empty()) return nullptr;
  std::sort(values.begin(), values.end());
  return {
      {"least", values.front()}, {"median", values[values.size() / 2]}, {"most", values.back()}};
}

const char* format_name(ImageFormat format) {
  switch (format) {
    case ImageFormat::jpeg:
      return "JPEG";
    case ImageFormat::png:
      return "PNG";
    case ImageFormat::webp:
      return "WebP";
    case ImageFormat::gif:
      return "GIF";
    case ImageFormat::unknown:
      break;
  }
  return "unknown";
}

json pictures_json(const Inspection& inspection) {
  std::map<std::string, int> formats;
  std::vector<std::int64_t> widths, heights;
  for (const PictureFacts& facts : inspection.pictures.facts) {
    if (!facts.readable()) continue;
    ++formats[format_name(facts.format)];
    widths.push_back(facts.width);
    heights.push_back(facts.height);
  }
  return {{"formats", formats}, {"width", spread(widths)}, {"height", spread(heights)}};
}

json texts_json(const Dataset& dataset) {
  std::map<std::string, int> writing;
  std::vector<std::int64_t> lengths;
  for (const Example& row : dataset.rows()) {
    if (normalise(row.text).empty()) continue;
    lengths.push_back(std::ssize(code_points(row.text)));
    const std::string system = writing_system(row.text);
    ++writing[system.empty() ? "no letters" : system];
  }
  const std::size_t with = lengths.size();
  return {{"rows", with}, {"characters", spread(std::move(lengths))}, {"writing", writing}};
}

json finding_json(const Finding& finding, const std::map<std::int64_t, std::string>& ids,
                  std::size_t all_rows) {
  const FindingRow& row = finding_table()[static_cast<std::size_t>(finding.kind)];
  json cases = json::array();
  for (const FindingCase& one : finding.cases) {
    if (cases.size() == kMostCases) break;
    json rows = json::array(), names = json::array();
    for (std::int64_t number : one.rows) {
      if (rows.size() == kMostRowsOfACase) break;
      rows.push_back(number);
      if (ids.contains(number)) names.push_back(ids.at(number));
    }
    cases.push_back({{"rows", rows}, {"ids", names}, {"note", one.note}});
  }
  return {{"key", row.key},
          {"title", row.title},
          {"meaning", row.meaning},
          {"rows", finding.rows},
          {"share", static_cast<double>(finding.rows) /
                        static_cast<double>(std::max<std::size_t>(all_rows, 1))},
          {"cases", cases},
          {"cases_in_all", finding.cases.size()}};
}

std::string spread_line(const json& of, const char* unit) {
  if (of.is_null()) return "";
  return fmt::format("{} to {} {}, median {}", of["least"].get<int>(), of["most"].get<int>(), unit,
                     of["median"].get<int>());
}

std::string counts_line(const json& counts) {
  std::vector<std::pair<int, std::string>> sorted;
  for (const auto& [name, count] : counts.items()) sorted.emplace_back(count.get<int>(), name);
  std::sort(sorted.rbegin(), sorted.rend());
  std::string line;
  for (const auto& [count, name] : sorted) {
    line += fmt::format("{}{} {}", line.empty() ? "" : ", ", name, count);
  }
  return line;
}

std::string classes_text(const json& report) {
  std::string text = "  rows   share  label in text  class\n";
  for (const json& row : report["classes"]) {
    const double rows = row["rows"].get<double>();
    text += fmt::format("{:>6} {:>5.1f} %  {:>11.1f} %  {}\n", rows,
                        100 * rows / std::max(1.0, report["rows"]["inspected"].get<double>()),
                        100 * row["label_in_text"].get<double>() / std::max(1.0, rows),
                        row["name"].get<std::string>());
  }
  return text;
}

std::string case_line(const json& one) {
  std::string names;
  for (const json& id : one["ids"]) {
    if (names.size() > 100) return "      " + names + " …";
    names += (names.empty() ? "" : " = ") + id.get<std::string>();
  }
  const auto note = one["note"].get<std::string>();
  return "      " + names + (names.empty() || note.empty() ? "" : ": ") + note;
}

std::string finding_text(const json& finding) {
  std::string text =
      fmt::format("\n{} ({} {}, {:.1f} %)\n  {}\n", finding["title"].get<std::string>(),
                  finding["rows"].get<int>(), finding["rows"] == 1 ? "row" : "rows",
                  100 * finding["share"].get<double>(), finding["meaning"].get<std::string>());
  std::size_t shown = 0;
  for (const json& one : finding["cases"]) {
    if (shown++ == kShownCases) break;
    text += case_line(one) + "\n";
  }
  const auto all = finding["cases_in_all"].get<std::size_t>();
  if (all > kShownCases) text += fmt::format("      and {} more\n", all - kShownCases);
  return text;
}

}  // namespace

json to_json(const Inspection& inspection) {
  const Dataset& dataset = inspection.dataset;
  std::map<std::int64_t, std::string> ids;
  for (const Example& row : dataset.rows()) ids[row.row] = row.id;
  json classes = json::array(), findings = json::array();
  for (const ClassFacts& row : inspection.classes) {
    classes.push_back({{"name", row.name}, {"rows", row.rows}, {"label_in_text", row.naming_rows}});
  }
  for (const Finding& finding : inspection.findings) {
    findings.push_back(finding_json(finding, ids, dataset.size()));
  }
  const Dataset usable = dataset.without(inspection.pictures.problems);
  return {{"source", repair_utf8(dataset.source())},
          {"rows",
           {{"read", dataset.rows_read()},
            {"inspected", dataset.size()},
            {"usable", usable.size()},
            {"skipped", usable.skipped()}}},
          {"classes", classes},
          {"pictures", pictures_json(inspection)},
          {"texts", texts_json(dataset)},
          {"label_accuracy", inspection.label_accuracy},
          {"findings", findings}};
}

std::string inspection_text(const Inspection& inspection) {
  const json report = to_json(inspection);
  const json &rows = report["rows"], &pictures = report["pictures"], &texts = report["texts"];
  std::string text =
      fmt::format("rows      {} read, {} usable, {} classes\n", rows["read"].get<int>(),
                  rows["usable"].get<int>(), report["classes"].size());
  text += fmt::format("pictures  {}; width {}; height {}\n", counts_line(pictures["formats"]),
                      spread_line(pictures["width"], "pixels"),
                      spread_line(pictures["height"], "pixels"));
  text +=
      fmt::format("texts     {} rows have one; {}; {}\n", texts["rows"].get<int>(),
                  spread_line(texts["characters"], "characters"), counts_line(texts["writing"]));
  if (inspection.label_accuracy > 0) {
    text += fmt::format("labels    a linear classifier agrees with {:.1f} %{}\n",
                        100 * inspection.label_accuracy,
                        inspection.tells_labels() ? "" : ": too few to find wrong ones by");
  }
  text += "\n" + classes_text(report);
  for (const json& finding : report["findings"]) text += finding_text(finding);
  if (report["findings"].empty()) text += "\nNothing that would spoil a comparison was found.\n";
  return text;
}

}  // namespace diptych
