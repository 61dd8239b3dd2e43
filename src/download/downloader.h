// Many URLs at once, by libcurl's multi interface in the calling thread: hundreds of connections,
// few to one host; redirects followed one by one, each under the same rules; what may pass is tried
// again, later and later, and not before the server wants it.
#pragma once
#include <functional>
#include <optional>

#include "download/transfer.h"

namespace diptych {

struct UrlRequest {
  std::int64_t ticket = 0;  // the caller's own
  std::string url;
};

struct Answer {
  std::int64_t ticket = 0;
  Reason reason{};
  int http_status = 0;
  std::string body;  // of a success: complete, at most max_bytes, begins as a picture does
};

struct DownloadCalls {
  std::function<std::optional<UrlRequest>()> next;  // nothing: not now
  std::function<bool()> has_more;                   // whether next() may yet give something
  std::function<void(Answer)> done;                 // once for each request; may block
  std::function<void()> tick;                       // ten times a second or more
};

// Returns when each request has its answer. What a call throws ends all transfers.
// Memory: max_buffered for bodies under way, as much again for bodies that are below their share of
// it, and one whole body more; about sixteen requests a connection are read ahead.
void download(const DownloadOptions& options, const DownloadCalls& calls);

}  // namespace diptych
