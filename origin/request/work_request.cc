#include "origin/request/work_request.h"

#include <array>
#include <charconv>

#include "common/telemetry/log.h"
#include "origin/fleet/credentials.h"
#include "origin/jobs/work_messages.h"
#include "origin/request/file_stream.h"
#include "origin/request/query_fields.h"

// The life of a request on the work port. Bodies are small or one piece of a file, so each is held whole and then run
// on a worker, since the desk blocks.

namespace reelway::origin {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kClaims = "/v1/work/claims";

Error client_error(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  while (path.starts_with('/')) {
    path.remove_prefix(1);
    const std::size_t slash = path.find('/');
    segments.emplace_back(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
  }
  return segments;
}

}  // namespace

std::span<const Step<WorkRequest>> WorkRequest::steps() {
  static constexpr std::array<Step<WorkRequest>, 5> kSteps = {{
      {"authenticate", &WorkRequest::authenticate},
      {"route", &WorkRequest::route},
      {"receive_body", &WorkRequest::receive_body},
      {"call", &WorkRequest::call},
      {"reply", &WorkRequest::reply},
  }};
  return kSteps;
}

WorkRequest::WorkRequest(const WorkServices& services, Responder& responder)
    : SteppedRequest(services.loop, responder), services_(services) {}

void WorkRequest::begin(const http::RequestHead& head) {
  head_ = &head;
  advance();
}

void WorkRequest::body(ByteView part) {
  text_.append(as_text(part));  // the connection holds it to kFilePieceBytesMax
}

void WorkRequest::body_end() {
  body_ended_ = true;
  advance();
}

void WorkRequest::body_cut(const Error& error) {
  fail(error);
}

Verdict WorkRequest::authenticate() {
  const auto authorization = head_->headers.find("Authorization");
  if (!authorization) return fail(client_error(ErrorCode::credential_missing, ""));
  if (secrets_equal(bearer_secret(*authorization), services_.credential)) return Verdict::next;
  return fail(client_error(ErrorCode::credential_wrong, ""));
}

// /v1/work/claims, or /v1/work/claims/<job>/<part>/<token>/<what>[/<file>]
Verdict WorkRequest::route() {
  const bool posts = head_->method == http::Method::post;
  if (head_->path() == kClaims && posts) {
    action_ = Action::claim;
    return Verdict::next;
  }
  const std::vector<std::string> path = segments_of(head_->path());
  if (path.size() < 7 || path.size() > 8 || !head_->path().starts_with(kClaims)) {
    return fail(client_error(ErrorCode::http_not_found, ""));
  }
  claim_ = {path[3], path[4], 0};
  const std::string &token = path[5], &what = path[6];
  std::from_chars(token.data(), token.data() + token.size(), claim_.token);
  if (path.size() == 8) file_ = path[7];
  if (posts && what == "renew") action_ = Action::renew;
  if (posts && what == "complete") action_ = Action::complete;
  if (posts && what == "fail") action_ = Action::fail;
  if (posts && what == "release") action_ = Action::release;
  if (head_->method == http::Method::get && what == "source") action_ = Action::source;
  if (head_->method == http::Method::put && what == "files") action_ = Action::write;
  const bool is_known = action_ != Action::none && (action_ == Action::write) == !file_.empty();
  if (!is_known || !is_plain_name(claim_.job) || !is_plain_name(claim_.part) || claim_.token <= 0) {
    return fail(client_error(ErrorCode::http_not_found, ""));
  }
  const Result<QueryFields> query = QueryFields::parse(head_->query());
  if (!query.ok()) return fail(query.error());
  const Result<std::optional<std::int64_t>> offset = query->optional_number("offset");
  if (!offset.ok()) return fail(offset.error());
  offset_ = static_cast<std::uint64_t>(offset->value_or(0));
  return Verdict::next;
}

Verdict WorkRequest::receive_body() {
  return body_ended_ ? Verdict::next : Verdict::wait;
}

Verdict WorkRequest::call() {
  if (result_) return Verdict::next;
  return wait_for_worker([this] { result_ = run(); });
}

Result<Json> WorkRequest::run() {
  if (action_ == Action::source) {
    Result<WorkDesk::Source> source = services_.desk.source(claim_);
    if (!source.ok()) return std::move(source).error();
    source_ = std::move(source).value();
    return Json::object();
  }
  if (action_ == Action::write) {
    REELWAY_TRY(services_.desk.write(claim_, file_, offset_, as_bytes(text_)));
    return Json::object();
  }
  const Json body = text_.empty() ? Json::object() : Json::parse(text_, nullptr, false);
  if (!body.is_object()) return client_error(ErrorCode::http_bad_request, "the body is no JSON object");
  switch (action_) {
    case Action::claim: return run_claim(body);
    case Action::renew: {
      const auto progress = body.find("progress");
      const bool is_number = progress != body.end() && progress->is_number();
      REELWAY_TRY(services_.desk.renew(claim_, is_number ? progress->get<double>() : 0));
      break;
    }
    case Action::complete: {
      const Result<TaskOutcome> outcome = parse_outcome(body);
      if (!outcome.ok()) return outcome.error();
      REELWAY_TRY(services_.desk.complete(claim_, *outcome));
      break;
    }
    case Action::fail: {
      const Result<Failure> failure = parse_failure(body);
      if (!failure.ok()) return failure.error();
      REELWAY_TRY(services_.desk.fail(claim_, failure->error, failure->cost));
      break;
    }
    default: REELWAY_TRY(services_.desk.release(claim_));
  }
  return Json::object();
}

Result<Json> WorkRequest::run_claim(const Json& body) {
  const auto worker = body.find("worker");
  if (worker == body.end() || !worker->is_string() || !is_plain_name(worker->get<std::string>())) {
    return client_error(ErrorCode::http_bad_request,
                        "worker: expected a name of at most 64 letters, digits and - _ . in the body");
  }
  const Result<std::optional<Assignment>> assignment = services_.desk.claim(worker->get<std::string>());
  if (!assignment.ok()) return assignment.error();
  return assignment->has_value() ? to_message(**assignment) : Json();
}

Verdict WorkRequest::reply() {
  if (!*result_) return fail(result_->error());
  if (!source_) {
    // 204 has no content: there is no work.
    const bool is_empty = result_->value().is_null();
    if (!is_empty) return answer(json_response(200, result_->value().dump()));
    Response response;
    response.status = 204;
    return answer(std::move(response));
  }
  if (offset_ > source_->bytes) {
    return fail(client_error(ErrorCode::http_bad_request, "the film has " + std::to_string(source_->bytes) + " bytes"));
  }
  Response response;
  response.headers = {{"Content-Type", "application/octet-stream"}, {"Cache-Control", "no-store"}};
  response.stream = std::make_shared<FileStream>(loop_, std::move(source_->file), offset_, source_->bytes);
  return answer(std::move(response));
}

Verdict WorkRequest::fail(const Error& error) {
  if (error.info().http_status >= 500) {
    telemetry::log_error("{} {}: {}", head_->method_text, head_->path(), describe(error));
  }
  return answer(error_reply(error));
}

}  // namespace reelway::origin
