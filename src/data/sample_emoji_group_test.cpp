#include "data/sample_emoji_group.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace diptych {
namespace {

using Sequences = std::vector<std::u32string>;

std::set<std::string> groups_of(const Sequences& sequences) {
  std::set<std::string> groups;
  for (const auto& sequence : sequences) groups.insert(emoji_group(sequence));
  return groups;
}

struct Variants {
  const char* name;
  const char* group;
  Sequences sequences;
};
class VariantsTest : public testing::TestWithParam<Variants> {};

TEST_P(VariantsTest, ShareAGroup) {
  EXPECT_EQ(groups_of(GetParam().sequences), std::set<std::string>{GetParam().group});
}

INSTANTIATE_TEST_SUITE_P(
    EmojiGroup, VariantsTest,
    testing::Values(
        Variants{"Cooks",
                 "1f9d1-1f373",
                 {U"🧑‍🍳", U"👨‍🍳", U"👩‍🍳", U"👩🏽‍🍳"}},
        Variants{"Pilots", "1f9d1-2708", {U"🧑‍✈️", U"👨‍✈️", U"👩‍✈"}},
        Variants{"Adults",
                 "1f9d1",
                 {U"🧑", U"👨", U"👩", U"👩‍🦰", U"🧑‍🦲", U"👱‍♀️",
                  U"🧔‍♂️"}},
        Variants{"Children", "1f9d2", {U"🧒", U"👦", U"👧"}},
        Variants{"TheOld", "1f9d3", {U"🧓", U"👴", U"👵"}},
        Variants{"Detectives", "1f575", {U"🕵️", U"🕵️‍♂️", U"🕵️‍♀️"}},
        Variants{"Royals", "1fac5", {U"🫅", U"🤴", U"👸"}},
        Variants{"Clauses", "1f385", {U"🎅", U"🤶", U"🧑‍🎄"}},
        Variants{"Merpeople", "1f9dc", {U"🧜", U"🧜‍♂️", U"🧜‍♀️"}},
        Variants{"ThePregnant", "1fac4", {U"🤰", U"🫃", U"🫄"}},
        Variants{"Dancers", "1f483", {U"💃", U"🕺"}},
        Variants{"Walkers", "1f6b6", {U"🚶", U"🚶‍➡️", U"🚶‍♀️‍➡️"}},
        Variants{"HoldingHands",
                 "1f46b",
                 {U"👫", U"👬", U"👭", U"🧑‍🤝‍🧑", U"👩🏻‍🤝‍👨🏿"}},
        Variants{"Kisses",
                 "1f48f",
                 {U"💏", U"👩‍❤️‍💋‍👨", U"👨‍❤️‍💋‍👨"}},
        Variants{"Couples", "1f491", {U"💑", U"👩‍❤️‍👨", U"👩‍❤️‍👩"}},
        Variants{"Families",
                 "1f46a",
                 {U"👪", U"👨‍👩‍👧‍👦", U"👩‍👦", U"🧑‍🧑‍🧒"}},
        Variants{"Cats", "1f408", {U"🐈", U"🐈‍⬛"}}),
    [](const auto& info) { return info.param.name; });

TEST(EmojiGroupTest, DifferentThingsKeepGroupsOfTheirOwn) {
  const Sequences things = {U"🧑",
                            U"🧑‍🍳",
                            U"🧑‍🚀",
                            U"🍳",
                            U"🧒",
                            U"🇰🇷",
                            U"🇫🇷",
                            U"1️⃣",
                            U"2️⃣",
                            U"❤️",
                            U"❤️‍🔥",
                            U"💋",
                            U"🎄",
                            U"♀️",
                            U"♂️",
                            U"➡️",
                            U"⬛",
                            U"🏳️‍🌈"};
  EXPECT_EQ(groups_of(things).size(), things.size());
}

TEST(EmojiGroupTest, ASequenceIsNamedByItsCodePoints) {
  EXPECT_EQ(hex_name(U"👨‍🍳"), "1f468-200d-1f373");
  EXPECT_EQ(hex_name(U"#️⃣"), "23-fe0f-20e3");
}

}  // namespace
}  // namespace diptych
