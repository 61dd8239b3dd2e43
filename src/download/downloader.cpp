#include "download/downloader.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <list>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"

namespace diptych {
namespace {

// Rows that are known for each connection: some of them wait for slow hosts while others do not.
constexpr std::int64_t kAhead = 16;

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct Job {
  UrlRequest request;
  std::string url;  // of the next try: the request's, or where it was redirected to
  std::string host;
  int redirects = 0, retries = 0;
};

struct Host {
  std::deque<Job> waiting;
  int active = 0;
  bool is_queued = false;
  bool is_blocked = false;  // until the time it asked for
};

void require(CURLMcode code) {
  if (code == CURLM_OK) return;
  throw Error(ErrorKind::internal, std::string("libcurl: ") + curl_multi_strerror(code));
}

// Of a URL that may be asked for at all: http or https, without a user. Spaces, which many lists
// have in their URLs, are written as they have to be.
std::optional<std::string> host_of(std::string& url) {
  for (auto at = url.find(' '); at != std::string::npos; at = url.find(' ', at)) {
    url.replace(at, 1, "%20");
  }
  if (url.find('\0') != std::string::npos) return {};
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), which, &text, 0) != CURLUE_OK) return std::string();
    const std::unique_ptr<char, decltype(&curl_free)> owner(text, curl_free);
    return std::string(text);
  };
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK) {
    return {};
  }
  const std::string scheme = part(CURLUPART_SCHEME), host = part(CURLUPART_HOST);
  if ((scheme != "http" && scheme != "https") || host.empty()) return {};
  return host;
}

bool may_pass(const Attempt& attempt) {
  constexpr std::array kStatuses = {408, 425, 429, 500, 502, 503, 504};
  return reason_row(attempt.reason).may_pass ||
         (attempt.reason == Reason::http_status &&
          std::find(kStatuses.begin(), kStatuses.end(), attempt.http_status) != kStatuses.end());
}

