#include "nn/wires.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <system_error>

namespace diptych {
namespace {

constexpr const char* kClosed = "the connection was closed";
constexpr std::size_t kTokenSize = 32, kGreeting = kTokenSize + sizeof(std::int32_t);

int checked(ssize_t result) {
  if (result < 0) throw std::system_error(errno, std::generic_category());
  return static_cast<int>(result);
}

using Address = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

Address address_of(const std::string& host, const std::string& port) {
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found)) {
    throw std::runtime_error(::gai_strerror(error));
  }
  return {found, ::freeaddrinfo};
}

void set_up(int socket, std::chrono::milliseconds timeout) {
  const int on = 1;
  const timeval limit{timeout.count() / 1000, timeout.count() % 1000 * 1000};
  checked(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  checked(::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  checked(::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
}

std::string port_of(int socket) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  char port[NI_MAXSERV];
  checked(::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size));
  if (::getnameinfo(reinterpret_cast<sockaddr*>(&own), size, nullptr, 0, port, sizeof port,
                    NI_NUMERICSERV) != 0) {
    throw std::runtime_error("a socket without a port");
  }
  return port;
}

void send_all(int socket, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    bytes = bytes.subspan(static_cast<std::size_t>(checked(sent)));
  }
}

void receive_all(int socket, std::span<char> bytes) {
  while (!bytes.empty()) {
    const ssize_t received = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received == 0) throw std::runtime_error(kClosed);
    bytes = bytes.subspan(static_cast<std::size_t>(checked(received)));
  }
}

// What nobody knows who does not see the store.
std::string made_up_token() {
  std::random_device random;
  std::string token;
  while (token.size() < kTokenSize) token += "0123456789abcdef"[random() % 16];
  return token;
}

std::string wire_key(int rank) { return "wire/" + std::to_string(rank); }

}  // namespace

Wires::Wires(c10d::Store& store, const Place& place)
    : place_(place), sockets_(static_cast<std::size_t>(place.size), -1) {
  const Address own = address_of(place.host, "0");
  const int listener = checked(::socket(own->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const std::unique_ptr<const int, void (*)(const int*)> owner(
      &listener, [](const int* socket) { ::close(*socket); });
  set_up(listener, place.timeout);
  checked(::bind(listener, own->ai_addr, own->ai_addrlen));
  checked(::listen(listener, place.size));
  const std::string token = made_up_token();
  const std::string told = token + port_of(listener) + " " + place.host;
  store.set(wire_key(place.rank), std::vector<std::uint8_t>(told.begin(), told.end()));
  for (int rank = 0; rank < place.rank; ++rank) connect_to(rank, store);
  accept_from_later(listener, token);
}

Wires::~Wires() {
  for (const int socket : sockets_) {
    if (socket >= 0) ::close(socket);
  }
}

void Wires::connect_to(int rank, c10d::Store& store) {
  const std::vector<std::uint8_t> bytes = store.get(wire_key(rank));
  const std::string told(bytes.begin(), bytes.end());
  const std::size_t space = told.find(' ');
  const Address other =
      address_of(told.substr(space + 1), told.substr(kTokenSize, space - kTokenSize));
  int& socket = sockets_[static_cast<std::size_t>(rank)];
  socket = checked(::socket(other->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  set_up(socket, place_.timeout);
  checked(::connect(socket, other->ai_addr, other->ai_addrlen));
  std::string greeting = told.substr(0, kTokenSize);
  const std::int32_t own = place_.rank;
  greeting.append(reinterpret_cast<const char*>(&own), sizeof own);
  send_all(socket, greeting);
}

void Wires::accept_from_later(int listener, const std::string& token) {
  for (int missing = place_.size - 1 - place_.rank; missing > 0;) {
    const int socket = checked(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    std::array<char, kGreeting> greeting{};
    std::int32_t rank = -1;
    try {
      set_up(socket, std::chrono::seconds(10));
      receive_all(socket, greeting);
      std::memcpy(&rank, greeting.data() + kTokenSize, sizeof rank);
    } catch (const std::exception&) {  // a stranger who is silent
    }
    const bool is_known = token == std::string_view(greeting.data(), kTokenSize) &&
                          rank > place_.rank && rank < place_.size &&
                          sockets_[static_cast<std::size_t>(rank)] < 0;
    if (!is_known) {
      ::close(socket);
      continue;
    }
    sockets_[static_cast<std::size_t>(rank)] = socket;
    set_up(socket, place_.timeout);
    --missing;
  }
}

void Wires::send(std::span<const char> bytes) const {
  for (const int socket : sockets_) {
    if (socket >= 0) send_all(socket, bytes);
  }
}

void Wires::receive(int rank, std::span<char> bytes) const {
  receive_all(sockets_[static_cast<std::size_t>(rank)], bytes);
}

void Wires::require_open() const {
  for (const int socket : sockets_) {
    char next = 0;
    if (socket < 0) continue;
    const ssize_t received = ::recv(socket, &next, sizeof next, MSG_PEEK | MSG_DONTWAIT);
    if (received == 0) throw std::runtime_error(kClosed);
    if (received < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) checked(-1);
  }
}

}  // namespace diptych
