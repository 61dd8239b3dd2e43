#include "nn/profile.h"

#include <ATen/SequenceNumber.h>
#include <ATen/record_function.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

namespace diptych {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

struct Span {
  std::string name;
  const char* kind;  // "scope", "operator", "backward"
  Clock::time_point start;
  double took_us = 0;
};

struct Scope {
  std::size_t span = 0;
  std::uint64_t first_node = 0, end_node = 0;  // sequence numbers of the nodes made inside
};

}  // namespace

struct Profile::Recorder {
  Clock::time_point start = Clock::now();
  std::vector<Span> spans;
  std::vector<Scope> scopes;      // in order of start; one inside another comes later
  std::vector<std::size_t> open;  // places in scopes
  std::vector<std::pair<std::uint64_t, std::size_t>> nodes;  // sequence number, span
  std::map<std::size_t, double> inner_us;  // of a scope: what scopes and backward nodes inside took
  at::CallbackHandle handle = 0;

  std::size_t begin(std::string name, const char* kind) {
    spans.push_back({std::move(name), kind, Clock::now()});
    return spans.size() - 1;
  }
  void end(std::size_t span) {
    spans[span].took_us = microseconds(Clock::now() - spans[span].start);
  }
};

namespace {

thread_local Profile::Recorder* recorder_of_thread = nullptr;

struct SpanContext : at::ObserverContext {
  std::size_t span = 0;
};

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
  if (!recorder_of_thread) return nullptr;
  auto context = std::make_unique<SpanContext>();
  const bool backward = function.scope() == at::RecordScope::BACKWARD_FUNCTION;
  context->span = recorder_of_thread->begin(function.name(), backward ? "backward" : "operator");
  if (backward && function.seqNr() >= 0) {
    recorder_of_thread->nodes.emplace_back(function.seqNr(), context->span);
  }
  return context;
}

void on_end(const at::RecordFunction&, at::ObserverContext* context) {
  if (context && recorder_of_thread) {
    recorder_of_thread->end(static_cast<SpanContext*>(context)->span);
  }
}

}  // namespace

Profile::Profile() : recorder_(std::make_unique<Recorder>()) {
  recorder_of_thread = recorder_.get();
  recorder_->handle = at::addThreadLocalCallback(
      at::RecordFunctionCallback(on_start, on_end)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
}

Profile::~Profile() {
  at::removeCallback(recorder_->handle);
  recorder_of_thread = nullptr;
}

std::vector<ProfilePart> Profile::parts() const {
  const Recorder& record = *recorder_;
  std::vector<ProfilePart> parts;
  std::map<std::string, std::size_t> places;
  const auto part = [&](const std::string& name) -> ProfilePart& {
    const auto [found, is_new] = places.emplace(name, parts.size());
    if (is_new) parts.push_back({name});
    return parts[found->second];
  };
  double named = 0;
  for (std::size_t i = 0; i < record.scopes.size(); ++i) {
    const Span& span = record.spans[record.scopes[i].span];
    const auto inner = record.inner_us.find(i);
    const double own = span.took_us - (inner == record.inner_us.end() ? 0 : inner->second);
    part(span.name).forward_ms += own / 1000;
    named += own;
  }
  for (const auto& [node, place] : record.nodes) {
    // The innermost scope that made the node: of those that did, the one that began last.
    const auto scope =
        std::find_if(record.scopes.rbegin(), record.scopes.rend(),
                     [&](const Scope& s) { return s.first_node <= node && node < s.end_node; });
    const double took = record.spans[place].took_us;
    named += took;
    const bool known = scope != record.scopes.rend();
    part(known ? record.spans[scope->span].name : "backward, unnamed").backward_ms += took / 1000;
  }
  const double all = microseconds(Clock::now() - record.start);
  part("elsewhere").forward_ms += std::max(0.0, all - named) / 1000;
  return parts;
}

std::string Profile::trace() const {
  nlohmann::json events = nlohmann::json::array();
  for (const Span& span : recorder_->spans) {
    events.push_back({{"name", span.name},
                      {"cat", span.kind},
                      {"ph", "X"},
                      {"pid", 1},
                      {"tid", 1},
                      {"ts", microseconds(span.start - recorder_->start)},
                      {"dur", span.took_us}});
  }
  return nlohmann::json{{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}}.dump();
}

ProfileScope::ProfileScope(std::string name) {
  Profile::Recorder* record = recorder_of_thread;
  if (!record) return;
  record->open.push_back(record->scopes.size());
  record->scopes.push_back(
      {record->begin(std::move(name), "scope"), at::sequence_number::peek(), UINT64_MAX});
  place_ = record->open.size();
}

ProfileScope::~ProfileScope() {
  Profile::Recorder* record = recorder_of_thread;
  if (!record || place_ == 0) return;
  const std::size_t scope = record->open[place_ - 1];
  record->open.resize(place_ - 1);
  record->end(record->scopes[scope].span);
  record->scopes[scope].end_node = at::sequence_number::peek();
  const double took = record->spans[record->scopes[scope].span].took_us;
  if (!record->open.empty()) record->inner_us[record->open.back()] += took;
}

std::string profile_table(const std::vector<ProfilePart>& parts, int steps) {
  double all = 0;
  for (const ProfilePart& part : parts) all += part.forward_ms + part.backward_ms;
  std::vector<ProfilePart> sorted = parts;
  std::stable_sort(sorted.begin(), sorted.end(), [](const ProfilePart& a, const ProfilePart& b) {
    return a.forward_ms + a.backward_ms > b.forward_ms + b.backward_ms;
  });
  std::string table =
      fmt::format("{:<24}{:>12}{:>12}{:>9}\n", "ms a step", "forward", "backward", "share");
  for (const ProfilePart& part : sorted) {
    table += fmt::format("{:<24}{:>12.3f}{:>12.3f}{:>8.1f}%\n", part.name, part.forward_ms / steps,
                         part.backward_ms / steps,
                         100 * (part.forward_ms + part.backward_ms) / std::max(1e-9, all));
  }
  return table;
}

}  // namespace diptych
