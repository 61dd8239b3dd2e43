// Where the time of a training goes: parts of the forward pass are named by scopes, and every node
// of the backward pass counts for the part that made it, found by torch's sequence numbers. One
// thread's own work; without a Profile a scope costs one look at a pointer.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace diptych {

struct ProfilePart {
  std::string name;
  double forward_ms = 0, backward_ms = 0;  // of this thread's time, parts inside it not counted
};

// Records what this thread does while it lives; one at a time for each thread.
class Profile {
 public:
  Profile();
  ~Profile();
  // In the order of their first start; the last is what no scope names.
  std::vector<ProfilePart> parts() const;
  // Every operator, scope and backward node in Chrome's trace format, which Perfetto opens.
  std::string trace() const;
  struct Recorder;

 private:
  std::unique_ptr<Recorder> recorder_;
};

// Names what happens until the end of the block; scopes may stand inside each other.
class ProfileScope {
 public:
  explicit ProfileScope(std::string name);
  ~ProfileScope();
  ProfileScope(const ProfileScope&) = delete;

 private:
  std::size_t place_ = 0;
};

// parts as a table: milliseconds forward and backward, and shares of all; largest first.
std::string profile_table(const std::vector<ProfilePart>& parts, int steps);

}  // namespace diptych
