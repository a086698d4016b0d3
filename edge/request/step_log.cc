#include "common/http/serialize.h"
#include "common/telemetry/log.h"
#include "edge/request/steps.h"

namespace reelway::edge {
namespace {

// 499, as is customary for a client that left before its answer began.
constexpr std::uint16_t kClientLeft = 499;

std::uint16_t status_of(const RequestState& state) {
  if (!state.head_sent) return kClientLeft;
  if (state.cut && state.plan_sent) return state.plan.status;  // what the client was told before it was cut short
  if (state.refusal) return state.refusal->info().http_status;
  return state.ready_answer.empty() ? state.plan.status : state.ready_status;
}

bool is_hit(CacheOutcome outcome) {
  return outcome == CacheOutcome::hit_memory || outcome == CacheOutcome::hit_disk;
}

void count(RequestCounters& counters, const RequestState& state, std::uint16_t status, std::uint64_t duration_us) {
  ++counters.by_outcome[static_cast<std::size_t>(state.outcome)];
  ++counters.by_status_class[status / 100];
  counters.body_bytes += state.body_bytes;
  if (state.cut && state.head_sent) ++counters.cut_answers;
  if (state.refusal) {
    ++counters.by_error[static_cast<std::size_t>(state.refusal->code)];
  } else if (state.outcome != CacheOutcome::none) {
    (is_hit(state.outcome) ? counters.hit_time : counters.miss_time).observe_us(duration_us);
  }
}

}  // namespace

Verdict step_log(Request& request) {
  const RequestState& state = request.state();
  Services& services = request.services();
  const auto duration = std::chrono::duration_cast<std::chrono::microseconds>(services.clock.monotonic() - state.began);
  const auto duration_us = static_cast<std::uint64_t>(duration.count());
  const std::uint16_t status = status_of(state);
  count(services.counters, state, status, duration_us);
  if (services.access_log == nullptr) return Verdict::done;
  const http::RequestHead& head = request.stream().request();
  const std::string path = telemetry::redact_path(head.target);
  const auto address = request.stream().peer_address();
  const std::string client = address ? address->text() : "-";
  AccessLog::Entry entry;
  entry.time_ms = services.clock.wall_ms();
  entry.client = client;
  entry.method = head.method_text;
  entry.path = path;
  entry.status = status;
  entry.body_bytes = state.body_bytes;
  entry.duration_us = duration_us;
  entry.cache = outcome_name(state.outcome);
  entry.error = state.refusal ? state.refusal->info().name : std::string_view{};
  entry.cut = state.cut;
  services.access_log->add(entry);
  return Verdict::done;
}

}  // namespace reelway::edge
