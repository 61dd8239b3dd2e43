// The parts of the page, from the verdict to the record. A part with nothing to show has an empty
// body and is left out.
#pragma once
#include <string>
#include <vector>

#include "report/markup.h"
#include "report/report.h"
#include "report/results.h"

namespace diptych::report {

struct Section {
  std::string id;       // its anchor
  std::string name;     // in the table of contents
  std::string heading;  // what is to be seen, as a statement where the numbers allow one
  Markup lead;          // a sentence or two
  Markup body;
};

struct PageParts {
  Markup banner;
  std::vector<Section> sections;
  Markup footer;
};
std::string page(const std::string& title, const PageParts& parts);  // whole, UTF-8

Markup verdict_banner(const Results& results, const std::string& title);
Section scores_section(const Results& results);
Section pairs_section(const Results& results);
Section leaks_section(const Results& results);
Section curves_section(const Results& results, const std::vector<Curve>& curves);
Section classes_section(const Results& results);
Section confusion_section(const Results& results);
Section gallery_section(const std::vector<GalleryItem>& gallery);
Section reading_section(const Results& results);  // how to read the intervals and the test
Section record_section(const Results& results);   // rows, settings, provenance

Markup paragraph(std::string_view text);
// "data:" picture in its frame, or the frame alone; in the gallery and beside findings.
Markup framed_pictures(const std::vector<std::string>& pngs, const std::string& name);
// A row of a table of counts: a bar of its share of `total`, in a colour of the style sheet.
Markup count_row(std::string_view style, const std::string& what, double number, double total);
Markup recipe_name(std::string_view recipe);  // with its marker in front

}  // namespace diptych::report
