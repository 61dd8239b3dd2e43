// Which addresses a download may connect to: those of the public internet, and what the user names.
// Asked for each socket before it connects, of the address that it will connect to, so that neither
// a way of writing it, nor a name, a redirect or a second answer of a name server gets around it.
// The ranges are those of IANA's special-purpose address registries (RFC 6890).
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

struct sockaddr;

namespace diptych {

class AddressRule {
 public:
  // allowed: single addresses, as numbers ("127.0.0.1", "::1"), that are permitted whatever range
  // they are in. Throws Error{usage} for anything else.
  explicit AddressRule(std::span<const std::string> allowed = {});

  // Public unicast addresses of IPv4 and IPv6 are; no other family is. Not: private, loopback,
  // link-local (with the metadata services of clouds), shared by carriers, multicast, reserved,
  // for documentation or benchmarks, and IPv6 that holds an IPv4 address (mapped, compatible, 6to4,
  // Teredo, NAT64, ISATAP).
  bool permits(const sockaddr& address) const;

 private:
  using Bytes = std::array<std::uint8_t, 16>;  // IPv4 as mapped
  std::vector<Bytes> allowed_;
};

}  // namespace diptych