class Downloader {
 public:
  Downloader(const DownloadOptions& options, const DownloadCalls& calls)
      : options_(options), calls_(calls), multi_(curl_multi_init(), curl_multi_cleanup) {
    if (!multi_) throw Error(ErrorKind::internal, "libcurl does not start");
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options.connections));
    for (int i = 0; i < options.connections; ++i) {
      idle_.push_back(std::make_unique<Transfer>(options_, buffered_));
    }
  }
  ~Downloader() {
    for (const Active& active : active_) {
      curl_multi_remove_handle(multi_.get(), active.transfer->easy());
    }
  }
  Downloader(const Downloader&) = delete;
  Downloader& operator=(const Downloader&) = delete;

  void run() {
    for (;;) {
      read_ahead();
      start_jobs();
      if (is_over()) return;
      int running = 0;
      require(curl_multi_perform(multi_.get(), &running));
      collect();
      share_memory();
      run_timers();
      calls_.tick();
      require(curl_multi_poll(multi_.get(), nullptr, 0, patience_ms(), nullptr));
    }
  }

 private:
  struct Active {
    std::unique_ptr<Transfer> transfer;
    Job job;
  };

  bool is_over() const { return active_.empty() && waiting_ == 0 && !calls_.has_more(); }

  void read_ahead() {
    while (waiting_ < kAhead * options_.connections) {
      auto request = calls_.next();
      if (!request) return;
      Job job{std::move(*request), "", ""};
      job.url = job.request.url;
      enqueue(std::move(job));
    }
  }

  void enqueue(Job job) {
    const auto host = host_of(job.url);
    if (!host) return answer(job, {Reason::bad_url, 0, "", 0, ""});
    job.host = *host;
    Host& queue = hosts_[*host];
    queue.waiting.push_back(std::move(job));
    ++waiting_;
    offer(*host, queue);
  }

  // Puts a host in the row of those that a job can be taken from.
  void offer(const std::string& name, Host& host) {
    if (host.waiting.empty() && host.active == 0 && !host.is_blocked && !host.is_queued) {
      hosts_.erase(name);
      return;
    }
    if (host.is_queued || host.is_blocked || host.waiting.empty() ||
        host.active >= options_.per_host) {
      return;
    }
    host.is_queued = true;
    ready_.push_back(name);
  }

  void start_jobs() {
    while (!idle_.empty() && !ready_.empty()) {
      const std::string name = std::move(ready_.front());
      ready_.pop_front();
      Host& host = hosts_.at(name);
      host.is_queued = false;
      if (host.is_blocked) continue;  // since it was offered
      Active active{std::move(idle_.back()), std::move(host.waiting.front())};
      idle_.pop_back();
      host.waiting.pop_front();
      --waiting_;
      ++host.active;
      offer(name, host);
      active.transfer->start(active.job.url);
      CURL* easy = active.transfer->easy();
      active_.push_back(std::move(active));
      require(curl_multi_add_handle(multi_.get(), easy));
    }
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* const easy = message->easy_handle;
      const CURLcode code = message->data.result;  // the message goes with the handle
      const auto found = std::find_if(active_.begin(), active_.end(), [&](const Active& active) {
        return active.transfer->easy() == easy;
      });
      curl_multi_remove_handle(multi_.get(), easy);
      Active active = std::move(*found);
      active_.erase(found);
      Attempt attempt = active.transfer->finish(code);
      idle_.push_back(std::move(active.transfer));
      --hosts_.at(active.job.host).active;
      const std::string host = active.job.host;
      conclude(std::move(active.job), std::move(attempt));
      if (const auto left_behind = hosts_.find(host); left_behind != hosts_.end()) {
        offer(host, left_behind->second);
      }
    }
  }

  void conclude(Job job, Attempt attempt) {
    if (!attempt.redirect.empty()) {
      if (++job.redirects > options_.redirects) attempt.reason = Reason::too_many_redirects;
      if (job.redirects > options_.redirects) return answer(job, std::move(attempt));
      job.url = std::move(attempt.redirect);
      return enqueue(std::move(job));
    }
    const bool too_late = attempt.retry_after_s > options_.longest_retry_after_s;
    if (!may_pass(attempt) || job.retries >= options_.retries || too_late) {
      return answer(job, std::move(attempt));
    }
    const milliseconds asked(1000 * attempt.retry_after_s);
    if (asked.count() > 0) block(job.host, asked);
    const double spread = Rng(hash64(job.url), {static_cast<std::uint64_t>(job.retries)}).uniform();
    const milliseconds own(
        static_cast<int>(options_.backoff_ms * (1 << job.retries) * (0.5 + spread)));
    ++job.retries;
    ++waiting_;
    timers_.emplace(Clock::now() + std::max(asked, own), [this, job = std::move(job)]() mutable {
      --waiting_;
      enqueue(std::move(job));
    });
  }

  void block(const std::string& name, milliseconds time) {
    Host& host = hosts_.at(name);
    if (std::exchange(host.is_blocked, true)) return;
    timers_.emplace(Clock::now() + time, [this, name] {
      Host& blocked = hosts_.at(name);
      blocked.is_blocked = false;
      offer(name, blocked);
    });
  }

  void answer(const Job& job, Attempt attempt) {
    calls_.done({job.request.ticket, attempt.reason, attempt.http_status, std::move(attempt.body)});
  }

  // Those that wait for memory go on when there is some; else one alone, the oldest of them.
  void share_memory() {
    const bool is_short = buffered_ > options_.max_buffered;
    const auto is_first = [](const Active& active) { return active.transfer->is_first(); };
    if (is_short && std::any_of(active_.begin(), active_.end(), is_first)) return;
    for (Active& active : active_) {
      if (!active.transfer->is_paused()) continue;
      active.transfer->go_on(is_short);
      if (is_short) return;
    }
  }

  void run_timers() {
    while (!timers_.empty() && timers_.begin()->first <= Clock::now()) {
      auto timer = timers_.extract(timers_.begin());
      timer.mapped()();
    }
  }

  int patience_ms() const {
    constexpr milliseconds kMost(100);
    if (is_over() || (!idle_.empty() && !ready_.empty())) return 0;  // no socket would wake us
    if (timers_.empty()) return kMost.count();
    const auto left =
        std::chrono::duration_cast<milliseconds>(timers_.begin()->first - Clock::now());
    return static_cast<int>(std::clamp(left + milliseconds(1), milliseconds(0), kMost).count());
  }

  const DownloadOptions& options_;
  const DownloadCalls& calls_;
  std::int64_t buffered_ = 0;
  std::int64_t waiting_ = 0;  // jobs that are neither active nor answered
  std::unordered_map<std::string, Host> hosts_;
  std::deque<std::string> ready_;
  std::multimap<Clock::time_point, std::function<void()>> timers_;
  std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_;
  std::vector<std::unique_ptr<Transfer>> idle_;
  std::list<Active> active_;  // the oldest first
};

}  // namespace

void download(const DownloadOptions& options, const DownloadCalls& calls) {
  Downloader(options, calls).run();
}

}  // namespace diptych
