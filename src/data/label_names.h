// Names of labels from a file of their own, for data whose labels are numbers or codes.
#pragma once
#include <filesystem>
#include <map>
#include <string>

namespace diptych {

// From a label as the data has it to its name. A table with the columns "label" and "name", or a
// text whose lines are the names of the labels 0, 1, 2 …. Throws Error{not_found, io, data}.
std::map<std::string, std::string> read_label_names(const std::filesystem::path& path);

}  // namespace diptych
