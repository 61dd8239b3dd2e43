#include "data/sample_emoji.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/file.h"

namespace diptych {
namespace {
namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using Record = std::map<std::string, std::string>;  // column → field

// RFC 4180, read strictly: a stray quote would show as a row of the wrong width.
std::vector<Record> read_csv(const std::string& text) {
  std::vector<std::vector<std::string>> lines(1, {""});
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' && quoted && text[i + 1] == '"') {
      lines.back().back() += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      lines.back().emplace_back();
    } else if (c == '\n' && !quoted) {
      lines.push_back({""});
    } else {
      lines.back().back() += c;
    }
  }
  lines.pop_back();
  std::vector<Record> records;
  for (std::size_t row = 1; row < lines.size(); ++row) {
    EXPECT_EQ(lines[row].size(), lines[0].size()) << "row " << row;
    for (std::size_t i = 0; i < lines[row].size(); ++i) {
      if (i == 0) records.emplace_back();
      records.back()[lines[0][i]] = lines[row][i];
    }
  }
  return records;
}

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes.at(i));
  }
  return value;
}

class SampleEmojiTest : public testing::Test {
 protected:
  fs::path folder_ = fs::path(testing::TempDir()) / ("sample_emoji_" + std::to_string(::getpid()));
  EmojiSources sources_;

  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  // A small emoji-test.txt, so that a test draws only what it looks at.
  void list(const std::string& lines) {
    sources_.emoji_test = folder_ / "emoji-test.txt";
    write_file(sources_.emoji_test, "# group: Things\n# subgroup: some\n" + lines);
  }
  std::vector<Record> written() { return written_in(folder_ / "out"); }
  std::vector<Record> written_in(const fs::path& out) {
    write_emoji_sample(out, sources_);
    return read_csv(read_file(out / "data.csv"));
  }
  std::string picture(const Record& record) {
    return read_file(folder_ / "out" / record.at("image"));
  }
};

int lines_without_skin_tone(const fs::path& emoji_test) {
  std::istringstream lines(read_file(emoji_test));
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::string code_points = line.substr(0, line.find(';'));
    const bool toned = code_points.find("1F3FB") != std::string::npos ||
                       code_points.find("1F3FC") != std::string::npos ||
                       code_points.find("1F3FD") != std::string::npos ||
                       code_points.find("1F3FE") != std::string::npos ||
                       code_points.find("1F3FF") != std::string::npos;
    if (line.find("; fully-qualified") != std::string::npos && !toned) ++count;
  }
  return count;
}

TEST_F(SampleEmojiTest, EveryEmojiWithoutSkinToneIsARowThatDoesNotNameItsClass) {
  const auto records = written();
  EXPECT_EQ(static_cast<int>(records.size()), lines_without_skin_tone(sources_.emoji_test));
  std::set<std::string> labels;
  std::set<std::string> images;
  std::map<std::string, std::set<std::string>> labels_of_group;
  for (const Record& record : records) {
    labels.insert(record.at("label"));
    images.insert(record.at("image"));
    labels_of_group[record.at("group")].insert(record.at("label"));
    ASSERT_FALSE(record.at("group").empty());
    ASSERT_FALSE(record.at("text").empty()) << record.at("name");
    ASSERT_EQ(record.at("text"), record.at("keywords"));
    std::string text = record.at("text");
    std::transform(text.begin(), text.end(), text.begin(), ::tolower);
    ASSERT_THAT(text, AllOf(Not(HasSubstr("flag")), Not(HasSubstr("keycap"))));
    ASSERT_THAT(record.at("keywords_ko"),
                AllOf(Not(HasSubstr("깃발")), Not(HasSubstr("국기")), Not(HasSubstr("플래그")),
                      Not(HasSubstr("키 캡")), Not(HasSubstr("키캡"))));
    const std::string png = picture(record);
    ASSERT_NEAR(big_endian(png, 16), 136, 8) << record.at("image");
    ASSERT_NEAR(big_endian(png, 20), 128, 8) << record.at("image");
  }
  EXPECT_EQ(labels.size(), 9u);
  EXPECT_EQ(images.size(), records.size());
  for (const auto& [group, names] : labels_of_group) EXPECT_EQ(names.size(), 1u) << group;
}

