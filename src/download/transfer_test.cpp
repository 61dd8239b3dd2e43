#include "download/transfer.h"

#include <gtest/gtest.h>

#include "download/local_server.h"

namespace diptych {
namespace {

TEST(Transfer, GivesBackTheMemoryThatItsBodyTookWhateverBecomesOfIt) {
  const LocalServer server;
  const DownloadOptions options = local_options();
  constexpr std::int64_t kOfOthers = 7;
  std::int64_t buffered = kOfOthers;
  Transfer transfer(options, buffered);
  for (const char* kind : {"of_largest_size", "endless_picture", "html", "resets_midway",
                           "shorter_than_announced", "not_found", "jpeg_picture"}) {
    transfer.start(server.url(std::string(kind) + "/1"));
    const CURLcode code = curl_easy_perform(transfer.easy());
    const std::int64_t before = buffered;
    const Attempt attempt = transfer.finish(code);
    EXPECT_EQ(buffered, kOfOthers) << kind;
    const bool has_body = attempt.reason == Reason::success;
    EXPECT_EQ(has_body, !attempt.body.empty()) << kind;
    EXPECT_TRUE(!has_body || before - kOfOthers == std::ssize(attempt.body)) << kind;
    EXPECT_LE(before - kOfOthers, options.max_bytes) << kind;
  }
}

}  // namespace
}  // namespace diptych
