#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "diptych/model.h"

namespace diptych {

Action declare_info(CLI::App& command) {
  struct Arguments {
    std::filesystem::path model;
    bool json = false;
  };
  auto given = std::make_shared<Arguments>();
  command.add_option("MODEL", given->model, "A run's folder or a model file")->required();
  command.add_flag("--json", given->json, "As one JSON object");
  return [given] {
    const Model model = Model::load(given->model);
    const auto provenance = nlohmann::json::parse(model.provenance());
    if (given->json) {
      const nlohmann::json all = {{"inputs", inputs_name(model.config().inputs)},
                                  {"classes", model.classes()},
                                  {"parameters", model.parameters()},
                                  {"quantized", model.quantized()},
                                  {"config", to_json(model.config())},
                                  {"provenance", provenance}};
      std::cout << all.dump(2) << "\n";
      return;
    }
    std::cout << fmt::format("inputs      {}\nparameters  {}\nclasses     {}: {}\n",
                             inputs_name(model.config().inputs), model.parameters(),
                             model.classes().size(), fmt::join(model.classes(), ", "));
    if (model.quantized()) std::cout << "answers     in fp32, bf16 and int8\n";
    for (const auto& [key, value] : provenance.items()) {
      std::cout << fmt::format("{:<11} {}\n", key,
                               value.is_string() ? value.get<std::string>() : value.dump());
    }
    std::cout << "\nconfiguration\n";
    for (const Option& option : kept_options()) {
      std::cout << fmt::format("  {:<22} {}\n", option.name, option.get(model.config()));
    }
  };
}

}  // namespace diptych