TEST_F(SampleEmojiTest, ARowHasItsWordsInBothLanguages) {
  list("1F408 200D 2B1B ; fully-qualified # 🐈‍⬛ E13.0 black cat\n");
  const Record cat = written().at(0);
  EXPECT_EQ(cat.at("image"), "images/1f408-200d-2b1b.png");
  EXPECT_EQ(cat.at("text"), "black | cat | unlucky");
  EXPECT_EQ(cat.at("label"), "Things");
  EXPECT_EQ(cat.at("subgroup"), "some");
  EXPECT_EQ(cat.at("name"), "black cat");
  EXPECT_EQ(cat.at("name_ko"), "검은 고양이");
  EXPECT_THAT(cat.at("keywords_ko"), HasSubstr("고양이"));
}

TEST_F(SampleEmojiTest, WordsThatNameTheClassAreTakenOutOfPhrasesAndTheirEchoesToo) {
  list(
      "1F1F0 1F1F7 ; fully-qualified # 🇰🇷 E0.6 flag: South Korea\n"
      "0031 FE0F 20E3 ; fully-qualified # 1️⃣ E0.6 keycap: 1\n"
      "1F3F3 FE0F 200D 1F308 ; fully-qualified # 🏳️‍🌈 E4.0 rainbow flag\n"
      "1F38C ; fully-qualified # 🎌 E0.6 crossed flags\n"
      "1F38F ; fully-qualified # 🎏 E0.6 carp streamer\n");
  const auto records = written();
  EXPECT_EQ(records.at(0).at("text"), "South Korea");
  EXPECT_EQ(records.at(0).at("name"), "flag: South Korea");
  EXPECT_EQ(records.at(0).at("keywords_ko"), "대한민국");
  EXPECT_EQ(records.at(1).at("text"), "1");
  EXPECT_EQ(records.at(1).at("keywords_ko"), "1");
  EXPECT_EQ(records.at(2).at("text"), "pride | rainbow");
  EXPECT_EQ(records.at(3).at("text"), "celebration | cross | crossed | Japanese");
  EXPECT_EQ(records.at(4).at("keywords_ko"), "물고기 | 물고기 모양 | 물고기 장식");
}

TEST_F(SampleEmojiTest, AnEmojiYoungerThanTheAnnotationsHasTheNameOfTheList) {
  list("1FACE ; fully-qualified # 🫎 E15.0 moose of a new kind\n");
  sources_.cldr = folder_;
  for (const char* name : {"annotations", "annotationsDerived"}) {
    fs::create_directories(folder_ / name);
    for (const char* language : {"en.xml", "ko.xml"}) {
      write_file(folder_ / name / language, "<ldml><annotations/></ldml>");
    }
  }
  const Record moose = written().at(0);
  EXPECT_EQ(moose.at("text"), "moose of a new kind");
  EXPECT_EQ(moose.at("keywords_ko"), "");
}

TEST_F(SampleEmojiTest, QuotesInAFieldAreDoubled) {
  list("1F201 ; fully-qualified # 🈁 E0.6 Japanese “here” button\n");
  EXPECT_THAT(written().at(0).at("keywords_ko"), HasSubstr("일본어 \"여기\" 버튼"));
}

TEST_F(SampleEmojiTest, ASequenceIsDrawnAsOnePictureOfItsOwn) {
  list(
      "1F468 ; fully-qualified # 👨 E0.6 man\n"
      "1F373 ; fully-qualified # 🍳 E0.6 cooking\n"
      "1F468 200D 1F373 ; fully-qualified # 👨‍🍳 E4.0 man cook\n"
      "1F469 200D 1F373 ; fully-qualified # 👩‍🍳 E4.0 woman cook\n"
      "1F9D1 200D 1F373 ; fully-qualified # 🧑‍🍳 E12.1 cook\n");
  const auto records = written();
  std::set<std::string> pictures;
  for (const Record& record : records) pictures.insert(picture(record));
  EXPECT_EQ(pictures.size(), 5u);
  EXPECT_EQ(records.at(2).at("group"), records.at(3).at("group"));
  EXPECT_EQ(records.at(2).at("group"), records.at(4).at("group"));
  EXPECT_NE(records.at(2).at("group"), records.at(0).at("group"));
}

