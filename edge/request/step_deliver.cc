#include <algorithm>
#include <charconv>
#include <utility>

#include "common/http/serialize.h"
#include "edge/net/large_sends.h"
#include "edge/request/site_answer.h"
#include "edge/request/site_steps.h"
#include "edge/request/sliced_body.h"
#include "edge/request/steps.h"

// Sends the head together with the first bytes of the body, then the body piece by piece from where it lies in the
// object, as far as it is there. One piece is in flight at a time.
//
// Bytes are sent while the fill goes on, but the last kHeldBack of an answer only when the object is complete, that is
// when its length and checksum have been found right. So a client can never take a damaged body for a whole one:
//   the fill failed before anything was sent   it gets the error's status and code
//   the fill failed later                      its connection is reset, short of the announced length
// and an object of up to kHeldBack is always answered by the one or the other in full.
//
// The body of a large object of a site lies in slices (SlicedBody). Each is sent as an object is, its last kHeldBack
// when it is complete; what holds the byte at state.offset is then not the object in hand, but a slice.

namespace reelway::edge {
namespace {

constexpr std::uint64_t kPieceBytesMax = 512 * 1024;
constexpr std::uint64_t kHeldBack = 16 * 1024;
constexpr std::size_t kLentBytesMin = LargeSends::kLargeBytes;  // less is copied sooner than referred to
constexpr std::string_view kChunkEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

AnswerContext context_of(Request& request) {
  RequestState& state = request.state();
  AnswerContext context;
  context.edge_id = request.services().edge_id;
  context.outcome = state.outcome;
  context.stored = state.stored;
  context.keep_alive = state.keep_alive;
  context.minor_version = request.stream().request().minor_version;
  context.now_ms = request.services().clock.wall_ms();
  context.token_expires_s = state.token_decision && state.token_decision->ok() ? (*state.token_decision)->expires_s : 0;
  context.cors_lines = state.cors_lines;
  context.has_codings = state.site == nullptr && has_codings(state.path.object_path);
  return context;
}

std::string identity_lines_of(Request& request) {
  const RequestState& state = request.state();
  const AnswerContext context = context_of(request);
  return state.site == nullptr ? identity_lines(context) : site_identity_lines(context, *state.site, nullptr);
}

std::string head_of(Request& request) {
  const RequestState& state = request.state();
  const AnswerContext context = context_of(request);
  if (state.site == nullptr) return answer_head(state.plan, *state.object, context);
  return site_answer_head(state.plan, *state.object, context, *state.site);
}

std::string_view retry_line(const Error& error) {
  if (error.code == ErrorCode::token_failures_exceeded) return "Retry-After: 30\r\n";
  return error.info().http_status == 503 ? "Retry-After: 1\r\n" : std::string_view{};
}

void send_refusal(Request& request) {
  RequestState& state = request.state();
  state.keep_alive = request.stream().may_keep_alive();
  std::string lines = std::move(state.refusal_lines);
  lines += identity_lines_of(request);
  lines += state.cors_lines;
  lines += retry_line(*state.refusal);
  std::string answer = http::error_response(*state.refusal, state.keep_alive, state.head_only, lines);
  state.head_sent = state.last_written = true;
  request.write({.head = std::move(answer), .body = {}, .tail = {}, .owner = nullptr});
}

SlicedBody* slices_of(const RequestState& state) {
  return state.site == nullptr ? nullptr : state.site->slices.get();
}

// What holds the next byte of the body, and which bytes of the body it holds.
struct Source {
  const std::shared_ptr<Object>& object;
  std::uint64_t begin = 0;
  std::uint64_t end = UINT64_MAX;
};

Source source_of(const RequestState& state) {
  const SlicedBody* slices = slices_of(state);
  if (slices == nullptr) return {state.object};
  return {slices->slice(), slices->slice_begin(), slices->slice_end()};
}

// Bytes of the answer that may leave now, from state.offset on.
ByteView sendable(const RequestState& state) {
  const Source source = source_of(state);
  const Object& object = *source.object;
  std::uint64_t limit = std::min(state.plan.end.value_or(UINT64_MAX), source.end);
  if (object.state() != ObjectState::complete && state.plan.end) {
    limit = std::max({state.plan.first, source.begin, limit - std::min(limit, kHeldBack)});
  }
  if (state.offset >= limit) return {};
  const ByteView present = object.view(state.offset - source.begin);
  const std::uint64_t count =
      std::min({static_cast<std::uint64_t>(present.size()), limit - state.offset, kPieceBytesMax});
  return present.first(static_cast<std::size_t>(count));
}

bool at_end(const RequestState& state) {
  if (state.plan.framing == Framing::none) return true;
  if (state.plan.end) return state.offset >= *state.plan.end;
  return state.object->state() == ObjectState::complete && state.offset >= state.object->bytes_present();
}

std::string chunk_size_line(std::size_t size) {
  char text[16];
  const auto end = std::to_chars(text, text + sizeof text, size, 16).ptr;
  return std::string(text, end).append("\r\n");
}

void send_piece(Request& request, std::string head, ByteView body) {
  RequestState& state = request.state();
  const Source source = source_of(state);
  ResponseStream::Piece piece{.head = std::move(head), .body = body, .tail = {}, .owner = source.object};
  piece.lent = body.size() >= kLentBytesMin && source.object->state() == ObjectState::complete &&
               source.object->lend(state.offset - source.begin);
  state.offset += body.size();
  state.last_written = at_end(state);
  if (state.plan.framing == Framing::chunked) {
    if (!body.empty()) {
      piece.head += chunk_size_line(body.size());
      piece.tail = kChunkEnd;
    }
    // The end of the last chunk goes with the piece that has no bytes, which follows when the object is complete.
    state.last_written = body.empty() && at_end(state);
    if (state.last_written) piece.head += kLastChunk;
  }
  state.head_sent = true;
  if (piece.head.empty() && piece.body.empty()) return;
  request.write(std::move(piece));
}

// Finds what holds the next byte. False: it is not to be had.
bool reach_source(RequestState& state) {
  SlicedBody* slices = slices_of(state);
  if (slices == nullptr) return state.object->state() != ObjectState::failed;
  if (!at_end(state)) slices->read_from(state.offset, *state.plan.end);
  return slices->failure() == nullptr;
}

// The next bytes of several ranges, each behind its part's head; behind the last one stands the closing line.
void send_part_piece(Request& request, std::string head, ByteView body) {
  RequestState& state = request.state();
  AnswerPlan& plan = state.plan;
  const auto& ranges = plan.parts->ranges();
  state.head_sent = true;
  if (plan.part == ranges.size()) {
    state.last_written = true;
    request.write({.head = plan.parts->closing(), .body = {}, .tail = {}, .owner = nullptr});
    return;
  }
  if (state.offset == plan.first) head += plan.parts->part_head(plan.part);
  const std::shared_ptr<Object> owner = source_of(state).object;
  state.offset += body.size();
  if (state.offset == *plan.end && ++plan.part < ranges.size()) {
    plan.first = state.offset = ranges[plan.part].first;
    plan.end = plan.first + ranges[plan.part].count;
  }
  request.write({.head = std::move(head), .body = body, .tail = {}, .owner = owner});
}

// The plan is made once, when the object's head is there. False: refused.
bool make_plan(Request& request) {
  RequestState& state = request.state();
  const http::RequestHead& head = request.stream().request();
  state.plan =
      state.site == nullptr ? plan_answer(head, *state.object) : plan_site_answer(head, *state.object, *state.site);
  state.offset = state.plan.first;
  if (state.plan.is_unsatisfiable) {
    request.refuse({ErrorCode::range_not_satisfiable, Side::client, false, {}},
                   "Content-Range: bytes */" + std::to_string(*state.plan.end) + "\r\n");
    return false;
  }
  state.keep_alive = request.stream().may_keep_alive() && state.plan.framing != Framing::close;
  if (lies_in_slices(state.object->meta()) && state.plan.framing != Framing::none) begin_slices(request);
  return true;
}

void send_ready_answer(Request& request) {
  RequestState& state = request.state();
  state.head_sent = state.last_written = true;
  request.write({.head = state.ready_answer, .body = {}, .tail = {}, .owner = nullptr});
}

void prefetch_after(Request& request) {
  const RequestState& state = request.state();
  request.services().prefetch.after({request.stream().request(), state.path, request.grant().view, state.key,
                                     state.outcome == CacheOutcome::hit_memory});
}

Verdict refuse_slices(Request& request) {
  RequestState& state = request.state();
  if (begin_anew(state)) return Verdict::anew;
  take_slice_source(state);
  request.refuse(*slices_of(state)->failure());
  send_refusal(request);
  return Verdict::wait;
}

// Before the head is sent every failure can still be told.
Verdict deliver_head(Request& request) {
  RequestState& state = request.state();
  if (!state.refusal && !state.ready_answer.empty()) {
    send_ready_answer(request);
    return Verdict::wait;
  }
  if (!state.refusal && state.object->state() == ObjectState::failed && !stand_in(request)) {
    request.refuse(state.object->failure());
  }
  if (state.refusal || !make_plan(request)) {
    send_refusal(request);
    return Verdict::wait;
  }
  if (!reach_source(state)) return refuse_slices(request);
  const ByteView first_bytes = state.plan.framing == Framing::none ? ByteView{} : sendable(state);
  if (first_bytes.empty() && !at_end(state)) return Verdict::wait;
  if (slices_of(state) != nullptr) take_slice_source(state);
  state.plan_sent = true;
  if (state.plan.parts != nullptr) {
    send_part_piece(request, head_of(request), first_bytes);
    return Verdict::wait;
  }
  send_piece(request, head_of(request), first_bytes);
  if (state.site == nullptr) prefetch_after(request);
  return Verdict::wait;
}

}  // namespace

Verdict step_deliver(Request& request) {
  RequestState& state = request.state();
  if (state.writing) return Verdict::wait;
  if (state.site != nullptr && !state.site->interim.empty()) {
    request.write({.head = std::exchange(state.site->interim, {}), .body = {}, .tail = {}, .owner = nullptr});
    return Verdict::wait;
  }
  if (!state.head_sent) return deliver_head(request);
  if (state.last_written) return Verdict::next;
  if (!reach_source(state)) {
    request.cut();
    return Verdict::next;
  }
  const ByteView bytes = sendable(state);
  if (bytes.empty() && !at_end(state)) return Verdict::wait;
  if (state.plan.parts != nullptr) {
    send_part_piece(request, {}, bytes);
    return Verdict::wait;
  }
  send_piece(request, {}, bytes);
  // A body that ends with the close has nothing left to send at its end.
  return state.last_written && !state.writing ? Verdict::next : Verdict::wait;
}

}  // namespace reelway::edge
