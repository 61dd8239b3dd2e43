// For tests: tests/download/bad_server.py as a process of its own, and downloads from it.
#pragma once
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "download/downloader.h"

namespace diptych {

// A program of Python that runs until its standard input ends; text: its first line.
class PythonProcess {
 public:
  explicit PythonProcess(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {DIPTYCH_PYTHON, DIPTYCH_BAD_SERVER});
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::array<int, 2> in{}, out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) std::abort();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    const int failed = ::posix_spawn(&child_, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    output_ = out[0];
    if (failed) throw Error(ErrorKind::internal, "Python does not start");
  }
  ~PythonProcess() {
    ::close(input_);
    ::close(output_);
    ::waitpid(child_, nullptr, 0);
  }
  PythonProcess(const PythonProcess&) = delete;
  PythonProcess& operator=(const PythonProcess&) = delete;

  // Up to the end of a line (and without it) or of the output.
  std::string line() const {
    std::string text;
    for (char c = 0; ::read(output_, &c, 1) == 1 && c != '\n';) text += c;
    return text;
  }

 private:
  pid_t child_ = 0;
  int input_ = -1, output_ = -1;
};

class LocalServer {
 public:
  static constexpr int kCap = 1 << 16;

  LocalServer() : process_({"--cap", std::to_string(kCap)}), port_(process_.line()) {}

  const std::string& port() const { return port_; }
  std::string url(const std::string& path) const {
    return fmt::format("http://{}:{}/{}", "127.0.0.1", port_, path);
  }

  // How often each path was asked for.
  std::map<std::string, int> seen() const {
    std::string body;
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(),
                                                                   curl_easy_cleanup);
    curl_easy_setopt(easy.get(), CURLOPT_URL, url("_seen").c_str());
    curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
    curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(
        easy.get(), CURLOPT_WRITEFUNCTION,
        +[](char* data, std::size_t, std::size_t size, std::string* to) {
          to->append(data, size);
          return size;
        });
    if (curl_easy_perform(easy.get()) != CURLE_OK) return {};
    return nlohmann::json::parse(body).get<std::map<std::string, int>>();
  }

 private:
  PythonProcess process_;
  std::string port_;
};

// What bad_server.py has: each kind with the reason it must get.
inline std::map<std::string, std::string> bad_kinds() {
  const PythonProcess process({"--kinds"});
  std::map<std::string, std::string> kinds;
  for (std::string line = process.line(); !line.empty(); line = process.line()) {
    const auto tab = line.find('\t');
    kinds[line.substr(0, tab)] = line.substr(tab + 1);
  }
  return kinds;
}

// Patient, so that a busy machine changes no outcome, but with short pauses between tries.
inline DownloadOptions local_options() {
  const std::vector<std::string> allowed = {"127.0.0.1"};
  DownloadOptions options;
  options.connections = 32;
  options.per_host = 32;
  options.backoff_ms = 10;
  options.slow_seconds = 60;
  options.max_bytes = LocalServer::kCap;
  options.addresses = AddressRule(allowed);
  return options;
}

// Asks for all; the answers in the order of the URLs. Each must be answered exactly once.
inline std::vector<Answer> download_all(const DownloadOptions& options,
                                        const std::vector<std::string>& urls) {
  std::vector<std::vector<Answer>> answers(urls.size());
  std::size_t asked = 0;
  download(options, {[&]() -> std::optional<UrlRequest> {
                       if (asked == urls.size()) return {};
                       const auto ticket = static_cast<std::int64_t>(asked);
                       return UrlRequest{ticket, urls[asked++]};
                     },
                     [&] { return asked < urls.size(); },
                     [&](Answer answer) {
                       const auto row = static_cast<std::size_t>(answer.ticket);
                       answers.at(row).push_back(std::move(answer));
                     },
                     [] {}});
  std::vector<Answer> each;
  for (auto& one : answers) {
    if (one.size() != 1) throw Error(ErrorKind::internal, "a URL without exactly one answer");
    each.push_back(std::move(one.front()));
  }
  return each;
}

}  // namespace diptych
