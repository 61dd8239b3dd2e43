// Progress on stderr: one live line on a terminal, plain lines otherwise.
#pragma once
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

namespace diptych {

class Progress {
 public:
  explicit Progress(bool speaks = true);  // of several processes one does
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Replaces the live line; shown at most ten times a second, and not at all without a terminal.
  void live(double share, const std::string& text);
  // A line that stays.
  void line(const std::string& text);

 private:
  void clear();
  bool speaks_, terminal_;
  bool shown_ = false;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point last_{};
};

// "1:05" or "1:02:03".
std::string clock_text(double seconds);

}  // namespace diptych
