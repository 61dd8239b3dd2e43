// The processes that train one model together. They are equal but for their rank; all they ask of
// each other is to add up: what is the same in every process needs no sending, and what is one
// process' own is a sum in which the others are zero.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace at {
class Tensor;
}

namespace diptych {

// As such it is a process alone. Its calls are collective: every process makes the same ones in the
// same order. They throw Error{interrupted}, which names the process that was lost.
class World {
 public:
  virtual ~World() = default;
  virtual int rank() const { return 0; }
  virtual int size() const { return 1; }
  bool is_first() const { return rank() == 0; }

  // Begins to replace each number by its sum over all processes, the same bits in all of them.
  // tensor: contiguous, not to be touched before what is returned was called, which waits.
  virtual std::function<void()> begin_sum(at::Tensor tensor);
  // Tells the others why this process ends before its time.
  virtual void leave(const std::string&) {}

  void sum(const at::Tensor& tensor);
  std::string of_first(const std::string& bytes);
  // In the order of ranks. bytes: equally many in every process.
  std::vector<std::string> of_all(const std::string& bytes);
};

// Where the processes meet: at a store of keys, which the first of them keeps unless somebody else
// does (torchrun).
struct Meeting {
  int rank = 0, size = 1;
  std::string host;
  int port = 0;
  bool is_kept = false;
  std::string name;  // of this meeting at the store
};

// Over TCP, by Gloo; through the interface that leads to the host. Waits until all have come, and
// calls `waiting` meanwhile, which may throw. Throws Error{io} when there is no meeting.
std::unique_ptr<World> join_world(const Meeting& meeting, const std::function<void()>& waiting);

}  // namespace diptych
