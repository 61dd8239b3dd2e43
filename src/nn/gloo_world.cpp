#include "nn/gloo_world.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "base/error.h"

namespace diptych {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kMoment(20);
constexpr const char* kGoOn = "run the same command with --resume";

std::string left_key(int rank) { return fmt::format("left/{}", rank); }
std::string here_key(int rank) { return fmt::format("here/{}", rank); }

c10::intrusive_ptr<c10d::ProcessGroupGloo::Options> options_for(const Place& place) {
  auto options = c10d::ProcessGroupGloo::Options::create(place.timeout);
  options->devices = {c10d::ProcessGroupGloo::createDeviceForHostname(place.host)};
  return options;
}

std::unique_ptr<Board> board_of(c10d::Store& store, const Place& place) {
  try {
    return std::make_unique<Board>(store, place);
  } catch (const std::exception&) {  // then over connections
    return nullptr;
  }
}

[[noreturn]] void refuse_meeting(const Meeting& meeting, const std::string& why) {
  throw Error(ErrorKind::io, "the processes cannot meet: " + why,
              fmt::format("{}:{}", meeting.host, meeting.port),
              "start them with torchrun, or give all the same MASTER_ADDR and MASTER_PORT");
}

// The address of this machine on the way to the meeting: a datagram socket finds it and sends none.
std::string own_address(const Meeting& meeting) {
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_socktype = SOCK_DGRAM;
  const std::string port = std::to_string(meeting.port);
  if (const int error = ::getaddrinfo(meeting.host.c_str(), port.c_str(), &wanted, &found)) {
    refuse_meeting(meeting, ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  const int socket = ::socket(found->ai_family, SOCK_DGRAM, 0);
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  char name[NI_MAXHOST] = "";
  const bool known = socket >= 0 && ::connect(socket, found->ai_addr, found->ai_addrlen) == 0 &&
                     ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) == 0 &&
                     ::getnameinfo(reinterpret_cast<sockaddr*>(&own), size, name, sizeof name,
                                   nullptr, 0, NI_NUMERICHOST) == 0;
  if (socket >= 0) ::close(socket);
  if (!known) refuse_meeting(meeting, "there is no way to that host");
  return name;
}

void wait_for_all(c10d::Store& store, const Meeting& meeting,
                  const std::function<void()>& waiting) {
  std::vector<std::string> all;
  for (int rank = 0; rank < meeting.size; ++rank) all.push_back(here_key(rank));
  store.set(here_key(meeting.rank), std::vector<std::uint8_t>{1});
  while (!store.check(all)) {
    waiting();
    std::this_thread::sleep_for(kMoment);
  }
}

}  // namespace

GlooWorld::GlooWorld(c10::intrusive_ptr<c10d::Store> store, const Place& place, bool uses_board)
    : store_(std::move(store)),
      place_(place),
      wires_(*store_, place),
      board_(uses_board && place.size > 1 ? board_of(*store_, place) : nullptr),
      group_(store_, place.rank, place.size, options_for(place)) {}

std::function<void()> GlooWorld::begin_sum(at::Tensor tensor) {
  if (tensor.numel() == 0) return [] {};
  try {
    return [this, wait = begin(tensor)] {
      try {
        wait();
      } catch (const std::exception& error) {
        blame(error.what());
      }
    };
  } catch (const std::exception& error) {
    blame(error.what());
  }
}

std::function<void()> GlooWorld::begin(const at::Tensor& tensor) {
  constexpr std::size_t kFew = 1 << 14;  // bytes
  if (board_ && board_->has_room(tensor.nbytes())) return begin_showing(tensor);
  return tensor.nbytes() <= kFew ? begin_exchange(tensor) : begin_ring(tensor);
}

// In the order of ranks, so that all processes get the same bits.
std::function<void()> GlooWorld::begin_showing(const at::Tensor& tensor) {
  const Board::Notice notice =
      board_->show({static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()});
  return [this, sum = tensor, notice]() mutable {
    const auto shown = [&](int rank) {
      const void* numbers = board_->read(notice, rank, [this] { wires_.require_open(); });
      return at::from_blob(const_cast<void*>(numbers), sum.sizes(), sum.options());
    };
    at::add_out(sum, shown(0), shown(1));
    for (int rank = 2; rank < place_.size; ++rank) sum.add_(shown(rank));
    board_->done();
  };
}

std::function<void()> GlooWorld::begin_ring(const at::Tensor& tensor) {
  std::vector<at::Tensor> tensors{tensor};
  return [work = group_.allreduce(tensors)] { work->wait(); };
}

std::function<void()> GlooWorld::begin_exchange(const at::Tensor& tensor) {
  auto exchange = std::make_shared<Exchange>();
  for (int rank = 0; rank < place_.size; ++rank) {
    exchange->parts.push_back(rank == place_.rank ? tensor : at::empty_like(tensor));
  }
  wires_.send({static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()});
  under_way_.push_back(exchange);
  // In the order of ranks, so that all processes get the same bits.
  return [this, exchange] {
    receive_until(*exchange);
    std::vector<at::Tensor>& parts = exchange->parts;
    for (std::size_t rank = 1; rank < parts.size(); ++rank) parts[0].add_(parts[rank]);
    if (place_.rank > 0) parts[static_cast<std::size_t>(place_.rank)].copy_(parts[0]);
  };
}

// What was sent first comes first, whichever is waited for.
void GlooWorld::receive_until(const Exchange& exchange) {
  for (; !exchange.is_here; under_way_.pop_front()) {
    Exchange& next = *under_way_.front();
    for (int rank = 0; rank < place_.size; ++rank) {
      const at::Tensor& part = next.parts[static_cast<std::size_t>(rank)];
      if (rank == place_.rank) continue;
      wires_.receive(rank, {static_cast<char*>(part.data_ptr()), part.nbytes()});
    }
    next.is_here = true;
  }
}

void GlooWorld::leave(const std::string& reason) {
  if (std::exchange(has_left_, true)) return;
  try {
    const std::string marked = "." + reason;  // a store may take an empty value for none
    store_->set(left_key(place_.rank), std::vector<std::uint8_t>(marked.begin(), marked.end()));
  } catch (const std::exception&) {  // whoever kept the store is gone, and so will the others be
  }
}

// One process that fails makes all others fail, so those that are there soon say so.
std::vector<std::optional<std::string>> GlooWorld::reasons() {
  constexpr std::chrono::seconds kOneIsMissing(1), kMoreAreMissing(10);
  std::vector<std::optional<std::string>> reasons(static_cast<std::size_t>(place_.size));
  const auto start = Clock::now();
  for (bool waits = true; waits; std::this_thread::sleep_for(kMoment)) {
    for (int rank = 0; rank < place_.size; ++rank) {
      auto& reason = reasons[static_cast<std::size_t>(rank)];
      if (reason || !store_->check({left_key(rank)})) continue;
      const std::vector<std::uint8_t> marked = store_->get(left_key(rank));
      reason = std::string(marked.begin() + 1, marked.end());
    }
    const auto missing = std::count(reasons.begin(), reasons.end(), std::nullopt);
    waits = missing > 0 && Clock::now() - start < (missing > 1 ? kMoreAreMissing : kOneIsMissing);
  }
  return reasons;
}

void GlooWorld::blame(const std::string& failure) {
  leave("");
  std::vector<std::optional<std::string>> found;
  try {
    found = reasons();
  } catch (const std::exception&) {
    throw Error(ErrorKind::interrupted,
                fmt::format("process 0 of {} was lost, where the others met", place_.size), "",
                kGoOn);
  }
  std::vector<std::string> causes;
  for (int rank = 0; rank < place_.size; ++rank) {
    const auto& reason = found[static_cast<std::size_t>(rank)];
    const std::string who = fmt::format("process {} of {} ", rank, place_.size);
    if (!reason) causes.push_back(who + "was lost");
    if (reason && !reason->empty()) causes.push_back(who + "ended: " + *reason);
  }
  if (causes.empty()) causes.push_back("the processes lost touch: " + failure);
  throw Error(ErrorKind::interrupted, fmt::format("{}", fmt::join(causes, "; ")), "", kGoOn);
}

std::unique_ptr<World> join_world(const Meeting& meeting, const std::function<void()>& waiting) {
  if (meeting.size == 1) return std::make_unique<World>();
  const std::string address = own_address(meeting);
  try {
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(meeting.port);
    options.isServer = meeting.rank == 0 && !meeting.is_kept;
    options.waitWorkers = false;
    auto store = c10::make_intrusive<c10d::PrefixStore>(
        meeting.name, c10::make_intrusive<c10d::TCPStore>(meeting.host, options));
    wait_for_all(*store, meeting, waiting);
    return std::make_unique<GlooWorld>(store, Place{meeting.rank, meeting.size, address});
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    const std::string why = error.what();
    refuse_meeting(meeting, why.substr(0, why.find('\n')));
  }
}

}  // namespace diptych
