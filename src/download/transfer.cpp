#include "download/transfer.h"

#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/error.h"
#include "download/robots.h"
#include "image/image.h"

namespace diptych {
namespace {

constexpr std::size_t kMostHeaderBytes = 128 << 10;
constexpr std::size_t kMostIgnoredBytes = 64 << 10;  // of an error's page, to keep the connection
constexpr std::size_t kMagicBytes = 12;

template <typename Value>
void set(CURL* easy, CURLoption option, Value value) {
  if (const CURLcode code = curl_easy_setopt(easy, option, value); code != CURLE_OK) {
    throw Error(ErrorKind::internal,
                std::string("libcurl refuses an option: ") + curl_easy_strerror(code));
  }
}

}  // namespace

Transfer::Transfer(const DownloadOptions& options, std::int64_t& buffered)
    : options_(options),
      buffered_(buffered),
      easy_(curl_easy_init(), curl_easy_cleanup),
      headers_(
          curl_slist_append(nullptr, "Accept: image/jpeg,image/png,image/webp,image/gif,*/*;q=0.1"),
          curl_slist_free_all) {
  CURL* easy = easy_.get();
  if (!easy) throw Error(ErrorKind::internal, "libcurl does not start");
  set(easy, CURLOPT_PRIVATE, this);
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(easy, CURLOPT_PROXY, "");  // a proxy would connect for us, to addresses that we do not see
  set(easy, CURLOPT_OPENSOCKETFUNCTION, &Transfer::open_socket);
  set(easy, CURLOPT_OPENSOCKETDATA, this);
  set(easy, CURLOPT_HEADERFUNCTION, &Transfer::read_header);
  set(easy, CURLOPT_HEADERDATA, this);
  set(easy, CURLOPT_WRITEFUNCTION, &Transfer::read_body);
  set(easy, CURLOPT_WRITEDATA, this);
  set(easy, CURLOPT_HTTPHEADER, headers_.get());
  set(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout_ms));
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout_ms));
  set(easy, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options.slow_bytes));
  set(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.slow_seconds));
  set(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(options.max_bytes));
}

void Transfer::start(const std::string& url) {
  set(easy_.get(), CURLOPT_URL, url.c_str());
  header_bytes_ = ignored_bytes_ = 0;
  disallowed_ = forbidden_ = paused_ = first_ = stopped_ = false;
}

curl_socket_t Transfer::open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!transfer.options_.addresses.permits(address->addr)) {
    transfer.forbidden_ = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t Transfer::read_header(char* data, std::size_t, std::size_t size, void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string_view line(data, size);
  constexpr std::string_view kRobots = "x-robots-tag:";
  transfer.header_bytes_ += size;
  if (transfer.header_bytes_ > kMostHeaderBytes) return transfer.stop(Reason::bad_answer);
  if (line.starts_with("HTTP/")) transfer.disallowed_ = false;  // an interim answer came before
  if (size > kRobots.size() && ::strncasecmp(data, kRobots.data(), kRobots.size()) == 0) {
    transfer.disallowed_ |= robots_disallow(line.substr(kRobots.size()));
  }
  const bool ends = line == "\r\n" || line == "\n";
  if (ends && transfer.disallowed_ && transfer.options_.heeds_robots && transfer.status() == 200) {
    return transfer.stop(Reason::disallowed);
  }
  return size;
}

std::size_t Transfer::read_body(char* data, std::size_t, std::size_t size, void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  try {
    return transfer.take_body({data, size});
  } catch (const std::bad_alloc&) {
    return transfer.stop(Reason::too_large);
  }
}

std::size_t Transfer::take_body(std::string_view bytes) {
  if (status() != 200) {
    ignored_bytes_ += bytes.size();
    return ignored_bytes_ > kMostIgnoredBytes ? stop(Reason::http_status) : bytes.size();
  }
  if (body_.size() + bytes.size() > static_cast<std::size_t>(options_.max_bytes)) {
    return stop(Reason::too_large);
  }
  const std::int64_t share = options_.max_buffered / options_.connections;
  if (buffered_ > options_.max_buffered && std::ssize(body_) > share && !first_) {
    paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  const bool is_told = body_.size() >= kMagicBytes;
  body_ += bytes;
  buffered_ += std::ssize(bytes);
  const bool tells = !is_told && body_.size() >= kMagicBytes;
  if (tells && image_format(body_) == ImageFormat::unknown) return stop(Reason::not_a_picture);
  return bytes.size();
}

// What the callbacks return to end the transfer.
std::size_t Transfer::stop(Reason reason) {
  stopped_ = true;
  stopped_for_ = reason;
  return 0;
}

void Transfer::go_on(bool first) {
  first_ = first;
  if (std::exchange(paused_, false)) curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
}

int Transfer::status() const {
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

Reason Transfer::reason_of(CURLcode code) const {
  if (stopped_) return stopped_for_;
  switch (code) {
    case CURLE_OK:
      if (status() != 200) return Reason::http_status;
      return image_format(body_) == ImageFormat::unknown ? Reason::not_a_picture : Reason::success;
    case CURLE_FILESIZE_EXCEEDED:
      return status() == 200 ? Reason::too_large : Reason::http_status;
    case CURLE_URL_MALFORMAT:
    case CURLE_LOGIN_DENIED:
      return Reason::bad_url;
    case CURLE_COULDNT_RESOLVE_HOST:
      return Reason::unknown_host;
    case CURLE_OPERATION_TIMEDOUT:
      return Reason::timed_out;
    case CURLE_COULDNT_CONNECT:
      return forbidden_ ? Reason::forbidden_address : Reason::cannot_connect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return Reason::tls_failure;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return Reason::broken_off;
    default:
      return Reason::bad_answer;
  }
}

Attempt Transfer::finish(CURLcode code) {
  Attempt attempt{reason_of(code), status(), "", 0, ""};
  buffered_ -= std::ssize(body_);
  if (attempt.reason == Reason::success) attempt.body = std::move(body_);
  body_ = {};
  if (attempt.reason != Reason::http_status) return attempt;
  char* target = nullptr;
  curl_off_t seconds = 0;
  if (curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &target) == CURLE_OK && target) {
    attempt.redirect = target;
  }
  curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &seconds);
  attempt.retry_after_s = static_cast<int>(std::min<curl_off_t>(seconds, INT32_MAX));
  return attempt;
}

}  // namespace diptych
