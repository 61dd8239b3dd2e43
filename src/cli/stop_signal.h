// SIGINT and SIGTERM ask a long command to stop at its next step; a second one ends it at once.
// Meanwhile a log whose reader has gone ends nothing. The handlers are the program's: the library
// below knows of no signal, its callbacks may throw.
#pragma once

namespace diptych {

class StopSignal {
 public:
  StopSignal();   // listens; a signal that the process was told to ignore stays ignored
  ~StopSignal();  // no longer
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // Throws Error{interrupted} once a signal has come. From any thread.
  static void throw_if_raised();
};

}  // namespace diptych
