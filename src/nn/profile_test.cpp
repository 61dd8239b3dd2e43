#include "nn/profile.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace diptych {
namespace {

using nlohmann::json;

// Two parts that each multiply matrices, the second with twice as many products.
torch::Tensor two_parts(const torch::Tensor& x, const torch::Tensor& w) {
  torch::Tensor y;
  {
    const ProfileScope scope("first");
    y = x.mm(w);
  }
  const ProfileScope scope("second");
  return y.mm(w).mm(w).sum();
}

ProfilePart part_of(const Profile& profile, const std::string& name) {
  for (const ProfilePart& part : profile.parts()) {
    if (part.name == name) return part;
  }
  return {};
}

TEST(Profile, CountsANodeOfTheBackwardPassForThePartThatMadeIt) {
  const torch::Tensor x = torch::ones({256, 256}), w = torch::eye(256).set_requires_grad(true);
  const Profile profile;
  for (int i = 0; i < 20; ++i) two_parts(x, w).backward();
  const ProfilePart first = part_of(profile, "first"), second = part_of(profile, "second");
  EXPECT_GT(first.forward_ms, 0);
  EXPECT_GT(first.backward_ms, 0);
  // Four products against one; x itself needs no gradient.
  EXPECT_GT(second.backward_ms, first.backward_ms);
}

TEST(Profile, TimesAPartWithoutThePartsInsideIt) {
  const Profile profile;
  {
    const ProfileScope outer("outer");
    const ProfileScope inner("inner");
    for (int i = 0; i < 20; ++i) torch::ones({256, 256}).mm(torch::ones({256, 256}));
  }
  EXPECT_GT(part_of(profile, "inner").forward_ms, 10 * part_of(profile, "outer").forward_ms);
}

TEST(Profile, WritesATraceOfOperatorsPartsAndTheBackwardPass) {
  const torch::Tensor w = torch::eye(8).set_requires_grad(true);
  const Profile profile;
  two_parts(torch::ones({8, 8}), w).backward();
  const json events = json::parse(profile.trace()).at("traceEvents");
  const auto has = [&](const std::string& kind, const std::string& name) {
    return std::any_of(events.begin(), events.end(), [&](const json& event) {
      return event.at("cat") == kind && event.at("name") == name && event.at("dur") > 0;
    });
  };
  EXPECT_TRUE(has("scope", "first"));
  EXPECT_TRUE(has("operator", "aten::mm"));
  EXPECT_TRUE(has("backward", "MmBackward0"));
}

TEST(Profile, EndsWithItsLifeAndLeavesOtherThreadsAlone) {
  { const Profile profile; }
  const ProfileScope unrecorded("nobody listens");
  torch::ones({2, 2}).mm(torch::ones({2, 2}));
  const Profile profile;
  std::thread([] {
    const ProfileScope scope("another thread");
    torch::ones({2, 2}).mm(torch::ones({2, 2}));
  }).join();
  EXPECT_EQ(part_of(profile, "another thread").name, "");
  EXPECT_EQ(profile.trace().find("aten::mm"), std::string::npos);
}

TEST(ProfileTable, StandsTheLargestPartFirstWithItsShare) {
  const std::string table = profile_table({{"small", 1, 0}, {"large", 10, 9}}, 10);
  EXPECT_EQ(table,
            "ms a step                    forward    backward    share\n"
            "large                          1.000       0.900    95.0%\n"
            "small                          0.100       0.000     5.0%\n");
}

}  // namespace
}  // namespace diptych
