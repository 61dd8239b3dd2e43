// Cells of a CSV file as RFC 4180 has them.
#pragma once
#include <string>
#include <string_view>

namespace diptych {

// The cell as it is, or in quotes where a comma, a quote or a line break is in it.
std::string csv_cell(std::string_view text);

}  // namespace diptych