TEST_F(SampleEmojiTest, ThingsThatLookTheSameToThePixelShareAGroup) {
  list(
      "1F1EB 1F1F7 ; fully-qualified # 🇫🇷 E0.6 flag: France\n"
      "1F1E9 1F1EA ; fully-qualified # 🇩🇪 E0.6 flag: Germany\n"
      "1F1F2 1F1EB ; fully-qualified # 🇲🇫 E2.0 flag: St. Martin\n");
  const auto records = written();
  ASSERT_EQ(picture(records.at(0)), picture(records.at(2)));
  EXPECT_EQ(records.at(0).at("group"), records.at(2).at("group"));
  EXPECT_NE(records.at(0).at("group"), records.at(1).at("group"));
}

TEST_F(SampleEmojiTest, OnlyFullyQualifiedLinesWithoutSkinToneAreTaken) {
  list(
      "1F44B ; fully-qualified # 👋 E0.6 waving hand\n"
      "1F44B 1F3FB ; fully-qualified # 👋🏻 E1.0 waving hand: light skin tone\n"
      "1F590 ; unqualified # 🖐 E0.7 hand with fingers splayed\n"
      "1F3FB ; component # 🏻 E1.0 light skin tone\n");
  EXPECT_EQ(written().size(), 1u);
}

TEST_F(SampleEmojiTest, TheSameSourcesGiveTheSameBytes) {
  list(
      "1F600 ; fully-qualified # 😀 E1.0 grinning face\n"
      "1F1F0 1F1F7 ; fully-qualified # 🇰🇷 E0.6 flag: South Korea\n");
  for (const char* name : {"one", "two"}) write_emoji_sample(folder_ / name, sources_);
  for (const char* file : {"data.csv", "images/1f600.png", "images/1f1f0-1f1f7.png"}) {
    EXPECT_EQ(read_file(folder_ / "one" / file), read_file(folder_ / "two" / file)) << file;
  }
}

TEST_F(SampleEmojiTest, ProgressRunsToTheTotal) {
  list(
      "1F600 ; fully-qualified # 😀 E1.0 grinning face\n"
      "1F601 ; fully-qualified # 😁 E0.6 beaming face with smiling eyes\n");
  std::vector<std::pair<int, int>> calls;
  write_emoji_sample(folder_ / "out", sources_,
                     [&](int done, int total) { calls.emplace_back(done, total); });
  EXPECT_THAT(calls, testing::ElementsAre(std::pair(1, 2), std::pair(2, 2)));
}

TEST_F(SampleEmojiTest, AMissingSourceNamesTheDebianPackageThatHasIt) {
  const auto package_missing = [&](fs::path EmojiSources::*source) {
    EmojiSources sources;
    sources.*source = folder_ / "absent";
    try {
      write_emoji_sample(folder_ / "out", sources);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::not_found);
      EXPECT_THAT(error.where(), HasSubstr("absent"));
      EXPECT_FALSE(fs::exists(folder_ / "out" / "data.csv"));
      return error.hint();
    }
    return std::string("no error");
  };
  EXPECT_THAT(package_missing(&EmojiSources::font), HasSubstr("fonts-noto-color-emoji"));
  EXPECT_THAT(package_missing(&EmojiSources::emoji_test), HasSubstr("unicode-data"));
  EXPECT_THAT(package_missing(&EmojiSources::cldr), HasSubstr("unicode-cldr-core"));
}

TEST_F(SampleEmojiTest, SourcesThatAreNotWhatTheySayAreRefused) {
  list("XYZ ; fully-qualified # 😀 E1.0 grinning face\n");
  EXPECT_THROW(write_emoji_sample(folder_ / "out", sources_), Error);
  list("1F600 ; fully-qualified # 😀\n");
  EXPECT_THROW(write_emoji_sample(folder_ / "out", sources_), Error);
  list("");
  EXPECT_THROW(write_emoji_sample(folder_ / "out", sources_), Error);
  list("1F600 ; fully-qualified # 😀 E1.0 grinning face\n");
  sources_.font = sources_.emoji_test;
  EXPECT_THROW(write_emoji_sample(folder_ / "out", sources_), Error);
}

TEST_F(SampleEmojiTest, AFontThatIsTooOldForMostEmojiIsRefused) {
  list(
      "1F600 ; fully-qualified # 😀 E1.0 grinning face\n"
      "1FFFD ; fully-qualified # ? E99.0 an emoji of the future\n");
  try {
    write_emoji_sample(folder_ / "out", sources_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("draws only 1 of 2"));
  }
  EXPECT_FALSE(fs::exists(folder_ / "out" / "data.csv"));
}

}  // namespace
}  // namespace diptych
