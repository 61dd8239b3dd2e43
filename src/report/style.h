// The style sheet of the report: light and dark, from a phone to a printed page.
#pragma once
#include <string>

namespace diptych::report {

std::string style_sheet();  // CSS without < and &, so that it stands in the page as it is

}  // namespace diptych::report
