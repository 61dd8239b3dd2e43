#include "cli/run_folder.h"

#include <fmt/format.h>

namespace diptych {

std::string rows_line(const Dataset& dataset) {
  std::string reasons;
  for (const auto& [reason, count] : dataset.skipped()) {
    reasons += fmt::format("{}{}: {}", reasons.empty() ? " (" : ", ", reason, count);
  }
  return fmt::format("{} rows read, {} used, {} skipped{}{}", dataset.rows_read(), dataset.size(),
                     dataset.rows_read() - static_cast<std::int64_t>(dataset.size()), reasons,
                     reasons.empty() ? "" : ")");
}

}  // namespace diptych
