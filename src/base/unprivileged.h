// For tests of what may not be read or written: permission bits do not bind root.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

namespace diptych {

// Until it goes, permissions bind even a test that runs as root.
class Unprivileged {
 public:
  Unprivileged() : was_root_(::geteuid() == 0) {
    constexpr ::uid_t kNobody = 65534;
    if (was_root_ && ::seteuid(kNobody) != 0) binds_ = false;
  }
  ~Unprivileged() {
    if (was_root_ && binds_ && ::seteuid(0) != 0) ADD_FAILURE() << "no way back to root";
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
  bool binds() const { return binds_; }

 private:
  bool was_root_, binds_ = true;
};

}  // namespace diptych
