// Errors: one exception type for everything that ends a command, and the one table that says what
// each kind means to a shell (exit code), to an HTTP client (status) and to a reader.
#pragma once
#include <span>
#include <stdexcept>
#include <string>

namespace diptych {

enum class ErrorKind {
  usage,        // the command line or an option is wrong
  config,       // a configuration file or value is wrong
  not_found,    // a file or folder that was named is not there
  exists,       // the output is already there
  io,           // reading or writing failed: permissions, full disk
  data,         // a table, a row or a whole dataset cannot be used
  image,        // a picture cannot be read
  model_file,   // a model or checkpoint file is damaged or not ours
  numeric,      // training diverged: too many non-finite steps
  interrupted,  // by a signal, or as another process was lost; the last good state is on disk
  internal,     // a fault of the program
};

struct ErrorRow {
  ErrorKind kind;
  const char* name;
  int exit_code;
  int http_status;
  const char* meaning;
};

// One row per kind, in the order of the enumeration.
std::span<const ErrorRow> error_table();
const ErrorRow& error_row(ErrorKind kind);

// What ends a command. what() is "message" alone; full() adds where and hint for a person.
class Error : public std::runtime_error {
 public:
  // where: file, row, column, the offending text; may be empty. hint: what to do; may be empty.
  Error(ErrorKind kind, const std::string& message, std::string where = "", std::string hint = "")
      : std::runtime_error(message),
        kind_(kind),
        where_(std::move(where)),
        hint_(std::move(hint)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& where() const { return where_; }
  const std::string& hint() const { return hint_; }
  std::string full() const;  // "WHERE: MESSAGE\n  HINT"

 private:
  ErrorKind kind_;
  std::string where_;
  std::string hint_;
};

// "did you mean 'NEAREST'?" for the candidate with the least edit distance to what was given;
// empty when none is near.
std::string did_you_mean(const std::string& given, std::span<const std::string> candidates);

}  // namespace diptych
