// Made-up results for the tests: what a comparison of three recipes could have written.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/report.h"

namespace diptych {

struct MadeUp {
  std::vector<std::string> classes{"Animals", "Food", "Objects", "Places", "Symbols"};
  int runs = 5;
  int epochs = 24;
  std::vector<std::string> recipes{"image", "text", "image,text"};
  double gain = 0.09;  // of accuracy by the text
};

nlohmann::json made_up_results(const MadeUp& made_up);
Report made_up_report(const MadeUp& made_up);

}  // namespace diptych
