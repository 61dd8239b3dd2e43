// The page: one file, no script, nothing fetched. The content policy forbids what the page does not
// need, so that even markup smuggled past the escaping could neither run nor call home.
#include <array>
#include <nlohmann/json.hpp>

#include "report/sections.h"
#include "report/style.h"

namespace diptych {
namespace {

using report::element;
using report::Markup;
using report::Section;

constexpr const char* kContentPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'";

Markup meta(const char* name, const char* content) {
  return element("meta", {{"name", name}, {"content", content}});
}

Markup head(const std::string& title) {
  Markup out = element("meta", {{"charset", "utf-8"}});
  out += element("meta", {{"http-equiv", "Content-Security-Policy"}, {"content", kContentPolicy}});
  out += meta("viewport", "width=device-width, initial-scale=1");
  out += meta("color-scheme", "light dark");
  out += meta("referrer", "no-referrer");
  out += element("title", {}, title);
  out += element("style", {}, Markup::trusted(report::style_sheet()));
  return element("head", {}, out);
}

Markup rendered(const Section& section) {
  Markup inner = element("h2", {{"dir", "auto"}}, section.heading);
  if (!section.lead.empty()) inner += element("div", {{"class", "lead"}}, section.lead);
  return element("section", {{"id", section.id}}, inner + section.body);
}

Markup contents(const std::vector<Section>& sections) {
  Markup links;
  for (const Section& section : sections) {
    links += element("a", {{"href", "#" + section.id}}, section.name);
  }
  return element("nav", {{"aria-label", "Contents"}}, links);
}

Markup footer(const report::Results& results) {
  const std::string version = results.provenance_of("diptych");
  const std::string created = results.provenance_of("created");
  std::string text = "Made by Diptych";
  if (!version.empty()) text += " " + report::shortened(version, 40);
  if (!created.empty()) text += ", " + report::shortened(created, 40);
  return element("footer", {}, text + ". The numbers are those of results.json.");
}

}  // namespace

std::string report::page(const std::string& title, const PageParts& parts) {
  std::vector<Section> sections = parts.sections;
  std::erase_if(sections, [](const Section& section) { return section.body.empty(); });
  Markup main;
  for (const Section& section : sections) main += rendered(section);
  Markup body = parts.banner;
  if (!sections.empty()) body += contents(sections);
  body += element("main", {}, main) + parts.footer;
  const std::string whole = title.empty() ? "Diptych" : title + " · Diptych";
  const Markup html = element("html", {{"lang", "en"}}, head(whole) + element("body", {}, body));
  return "<!DOCTYPE html>\n" + html.str() + "\n";
}

std::string render_report(const nlohmann::json& json, const Report& report) {
  const report::Results results = report::read_results(json);
  const std::vector<Section> sections{
      report::scores_section(results),         report::pairs_section(results),
      report::leaks_section(results),          report::classes_section(results),
      report::gallery_section(report.gallery), report::curves_section(results, report.curves),
      report::confusion_section(results),      report::reading_section(results),
      report::record_section(results),
  };
  return report::page(report.title,
                      {report::verdict_banner(results, report.title), sections, footer(results)});
}

}  // namespace diptych
