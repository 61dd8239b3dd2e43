// What became of one URL, in a closed list of reasons: everything that is counted, told and written
// by reason is driven by its table.
#pragma once
#include <string>

namespace diptych {

enum class Reason {
  success,
  bad_url,            // not http or https, or with a user's name in it
  forbidden_address,  // see address.h
  unknown_host,
  cannot_connect,
  tls_failure,
  timed_out,   // too long in all, or too slow
  broken_off,  // reset, or shorter than announced
  bad_answer,  // not HTTP, or headers without end
  http_status,
  too_many_redirects,
  too_large,
  disallowed,     // by X-Robots-Tag
  not_a_picture,  // by its leading bytes
  damaged_picture,
  another_picture,  // than the one whose perceptual hash was listed
};

struct ReasonRow {
  Reason reason;
  const char* text;    // "cannot connect"
  const char* status;  // as img2dataset has it: success, failed_to_download, failed_to_resize; or
                       // ours: swapped
  bool may_pass;       // worth another try
};
const ReasonRow& reason_row(Reason reason);

// Of a table and of a row: the reason, with the number of an HTTP status.
std::string reason_text(Reason reason, int http_status);

}  // namespace diptych
