#include <algorithm>

#include "common/base/encoding.h"
#include "common/http/serialize.h"
#include "edge/request/answer.h"
#include "edge/request/steps.h"

// A heartbeat keeps a session's stream slot and brings a fresh token. Only the origin can decide on it, so the edge
// passes it on and the answer back, and stores neither. What goes to the origin is made here from what the token says;
// of the viewer's own words only two plain values are taken.

namespace reelway::edge {
namespace {

constexpr std::size_t kPositionDigitsMax = 9;

bool is_digits(std::string_view text) {
  return !text.empty() && text.size() <= kPositionDigitsMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "&position_s=812&ended=1" of the viewer's query, or what is wrong with it.
Result<std::string> viewer_values(std::string_view target) {
  const auto mark = target.find('?');
  std::string_view query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  std::string values;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::string_view name = pair.substr(0, pair.find('='));
    const std::string_view value = pair.substr(std::min(pair.size(), name.size() + 1));
    const bool known = (name == "position_s" && is_digits(value)) || (name == "ended" && value == "1");
    if (!known) {
      return Error{ErrorCode::http_bad_request, Side::client, false,
                   "a heartbeat takes position_s=<whole seconds> and ended=1"};
    }
    values.append("&").append(pair);
  }
  return values;
}

Result<std::string> call_to_origin(Request& request) {
  const Grant& grant = request.grant();
  if (!grant.entitlement) {
    return Error{ErrorCode::session_not_found, Side::client, false, "a play URL without a rental has no session"};
  }
  auto values = viewer_values(request.stream().request().target);
  if (!values.ok()) return std::move(values).error();
  const std::string path = "/.reelway/v1/heartbeat?session=" + hex(grant.session) +
                           "&entitlement=" + base64url(grant.entitlement->id) +
                           "&title=" + std::string(request.state().path.title) + *values;
  return request.services().fills.request_text(path, "POST", "Content-Length: 0\r\n");
}

std::string passed_on(Request& request, const RelayedAnswer& relayed) {
  RequestState& state = request.state();
  http::ResponseBuilder answer(relayed.status);
  answer.header("Content-Type", relayed.content_type);
  answer.header("Content-Length", relayed.body.size());
  answer.header("Cache-Control", "no-store");
  if (!state.keep_alive) answer.header("Connection", "close");
  return with_lines(answer.finish(), state.cors_lines) + relayed.body;
}

}  // namespace

Verdict step_relay(Request& request) {
  RequestState& state = request.state();
  if (!state.heartbeat) return Verdict::next;
  if (!state.relay_asked) {
    state.relay_asked = true;
    auto call = call_to_origin(request);
    const Result<void> begun =
        call.ok() ? request.services().relay.begin(request.grant().session, std::move(*call), request.relay_waiter())
                  : Result<void>(call.error());
    if (!begun.ok()) state.relayed = begun.error();
  }
  if (!state.relayed) return Verdict::wait;
  if (!state.relayed->ok()) {
    request.refuse(state.relayed->error());
    return Verdict::next;
  }
  state.keep_alive = request.stream().may_keep_alive();
  state.ready_status = (*state.relayed)->status;
  state.ready_answer = passed_on(request, **state.relayed);
  return Verdict::next;
}

}  // namespace reelway::edge
