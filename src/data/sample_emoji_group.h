// Which emoji are variants of one thing: a rule on the sequence of code points, so that a new emoji
// finds its group without being listed. UTS #51 describes how the sequences are made.
#pragma once
#include <string>
#include <string_view>

namespace diptych {

// Code points in hexadecimal joined by '-': "1f468-200d-1f373".
std::string hex_name(std::u32string_view code_points);

// The same key for all variants by gender, hair, skin, direction and a joined black; all families,
// all couples with heart, all kisses and all pairs holding hands have one key each. The key is the
// hex_name() of what is left, "1f9d1-1f373" for every cook.
std::string emoji_group(std::u32string_view code_points);

}  // namespace diptych
