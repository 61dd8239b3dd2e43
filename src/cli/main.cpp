// The program: parses, runs one command, and turns every error into one message and an exit code.
#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <new>

#include "base/error.h"
#include "base/memory.h"
#include "cli/command.h"
#include "nn/tensor_memory.h"

namespace {

using diptych::Error;
using diptych::ErrorKind;

int report(const Error& error) {
  std::cerr << "diptych: error: " + error.full() + "\n";  // whole, where other processes write too
  return diptych::error_row(error.kind()).exit_code;
}

// A stream that is closed would lend its number, and what is printed, to the next file that is
// opened. /dev/full takes the number and refuses what is written.
void occupy_closed_streams() {
  for (int stream = 0; stream < 3; ++stream) {
    if (::fcntl(stream, F_GETFD) == -1) ::open("/dev/full", O_RDWR);  // takes the least free number
  }
}

void flush_output() {
  std::cout.flush();
  if (!std::cout) throw Error(ErrorKind::io, "cannot write to the standard output");
}

int run(int argc, char** argv) {
  diptych::Action chosen;
  const auto app = diptych::make_app(chosen);
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) throw diptych::usage_error(*app, error.what());
    app->exit(error);  // --help, --version
    chosen = [] {};
  }
  chosen();
  flush_output();
  return 0;
}

int guarded(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    return report(error);
  } catch (const std::bad_alloc&) {
    return report(Error(ErrorKind::io, "out of memory", "",
                        "use fewer --jobs, a smaller --batch-size or --image-size"));
  } catch (const std::exception& error) {
    return report(Error(ErrorKind::internal, error.what(), "",
                        "this is a fault of diptych: please report it"));
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a write beyond the limit fails instead, and is told
  occupy_closed_streams();
  diptych::keep_freed_memory();
  diptych::use_refillable_tensor_memory();
  const int status = guarded(argc, argv);
  std::cerr.flush();
  // All that matters is written and closed: libtorch would take 60 ms to tidy up what goes anyway.
  std::_Exit(status);
}
