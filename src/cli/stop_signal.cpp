#include "cli/stop_signal.h"

#include <array>
#include <atomic>
#include <csignal>

#include "base/error.h"

namespace diptych {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM};
std::atomic<int> raised{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may set it");

extern "C" void note_signal(int number) {
  raised = number;
  for (int other : kSignals) std::signal(other, SIG_DFL);
}

}  // namespace

StopSignal::StopSignal() {
  raised = 0;
  std::signal(SIGPIPE, SIG_IGN);
  for (int number : kSignals) {
    if (std::signal(number, note_signal) == SIG_IGN) std::signal(number, SIG_IGN);
  }
}

StopSignal::~StopSignal() {
  std::signal(SIGPIPE, SIG_DFL);
  struct sigaction now {};
  for (int number : kSignals) {
    ::sigaction(number, nullptr, &now);
    if (now.sa_handler == note_signal) std::signal(number, SIG_DFL);
  }
}

void StopSignal::throw_if_raised() {
  if (raised == 0) return;
  throw Error(ErrorKind::interrupted, raised == SIGINT ? "stopped by SIGINT" : "stopped by SIGTERM",
              "", "go on with the same command and --resume");
}

}  // namespace diptych
