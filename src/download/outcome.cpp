#include "download/outcome.h"

#include <fmt/format.h>

#include <array>

namespace diptych {
namespace {

constexpr const char* kDownload = "failed_to_download";
constexpr const char* kPicture = "failed_to_resize";

constexpr std::array<ReasonRow, 16> kTable{{
    {Reason::success, "success", "success", false},
    {Reason::bad_url, "not a URL of http or https", kDownload, false},
    {Reason::forbidden_address, "forbidden address", kDownload, false},
    {Reason::unknown_host, "unknown host", kDownload, true},
    {Reason::cannot_connect, "cannot connect", kDownload, true},
    {Reason::tls_failure, "TLS failure", kDownload, false},
    {Reason::timed_out, "timed out", kDownload, true},
    {Reason::broken_off, "broken off", kDownload, true},
    {Reason::bad_answer, "not an answer of HTTP", kDownload, false},
    {Reason::http_status, "HTTP status", kDownload, false},
    {Reason::too_many_redirects, "too many redirects", kDownload, false},
    {Reason::too_large, "too large", kDownload, false},
    {Reason::disallowed, "disallowed by X-Robots-Tag", kDownload, false},
    {Reason::not_a_picture, "not a picture", kPicture, false},
    {Reason::damaged_picture, "damaged picture", kPicture, false},
    {Reason::another_picture, "another picture", "swapped", false},
}};

}  // namespace

const ReasonRow& reason_row(Reason reason) { return kTable[static_cast<std::size_t>(reason)]; }

std::string reason_text(Reason reason, int http_status) {
  const char* text = reason_row(reason).text;
  return reason == Reason::http_status ? fmt::format("{} {}", text, http_status) : text;
}

}  // namespace diptych
