// What a server's X-Robots-Tag says about using a picture.
#pragma once
#include <string_view>

namespace diptych {

// Whether the value of one header forbids: noai, noimageai, noindex, noimageindex or none, among
// directives for everyone or for `agent`. "otherbot: noindex" is for another; "noai, unavailable_
// after: 25 Jun 2027" has a directive with a value.
bool robots_disallow(std::string_view value, std::string_view agent = "diptych");

}  // namespace diptych
