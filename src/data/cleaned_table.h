// The table again, without what an inspection found unusable or doubled, and with a group for each
// set of copies.
#pragma once
#include <filesystem>
#include <string>

#include "data/inspection.h"

namespace diptych {

struct CleanedTable {
  std::string csv;
  std::int64_t kept = 0, unusable = 0, doubled = 0;
  std::int64_t grouped = 0;  // rows whose group was empty or another before
};

// All columns of the table that was inspected, in their order, the group column added or filled in.
// Rows go that cannot be used, and those whose picture (byte for byte), text and label an earlier
// row has. Paths are made relative to where `output` lies. Throws Error{data} when the rows do not
// come from a table that names files.
CleanedTable cleaned_table(const Inspection& inspection, const ReadOptions& columns,
                           const std::filesystem::path& output);

}  // namespace diptych
