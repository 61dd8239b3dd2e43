// Every way to write a forbidden address: none may lead to a connection. This program's own
// connect() stands before the C library's, so each attempt of libcurl's is seen.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/socket.h>

#include <atomic>

#include "download/local_server.h"

namespace {
std::atomic<int> connections = 0;
std::atomic<const char*> rebound_to = "127.0.0.1";
}  // namespace

extern "C" int connect(int socket, const sockaddr* address, socklen_t size) {
  using Connect = int (*)(int, const sockaddr*, socklen_t);
  static const auto real = reinterpret_cast<Connect>(::dlsym(RTLD_NEXT, "connect"));
  if (address->sa_family == AF_INET || address->sa_family == AF_INET6) ++connections;
  return real(socket, address, size);
}

// And this one before the C library's: a name server that changes its answer.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** result) {
  using Resolve = decltype(&::getaddrinfo);
  static const auto real = reinterpret_cast<Resolve>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  const bool is_ours = name && std::string_view(name) == "rebound.example";
  return real(is_ours ? rebound_to.load() : name, service, hints, result);
}

namespace diptych {
namespace {

using Bytes = std::array<unsigned, 4>;

// One address of each forbidden network, and some of note.
constexpr std::array<Bytes, 18> kForbidden = {{{0, 0, 0, 0},
                                               {10, 0, 0, 5},
                                               {100, 64, 0, 1},
                                               {100, 100, 100, 200},
                                               {127, 0, 0, 1},
                                               {127, 255, 255, 254},
                                               {168, 63, 129, 16},
                                               {169, 254, 169, 254},
                                               {169, 254, 170, 2},
                                               {172, 16, 0, 1},
                                               {192, 0, 0, 192},
                                               {192, 0, 2, 1},
                                               {192, 88, 99, 1},
                                               {192, 168, 0, 1},
                                               {198, 18, 0, 1},
                                               {203, 0, 113, 1},
                                               {224, 0, 0, 1},
                                               {255, 255, 255, 255}}};

std::vector<std::string> ways_to_write(const Bytes& b) {
  const unsigned all = b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
  const std::string dotted = fmt::format("{}.{}.{}.{}", b[0], b[1], b[2], b[3]);
  return {dotted,
          fmt::format("{}", all),
          fmt::format("0x{:x}", all),
          fmt::format("0{:o}.0{:o}.0{:o}.0{:o}", b[0], b[1], b[2], b[3]),
          fmt::format("0x{:X}.{}.{}", b[0], b[1], b[2] << 8 | b[3]),
          fmt::format("{}.{}", b[0], all & 0xffffff),
          fmt::format("%{:02x}{}", dotted[0], dotted.substr(1)),
          fmt::format("[::ffff:{}]", dotted),
          fmt::format("[::ffff:{:x}:{:x}]", all >> 16, all & 0xffff),
          fmt::format("[::{}]", dotted),
          fmt::format("[64:ff9b::{}]", dotted),
          fmt::format("[2002:{:x}:{:x}::1]", all >> 16, all & 0xffff),
          fmt::format("[2001:0:{:x}:{:x}::]", all >> 16, all & 0xffff),
          fmt::format("[2a00::5efe:{:x}:{:x}]", all >> 16, all & 0xffff)};
}

std::vector<std::string> forbidden_hosts() {
  std::vector<std::string> hosts = {"localhost",         "LOCALHOST",     "[::1]",     "[::]",
                                    "[fe80::1]",         "[fc00::1]",     "[fec0::1]", "[ff02::1]",
                                    "[fd00:ec2::254]",   "[100::1]",      "127.1",     "0",
                                    "[0:0:0:0:0:0:0:1]", "[2001:db8::1]", "0177.1",    "0x7f.1"};
  for (const Bytes& address : kForbidden) {
    for (std::string& way : ways_to_write(address)) hosts.push_back(std::move(way));
  }
  return hosts;
}

TEST(ForbiddenUrl, NoWayToWriteAForbiddenAddressLeadsToAConnection) {
  const LocalServer server;
  std::vector<std::string> urls;
  for (const std::string& host : forbidden_hosts()) {
    urls.push_back(fmt::format("http://{}:{}/jpeg_picture/1", host, server.port()));
  }
  ASSERT_GT(urls.size(), 150U);
  DownloadOptions options = local_options();
  options.addresses = AddressRule();
  connections = 0;
  const std::vector<Answer> answers = download_all(options, urls);
  EXPECT_EQ(connections, 0);
  for (std::size_t i = 0; i < urls.size(); ++i) {
    EXPECT_EQ(answers[i].reason, Reason::forbidden_address)
        << urls[i] << ": " << reason_text(answers[i].reason, 0);
  }
  EXPECT_EQ(server.seen().size(), 1U);  // the question itself
}

TEST(ForbiddenUrl, ARedirectToOneLeadsToNoConnectionEither) {
  const LocalServer server;
  DownloadOptions options = local_options();
  connections = 0;
  for (const char* path : {"moved_inside/1", "moved_to_metadata/1"}) {
    EXPECT_EQ(download_all(options, {server.url(path)}).front().reason, Reason::forbidden_address);
  }
  EXPECT_EQ(connections, 2);  // those to the server that redirects
}

TEST(ForbiddenUrl, ANameIsHeldToTheAddressThatItHasThatTime) {
  const LocalServer server;
  const std::string url = fmt::format("http://rebound.example:{}/jpeg_picture/1", server.port());
  connections = 0;
  EXPECT_EQ(download_all(local_options(), {url}).front().reason, Reason::success);
  EXPECT_EQ(connections, 1);
  rebound_to = "127.0.0.2";
  EXPECT_EQ(download_all(local_options(), {url}).front().reason, Reason::forbidden_address);
  EXPECT_EQ(connections, 1);
}

TEST(ForbiddenUrl, OtherProtocolsAndUsersInUrlsAreRefusedBeforeAnythingIsOpened) {
  connections = 0;
  const std::vector<std::string> urls = {"file:///etc/hostname",
                                         "ftp://localhost/1",
                                         "gopher:1",
                                         "dict://localhost/d",
                                         "http:",
                                         "",
                                         "//localhost/1",
                                         std::string("http:") + "//me@localhost/1",
                                         "data:image/png;base64,AA",
                                         "javascript:alert(1)"};
  const std::vector<Answer> answers = download_all(local_options(), urls);
  for (std::size_t i = 0; i < urls.size(); ++i) {
    EXPECT_EQ(answers[i].reason, Reason::bad_url) << urls[i];
  }
  EXPECT_EQ(connections, 0);
}

TEST(ForbiddenUrl, WhatIsAllowedByTheUserIsConnectedTo) {
  const LocalServer server;
  connections = 0;
  EXPECT_EQ(download_all(local_options(), {server.url("jpeg_picture/1")}).front().reason,
            Reason::success);
  EXPECT_EQ(connections, 1);
}

}  // namespace
}  // namespace diptych
