#include "download/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/error.h"

namespace diptych {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

struct Range {
  Bytes start;
  int bits;
};

// An IPv4 network among mapped addresses.
constexpr Range v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, int bits) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, 96 + bits};
}
constexpr Range v6(std::uint16_t a, std::uint16_t b, int bits) {
  return {{static_cast<std::uint8_t>(a >> 8), static_cast<std::uint8_t>(a),
           static_cast<std::uint8_t>(b >> 8), static_cast<std::uint8_t>(b)},
          bits};
}

constexpr std::array kForbiddenV4 = {
    v4(0, 0, 0, 0, 8),         // this network
    v4(10, 0, 0, 0, 8),        // private
    v4(100, 64, 0, 0, 10),     // shared by carriers; the metadata service of one cloud
    v4(127, 0, 0, 0, 8),       // loopback
    v4(168, 63, 129, 16, 32),  // the platform service of one cloud, within a public network
    v4(169, 254, 0, 0, 16),    // link-local; the metadata services of most clouds
    v4(172, 16, 0, 0, 12),     // private
    v4(192, 0, 0, 0, 24),      // protocol assignments; the metadata service of one cloud
    v4(192, 0, 2, 0, 24),      // documentation
    v4(192, 88, 99, 0, 24),    // relays of 6to4
    v4(192, 168, 0, 0, 16),    // private
    v4(198, 18, 0, 0, 15),     // benchmarks
    v4(198, 51, 100, 0, 24),   // documentation
    v4(203, 0, 113, 0, 24),    // documentation
    v4(224, 0, 0, 0, 4),       // multicast
    v4(240, 0, 0, 0, 4),       // reserved, and broadcast
};

constexpr Range kGlobalUnicast = v6(0x2000, 0, 3);
constexpr std::array kForbiddenV6 = {
    v6(0x2001, 0, 23),       // protocol assignments: Teredo, benchmarks, ORCHID
    v6(0x2001, 0x0db8, 32),  // documentation
    v6(0x2002, 0, 16),       // 6to4
    v6(0x3fff, 0, 20),       // documentation
};

bool within(const Bytes& address, const Range& range) {
  const auto whole = static_cast<std::size_t>(range.bits / 8);
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole),
                  range.start.begin())) {
    return false;
  }
  const int rest = range.bits % 8;
  return rest == 0 || (address[whole] ^ range.start[whole]) >> (8 - rest) == 0;
}

Bytes mapped(const void* v4_address) {
  Bytes bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::memcpy(bytes.data() + 12, v4_address, 4);
  return bytes;
}

// The host's half of an address that tunnels through IPv4: 0000:5efe or 0200:5efe, then IPv4.
bool is_isatap(const Bytes& address) {
  return (address[8] & 0xfd) == 0 && address[9] == 0 && address[10] == 0x5e && address[11] == 0xfe;
}

bool is_public(const Bytes& address, int family) {
  const auto holds = [&](const Range& range) { return within(address, range); };
  if (family == AF_INET) {
    return std::none_of(kForbiddenV4.begin(), kForbiddenV4.end(), holds);
  }
  return holds(kGlobalUnicast) && !is_isatap(address) &&
         std::none_of(kForbiddenV6.begin(), kForbiddenV6.end(), holds);
}

}  // namespace

AddressRule::AddressRule(std::span<const std::string> allowed) {
  for (const std::string& text : allowed) {
    Bytes bytes{};
    in_addr v4_address{};
    if (::inet_pton(AF_INET, text.c_str(), &v4_address) == 1) {
      bytes = mapped(&v4_address);
    } else if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) {
      throw Error(ErrorKind::usage, "'" + text + "' is no address", "--allow-address",
                  "give one as a number: 127.0.0.1 or ::1");
    }
    allowed_.push_back(bytes);
  }
}

bool AddressRule::permits(const sockaddr& address) const {
  Bytes bytes{};
  if (address.sa_family == AF_INET) {
    bytes = mapped(&reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  } else if (address.sa_family == AF_INET6) {
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
  } else {
    return false;
  }
  return std::find(allowed_.begin(), allowed_.end(), bytes) != allowed_.end() ||
         is_public(bytes, address.sa_family);
}

}  // namespace diptych
