// Options by name, and their values between text and the types of JSON and TOML.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "config/options.h"

namespace diptych {

// Throws Error{config} that names the nearest option; source as in set_option().
const Option& find_option(const std::string& name, const std::string& source);

// "learning-rate" → "DIPTYCH_LEARNING_RATE".
std::string environment_name(const std::string& option);

const char* group_name(OptionGroup group);  // "Training"

// The option's value in its own type: 0.002, [32,64,128], "adamw", true.
nlohmann::json typed_value(const Option& option, const Config& config);

// The text that option.set() takes. Throws Error{config} when the value has another type.
std::string value_text(const Option& option, const nlohmann::json& value,
                       const std::string& source);

}  // namespace diptych
