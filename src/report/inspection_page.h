// The page of an inspection: one offline file, drawn from its findings, with pictures of each kind.
// Text from the dataset is data: it is escaped and nothing in it is ever run.
#pragma once
#include <functional>
#include <string>

#include "data/inspection.h"

namespace diptych {

// title: the dataset's name. png: bytes of a small picture of a row; empty: none. It is asked for
// the rows that are shown, some hundred at most.
std::string render_inspection(const Inspection& inspection, const std::string& title,
                              const std::function<std::string(const Example&)>& png);

}  // namespace diptych
