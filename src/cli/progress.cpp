#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>

namespace diptych {
namespace {

constexpr int kBarWidth = 20;
constexpr std::chrono::milliseconds kInterval(100);

std::string bar(double share) {
  const int full = static_cast<int>(std::clamp(share, 0.0, 1.0) * kBarWidth);
  std::string text;
  for (int i = 0; i < kBarWidth; ++i) text += i < full ? "━" : "─";
  return text;
}

}  // namespace

Progress::Progress(bool speaks)
    : speaks_(speaks), terminal_(speaks && ::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (shown_) std::cerr << "\r\033[K" << std::flush;
  shown_ = false;
}

void Progress::live(double share, const std::string& text) {
  if (!terminal_) return;
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < kInterval) return;
  last_ = now;
  std::cerr << fmt::format("\r\033[K{} {:3.0f} % {}", bar(share), 100 * share, text) << std::flush;
  shown_ = true;
}

void Progress::line(const std::string& text) {
  if (!speaks_) return;
  const std::lock_guard lock(mutex_);
  clear();
  std::cerr << text << "\n" << std::flush;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(std::llround(std::max(0.0, seconds)));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace diptych
