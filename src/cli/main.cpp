// The program: parses, runs one command, and turns every error into one message and an exit code.
#include <CLI/CLI.hpp>

#include <csignal>
#include <iostream>
#include <new>

#include "base/error.h"
#include "cli/command.h"

namespace {

int report(const diptych::Error& error) {
  std::cerr << "diptych: error: " << error.full() << "\n";
  return diptych::error_row(error.kind()).exit_code;
}

int run(int argc, char** argv) {
  diptych::Action chosen;
  const auto app = diptych::make_app(chosen);
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app->exit(error);  // --help, --version
    return report(diptych::Error(diptych::ErrorKind::usage, error.what(), "",
                                 "see diptych --help, or --help behind a command"));
  }
  chosen();
  std::cout.flush();
  if (!std::cout) {
    throw diptych::Error(diptych::ErrorKind::io, "cannot write to the standard output");
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const diptych::Error& error) {
    return report(error);
  } catch (const std::bad_alloc&) {
    return report(diptych::Error(diptych::ErrorKind::io, "out of memory", "",
                                 "use fewer --jobs, a smaller --batch-size or --image-size"));
  } catch (const std::exception& error) {
    return report(diptych::Error(diptych::ErrorKind::internal, error.what(), "",
                                 "this is a fault of diptych: please report it"));
  }
}
