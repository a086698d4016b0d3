#include "common/http/serialize.h"
#include "edge/request/answer.h"
#include "edge/request/steps.h"

namespace reelway::edge {
namespace {

constexpr std::string_view kMethods = "GET, HEAD, OPTIONS";
constexpr std::string_view kSiteMethods = "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE";
constexpr std::string_view kHeartbeatMethods = "POST, OPTIONS";

// OPTIONS is answered here, without any token: a browser sends none of its credentials with a preflight, and the
// answer tells nothing about what is stored.
std::string answer_to_options(const http::RequestHead& head, const CorsPolicy& cors, bool keep_alive,
                              const std::string& cors_lines) {
  http::ResponseBuilder answer(204);
  answer.header("Allow", access::parse_heartbeat_path(head.path()) ? kHeartbeatMethods : kMethods);
  if (!keep_alive) answer.header("Connection", "close");
  std::string lines = cors_lines;
  if (CorsPolicy::is_preflight(head)) lines += cors.preflight_lines(head.headers.find("Origin"));
  return with_lines(answer.finish(), lines);
}

Verdict refuse_method(Request& request, std::string_view allowed) {
  const http::RequestHead& head = request.stream().request();
  request.refuse({ErrorCode::http_method_not_allowed, Side::client, false, std::string(head.method_text)},
                 "Allow: " + std::string(allowed) + "\r\n");
  return Verdict::next;
}

Verdict receive_heartbeat(Request& request) {
  RequestState& state = request.state();
  const auto path = access::parse_heartbeat_path(request.stream().request().path());
  if (!path) return refuse_method(request, kMethods);
  state.heartbeat = true;
  state.path.token = path->token;
  state.path.title = path->title;
  return Verdict::next;
}

// The paths of films are theirs; all else is the site's, when there is one.
bool is_for_site(const Services& services, const http::RequestHead& head) {
  return services.site != nullptr && !head.target.starts_with("/t/");
}

// CORS and OPTIONS of a site are its origin's. TRACE would tell the client what only the origin should see, and CONNECT
// asks for a tunnel.
Verdict receive_site(Request& request) {
  const http::RequestHead& head = request.stream().request();
  if (head.method_text == "TRACE" || head.method_text == "CONNECT") return refuse_method(request, kSiteMethods);
  request.state().site = std::make_unique<SiteState>();
  return Verdict::next;
}

}  // namespace

Verdict step_receive(Request& request) {
  RequestState& state = request.state();
  Services& services = request.services();
  const http::RequestHead& head = request.stream().request();
  if (!state.is_guest) state.began = services.clock.monotonic();
  state.keep_alive = head.keep_alive;
  state.head_only = head.method == http::Method::head;
  if (is_for_site(services, head)) return receive_site(request);
  state.cors_lines = services.cors.response_lines(head.headers.find("Origin"));
  if (head.method == http::Method::options) {
    state.keep_alive = request.stream().may_keep_alive();
    state.ready_answer = answer_to_options(head, services.cors, state.keep_alive, state.cors_lines);
    return Verdict::next;
  }
  if (head.method == http::Method::post) return receive_heartbeat(request);
  if (head.method != http::Method::get && !state.head_only) return refuse_method(request, kMethods);
  auto path = access::parse_play_path(head.path());
  if (path.ok()) {
    state.path = *path;
  } else if (access::parse_heartbeat_path(head.path())) {
    return refuse_method(request, kHeartbeatMethods);
  } else {
    request.refuse(path.error());
  }
  return Verdict::next;
}

}  // namespace reelway::edge
