// One request of libcurl and the bounds it is held to: the address that is connected to, the bytes
// of headers and body, the time, what the server permits, and whether a picture is coming at all.
// Follows no redirect and tries nothing again: downloader.h does.
#pragma once
#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "download/address.h"
#include "download/outcome.h"

namespace diptych {

struct DownloadOptions {
  int connections = 256;
  int per_host = 8;
  int connect_timeout_ms = 10'000;
  int timeout_ms = 60'000;  // of one try, from the first packet to the last
  int slow_bytes = 1000;    // a second, over slow_seconds: less is too slow
  int slow_seconds = 10;
  int retries = 2;
  int backoff_ms = 1000;           // doubled with each try
  int longest_retry_after_s = 60;  // a server that asks for more is not asked again
  int redirects = 5;
  std::int64_t max_bytes = 20 << 20;      // of one picture
  std::int64_t max_buffered = 128 << 20;  // of all pictures under way, about: see downloader.h
  bool heeds_robots = true;
  std::string user_agent = "diptych/" DIPTYCH_VERSION;
  AddressRule addresses;
};

// What one try gave.
struct Attempt {
  Reason reason{};
  int http_status = 0;
  std::string redirect;  // whole URL; empty: none
  int retry_after_s = 0;
  std::string body;  // of a success
};

class Transfer {
 public:
  // buffered: bytes of all bodies under way, to which this one's are added while it lasts.
  Transfer(const DownloadOptions& options, std::int64_t& buffered);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void start(const std::string& url);  // the caller adds easy() to a multi handle
  Attempt finish(CURLcode code);       // after the caller has removed it
  CURL* easy() const { return easy_.get(); }

  // Whether it waits for memory; go_on() lets it ask again, and as the first have what it needs.
  bool is_paused() const { return paused_; }
  bool is_first() const { return first_; }
  void go_on(bool first);

 private:
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept;
  static std::size_t read_header(char* data, std::size_t, std::size_t size, void* self) noexcept;
  static std::size_t read_body(char* data, std::size_t, std::size_t size, void* self) noexcept;
  std::size_t take_body(std::string_view bytes);
  std::size_t stop(Reason reason);
  int status() const;
  Reason reason_of(CURLcode code) const;

  const DownloadOptions& options_;
  std::int64_t& buffered_;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_;
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers_;
  std::string body_;
  std::size_t header_bytes_ = 0, ignored_bytes_ = 0;
  bool disallowed_ = false, forbidden_ = false, paused_ = false, first_ = false;
  bool stopped_ = false;
  Reason stopped_for_{};
};

}  // namespace diptych
