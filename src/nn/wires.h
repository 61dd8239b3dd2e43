// A connection to every other process of a world, for a few bytes at a time. What Gloo carries goes
// through threads of its own, and to wake these takes ten times as long as the way itself.
#pragma once
#include <torch/torch.h>

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace diptych {

struct Place {
  int rank = 0, size = 1;
  std::string host;  // the address of this process that the others reach it by
  // How long one operation may take, whatever the others are doing meanwhile.
  std::chrono::milliseconds timeout = std::chrono::minutes(10);
};

// All throw std::exception where a connection is lost or silent for too long.
class Wires {
 public:
  Wires(c10d::Store& store, const Place& place);  // waits until all are connected
  ~Wires();
  Wires(const Wires&) = delete;
  Wires& operator=(const Wires&) = delete;

  void send(std::span<const char> bytes) const;  // to all others
  void receive(int rank, std::span<char> bytes) const;
  void require_open() const;  // all of them, where nothing is under way

 private:
  void connect_to(int rank, c10d::Store& store);
  void accept_from_later(int listener, const std::string& token);

  Place place_;
  std::vector<int> sockets_;  // by rank; -1: none
};

}  // namespace diptych
