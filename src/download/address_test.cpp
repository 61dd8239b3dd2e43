#include "download/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/un.h>

#include "base/error.h"

namespace diptych {
namespace {

bool permits(const AddressRule& rule, const std::string& text) {
  sockaddr_storage storage{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
  } else {
    EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr), 1) << text;
    v6.sin6_family = AF_INET6;
  }
  return rule.permits(reinterpret_cast<const sockaddr&>(storage));
}

std::string dotted(int a, int b, int c, int d) { return fmt::format("{}.{}.{}.{}", a, b, c, d); }

struct Network {
  std::array<int, 4> first, last;
};

// The first and the last address of each range, so that a bound that is off by one shows.
const std::vector<Network> kForbidden = {
    {{0, 0, 0, 0}, {0, 255, 255, 255}},       {{10, 0, 0, 0}, {10, 255, 255, 255}},
    {{100, 64, 0, 0}, {100, 127, 255, 255}},  {{127, 0, 0, 0}, {127, 255, 255, 255}},
    {{169, 254, 0, 0}, {169, 254, 255, 255}}, {{172, 16, 0, 0}, {172, 31, 255, 255}},
    {{192, 0, 0, 0}, {192, 0, 0, 255}},       {{192, 0, 2, 0}, {192, 0, 2, 255}},
    {{192, 88, 99, 0}, {192, 88, 99, 255}},   {{192, 168, 0, 0}, {192, 168, 255, 255}},
    {{198, 18, 0, 0}, {198, 19, 255, 255}},   {{198, 51, 100, 0}, {198, 51, 100, 255}},
    {{203, 0, 113, 0}, {203, 0, 113, 255}},   {{224, 0, 0, 0}, {255, 255, 255, 255}},
    {{168, 63, 129, 16}, {168, 63, 129, 16}},
};

std::uint32_t number(const std::array<int, 4>& v) {
  std::uint32_t value = 0;
  for (int byte : v) value = value << 8 | static_cast<std::uint32_t>(byte);
  return value;
}
std::string text_of(std::uint32_t v) {
  return dotted(static_cast<int>(v >> 24), static_cast<int>(v >> 16 & 255),
                static_cast<int>(v >> 8 & 255), static_cast<int>(v & 255));
}

TEST(Address, ForbiddenNetworksAreForbiddenFromTheirFirstToTheirLastAddressAndNoFurther) {
  const AddressRule rule;
  for (const Network& network : kForbidden) {
    const std::uint32_t first = number(network.first), last = number(network.last);
    for (const std::uint32_t inside : {first, first + (last - first) / 2, last}) {
      EXPECT_FALSE(permits(rule, text_of(inside))) << text_of(inside);
    }
    EXPECT_TRUE(first == 0 || permits(rule, text_of(first - 1))) << text_of(first - 1);
    EXPECT_TRUE(last == UINT32_MAX || permits(rule, text_of(last + 1))) << text_of(last + 1);
  }
}

TEST(Address, OfTheSixthVersionOnlyGlobalUnicastWithoutTunnelsIsPermitted) {
  const AddressRule rule;
  for (const char* text :
       {"2001:200::1", "2606:4700::1111", "2a00:1450:4001:812::200e", "2003::1", "2001:db7::1",
        "2001:db9::1", "3ffe:ffff::1", "3fff:1000::1", "2606::5eff:7f00:1", "2606::100:5efe:0:1"}) {
    EXPECT_TRUE(permits(rule, text)) << text;
  }
  for (const char* text : {"::",
                           "::1",
                           "::7f00:1",
                           "::ffff:127.0.0.1",
                           "::ffff:808:808",
                           "::ffff:8.8.8.8",
                           "64:ff9b::1",
                           "64:ff9b::7f00:1",
                           "100::1",
                           "2001::1",
                           "64:ff9b:1::1",
                           "2001:0:7f00:1::",
                           "2001:1ff::1",
                           "2001:2::1",
                           "2001:10::1",
                           "2001:20::1",
                           "2001:db8::1",
                           "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                           "2002::1",
                           "2002:7f00:1::",
                           "3fff::1",
                           "3fff:fff::1",
                           "4000::1",
                           "5f00::1",
                           "fc00::1",
                           "fd00:ec2::254",
                           "fdff::1",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "ff02::1",
                           "ff0e::1",
                           "1fff::1",
                           "ffff::1",
                           "::8.8.8.8",
                           "2606::5efe:7f00:1",
                           "2606::200:5efe:7f00:1"}) {
    EXPECT_FALSE(permits(rule, text)) << text;
  }
}

TEST(Address, WhatIsNamedIsPermittedAndNothingBesideIt) {
  const std::vector<std::string> allowed = {"127.0.0.1", "fd00::7"};
  const AddressRule rule(allowed);
  EXPECT_TRUE(permits(rule, "127.0.0.1"));
  EXPECT_TRUE(permits(rule, "fd00::7"));
  EXPECT_TRUE(permits(rule, "8.8.8.8"));
  for (const char* text : {"127.0.0.2", "127.0.0.0", "fd00::8", "::1"}) {
    EXPECT_FALSE(permits(rule, text)) << text;
  }
}

TEST(Address, OtherFamiliesAreForbidden) {
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  EXPECT_FALSE(AddressRule().permits(reinterpret_cast<const sockaddr&>(local)));
}

TEST(Address, OnlyNumbersCanBeAllowed) {
  for (const char* text : {"localhost", "127.1", "", "127.0.0.1/8", "[::1]"}) {
    EXPECT_THROW(AddressRule(std::vector<std::string>{text}), Error) << text;
  }
}

}  // namespace
}  // namespace diptych
