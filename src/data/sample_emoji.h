// The sample dataset: every fully-qualified emoji without skin tone, drawn from what Debian ships:
// Noto Color Emoji (bitmaps), Unicode's emoji-test.txt (groups) and CLDR annotations (keywords).
#pragma once
#include <filesystem>
#include <functional>

namespace diptych {

struct EmojiSources {
  std::filesystem::path font = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf";
  std::filesystem::path emoji_test = "/usr/share/unicode/emoji/emoji-test.txt";
  std::filesystem::path cldr = "/usr/share/unicode/cldr/common";
};

// Writes FOLDER/data.csv and FOLDER/images/*.png: about 1,870 rows with the columns
// image,text,label,group,name,keywords,name_ko,keywords_ko,subgroup. Keywords are joined by " | "
// as in CLDR; text is the English ones. The words "flag" and "keycap" (and the Korean for them) are
// left out of text, keywords and keywords_ko; where no keyword is left the name without those words
// stands in. name and name_ko are as CLDR has them. Variants of one thing, and pictures that are
// the same to the pixel, share a group. Emoji that the font is too old to draw are left out.
// data.csv is written last: a folder that has it is complete. The same sources give the same bytes.
// Returns the number of rows. Throws Error{not_found} naming the Debian package that is missing,
// Error{data} on a source that is not understood, Error{io} when writing fails.
int write_emoji_sample(const std::filesystem::path& folder, const EmojiSources& sources,
                       const std::function<void(int done, int total)>& progress = {});

}  // namespace diptych
