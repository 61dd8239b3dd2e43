#include "download/downloader.h"

#include <gmock/gmock.h>

#include <set>

#include "download/local_server.h"
#include "image/image.h"

namespace diptych {
namespace {

const LocalServer& server() {
  static const LocalServer server;
  return server;
}

std::string outcome(const Answer& answer) {
  if (answer.reason != Reason::success) return reason_text(answer.reason, answer.http_status);
  try {
    decode_image(answer.body, {});
    return "success";
  } catch (const Error&) {
    return reason_text(Reason::damaged_picture, 0);
  }
}

Answer download_one(const DownloadOptions& options, const std::string& path) {
  return download_all(options, {server().url(path)}).front();
}

int times_seen(const std::string& path) { return server().seen()["/" + path]; }

bool is_among(const std::string& expected, const std::string& got) {
  return ("|" + expected + "|").find("|" + got + "|") != std::string::npos;
}

TEST(Download, EveryKindOfServerGetsItsReasonWhileOthersAreUnderWay) {
  std::vector<std::string> urls, expected;
  for (const char* number : {"1", "2", "3"}) {
    for (const auto& [kind, reason] : bad_kinds()) {
      if (reason == "timed out") continue;  // needs impatience: below
      urls.push_back(server().url(kind + "/" + number));
      expected.push_back(reason);
    }
  }
  ASSERT_GT(urls.size(), 3U * 45);
  const std::vector<Answer> answers = download_all(local_options(), urls);
  for (std::size_t i = 0; i < urls.size(); ++i) {
    const std::string got = outcome(answers[i]);
    EXPECT_TRUE(is_among(expected[i], got)) << urls[i] << ": " << got << ", not " << expected[i];
    EXPECT_LE(answers[i].body.size(), static_cast<std::size_t>(LocalServer::kCap)) << urls[i];
    EXPECT_EQ(answers[i].body.empty(), answers[i].reason != Reason::success) << urls[i];
  }
}

TEST(Download, WhatNeverEndsIsTimedOutAfterItsLastTry) {
  DownloadOptions options = local_options();
  options.max_bytes = 1 << 20;  // more than is announced
  options.timeout_ms = 300;
  options.retries = 1;
  std::vector<std::string> urls, paths;
  for (const auto& [kind, reason] : bad_kinds()) {
    if (reason != "timed out") continue;
    paths.push_back(kind + "/50");
    urls.push_back(server().url(paths.back()));
  }
  ASSERT_EQ(urls.size(), 3U);
  const std::vector<Answer> answers = download_all(options, urls);
  for (std::size_t i = 0; i < urls.size(); ++i) {
    EXPECT_EQ(outcome(answers[i]), "timed out") << urls[i];
    EXPECT_LE(times_seen(paths[i]), 2) << urls[i];
  }
}

TEST(Download, ASlowDripIsEndedBeforeTheTimeOfItsTryIsOver) {
  DownloadOptions options = local_options();
  options.max_bytes = 1 << 20;
  options.slow_seconds = 1;
  options.retries = 0;
  options.timeout_ms = 3'600'000;  // longer than any test may take
  EXPECT_EQ(outcome(download_one(options, "drips/51")), "timed out");
}

TEST(Download, APictureOfTheLargestSizeIsWholeAndOneByteMoreIsTooLarge) {
  DownloadOptions options = local_options();
  const Answer largest = download_one(options, "of_largest_size/4");
  EXPECT_EQ(largest.reason, Reason::success);
  EXPECT_EQ(std::ssize(largest.body), LocalServer::kCap);
  options.max_bytes = LocalServer::kCap - 1;
  EXPECT_EQ(download_one(options, "of_largest_size/4").reason, Reason::too_large);
  // Without a length the bytes themselves are counted.
  EXPECT_EQ(download_one(options, "over_largest_size_in_chunks/4").reason, Reason::too_large);
  options.max_bytes = LocalServer::kCap + 1;
  EXPECT_EQ(download_one(options, "over_largest_size_in_chunks/4").reason, Reason::success);
}

TEST(Download, WhatMayPassIsTriedAgainAndWhatMayNotIsAskedForOnce) {
  DownloadOptions options = local_options();
  options.retries = 3;
  for (const char* path : {"broken/60", "resets_midway/60"}) {
    download_one(options, path);
    EXPECT_EQ(times_seen(path), 4) << path;
  }
  for (const char* path : {"not_found/60", "busy_all_day/60", "closed_to_all/60", "html/60",
                           "over_largest_size/60", "jpeg_picture/60"}) {
    download_one(options, path);
    EXPECT_EQ(times_seen(path), 1) << path;
  }
}

TEST(Download, AServerIsNotAskedAgainBeforeTheTimeItNamed) {
  DownloadOptions options = local_options();
  options.backoff_ms = 0;
  EXPECT_EQ(outcome(download_one(options, "busy/61")), "success");  // 403 if it came too soon
  EXPECT_EQ(times_seen("busy/61"), 2);
}

TEST(Download, AHostThatWantsToBeLeftAloneIsForAllOfItsRows) {
  const LocalServer shop;  // nobody else has been there
  DownloadOptions options = local_options();
  options.per_host = 1;
  options.backoff_ms = 0;
  std::vector<std::string> urls;
  for (int n = 0; n < 6; ++n) urls.push_back(shop.url(fmt::format("busy_to_all/{}", n)));
  for (const Answer& answer : download_all(options, urls)) EXPECT_EQ(outcome(answer), "success");
  const auto seen = shop.seen();
  EXPECT_EQ(seen.count("too soon"), 0U);
  EXPECT_EQ(seen.at("/busy_to_all/0"), 2);
}

TEST(Download, WaitsWithoutSpinningAndGoesOnWhenThereIsMore) {
  DownloadOptions options = local_options();
  options.timeout_ms = 300;
  options.retries = 0;
  int ticks = 0, asked = 0, answered = 0;
  const auto next = [&]() -> std::optional<UrlRequest> {
    const bool is_time = asked == 0 || (asked == 1 && answered == 1 && ticks >= 5);
    if (!is_time) return {};
    return UrlRequest{asked++, server().url("never_answers/64")};
  };
  download(options, {next, [&] { return asked < 2; },
                     [&](const Answer& answer) {
                       EXPECT_EQ(outcome(answer), "timed out");
                       ++answered;
                     },
                     [&] { ++ticks; }});
  EXPECT_EQ(answered, 2);
  EXPECT_LT(ticks, 1000);  // a loop that never waits has many thousands
}

TEST(Download, AHostHasNoMoreConnectionsAtOnceThanItMay) {
  const LocalServer quiet;  // nobody else has been there
  DownloadOptions options = local_options();
  options.per_host = 3;
  std::vector<std::string> urls;
  for (int n = 0; n < 12; ++n) urls.push_back(quiet.url(fmt::format("crowded/{}", n)));
  for (const Answer& answer : download_all(options, urls)) EXPECT_EQ(outcome(answer), "success");
  EXPECT_EQ(quiet.seen()["most at once"], 3);
}

TEST(Download, AsManyRedirectsAsAllowedAreFollowedAndNoMore) {
  DownloadOptions options = local_options();
  options.redirects = 3;
  EXPECT_EQ(download_one(options, "moved_to_itself/62").reason, Reason::too_many_redirects);
  EXPECT_EQ(times_seen("moved_to_itself/62"), 4);
  options.redirects = 0;
  EXPECT_EQ(download_one(options, "moved/62").reason, Reason::too_many_redirects);
  EXPECT_EQ(times_seen("jpeg_picture/62"), 0);
}

TEST(Download, RobotsTagsAreHeededUnlessTheUserSaysOtherwise) {
  DownloadOptions options = local_options();
  EXPECT_EQ(download_one(options, "closed_to_all/63").reason, Reason::disallowed);
  EXPECT_EQ(download_one(options, "closed_to_us/63").reason, Reason::disallowed);
  EXPECT_EQ(download_one(options, "closed_to_others/63").reason, Reason::success);
  options.heeds_robots = false;
  EXPECT_EQ(download_one(options, "closed_to_all/63").reason, Reason::success);
}

TEST(Download, ManyLargePicturesGetThroughALittleMemory) {
  DownloadOptions options = local_options();
  options.max_buffered = LocalServer::kCap / 2;
  std::vector<std::string> urls;
  for (int n = 0; n < 200; ++n) urls.push_back(server().url(fmt::format("of_largest_size/{}", n)));
  std::set<std::string> bodies;
  for (Answer& answer : download_all(options, urls)) {
    EXPECT_EQ(std::ssize(answer.body), LocalServer::kCap) << urls[bodies.size()];
    bodies.insert(std::move(answer.body));
  }
  EXPECT_EQ(bodies.size(), urls.size());  // nobody got another's
}

TEST(Download, WhatACallThrowsEndsItAll) {
  const auto throws = [](Answer) { throw Error(ErrorKind::io, "no space left"); };
  int asked = 0;
  const auto next = [&]() -> std::optional<UrlRequest> {
    if (asked == 9) return {};
    return UrlRequest{asked++, server().url(asked % 2 ? "jpeg_picture/1" : "never_answers/1")};
  };
  EXPECT_THROW(download(local_options(), {next, [&] { return asked < 9; }, throws, [] {}}), Error);
}

}  // namespace
}  // namespace diptych
