#include "origin/request/api_request.h"

#include <array>

#include "common/telemetry/log.h"
#include "origin/fleet/credentials.h"

// The life of a request of the API. A JSON route waits for the whole body, which is small, and then runs its function
// on a worker, since functions ask the control store. An upload's body goes to its receiver as it comes.

namespace reelway::origin {
namespace {

constexpr std::string_view kNoRoute = "none";  // in metrics

Error client_error(ErrorCode code, std::string detail) {
  Error error;
  error.code = code;
  error.side = Side::client;
  error.detail = std::move(detail);
  return error;
}

}  // namespace

std::span<const Step<ApiRequest>> ApiRequest::steps() {
  static constexpr std::array<Step<ApiRequest>, 9> kSteps = {{
      {"authenticate", &ApiRequest::authenticate},
      {"route", &ApiRequest::route},
      {"serve_metrics", &ApiRequest::serve_metrics},
      {"claim_upload", &ApiRequest::claim_upload},
      {"receive_body", &ApiRequest::receive_body},
      {"finish_upload", &ApiRequest::finish_upload},
      {"parse_body", &ApiRequest::parse_body},
      {"call", &ApiRequest::call},
      {"reply", &ApiRequest::reply},
  }};
  return kSteps;
}

ApiRequest::ApiRequest(const ApiServices& services, Responder& responder)
    : SteppedRequest(services.loop, responder), services_(services) {}

void ApiRequest::begin(const http::RequestHead& head) {
  head_ = &head;
  advance();
}

void ApiRequest::body(ByteView part) {
  if (!upload_) {
    text_.append(as_text(part));  // the connection holds it to kApiBodyBytesMax
    return;
  }
  services_.counters.upload_bytes += part.size();
  if (!upload_->add(part) && responder_ != nullptr) responder_->pause_body();
}

void ApiRequest::body_end() {
  body_ended_ = true;
  if (upload_) {
    upload_->finish();
  } else {
    advance();
  }
}

void ApiRequest::body_cut(const Error& error) {
  if (upload_) {
    upload_->cut(error);
  } else {
    fail(error);
  }
}

void ApiRequest::abandoned() {
  SteppedRequest::abandoned();
  if (!upload_) return;
  ++services_.counters.uploads_failed;
  upload_->abandon();
}

Verdict ApiRequest::authenticate() {
  const auto authorization = head_->headers.find("Authorization");
  if (!authorization) return fail(client_error(ErrorCode::credential_missing, ""));
  if (secrets_equal(bearer_secret(*authorization), services_.config.api_credential)) return Verdict::next;
  return fail(client_error(ErrorCode::credential_wrong, ""));
}

Verdict ApiRequest::route() {
  match_ = match_route(head_->method, head_->path());
  if (match_.route != nullptr) return Verdict::next;
  if (match_.allow.empty()) return fail(client_error(ErrorCode::http_not_found, ""));
  Response response = error_reply(client_error(ErrorCode::http_method_not_allowed, std::string(head_->method_text)));
  response.headers.emplace_back("Allow", match_.allow);
  return send(std::move(response));
}

Verdict ApiRequest::serve_metrics() {
  if (match_.route->kind != RouteKind::metrics) return Verdict::next;
  Response response;
  response.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}, {"Cache-Control", "no-store"}};
  response.text = std::make_shared<const std::string>(services_.metrics_page());
  return send(std::move(response));
}

Verdict ApiRequest::claim_upload() {
  if (match_.route->kind != RouteKind::upload) return Verdict::next;
  if (!head_->content_length) return fail(client_error(ErrorCode::http_length_required, ""));
  responder_->limit_body(services_.config.upload_bytes_max);
  if (*head_->content_length > services_.config.upload_bytes_max) {
    return fail(client_error(ErrorCode::upload_too_large, std::to_string(*head_->content_length) +
                                                              " bytes, the limit is " +
                                                              std::to_string(services_.config.upload_bytes_max)));
  }
  const auto self = std::static_pointer_cast<ApiRequest>(shared_from_this());
  UploadReceiver::Events events;
  events.on_room = [self] {
    if (self->responder_ != nullptr) self->responder_->resume_body();
  };
  events.on_end = [self](Result<UploadRecord> result) {
    self->uploaded_ = std::move(result);
    self->advance();
  };
  upload_ = std::make_shared<UploadReceiver>(services_.loop, services_.uploads, std::move(events));
  upload_->start(match_.parameters.at(0), *head_->content_length);
  return Verdict::next;
}

Verdict ApiRequest::receive_body() {
  if (body_ended_ || uploaded_) return Verdict::next;
  if (!upload_ && head_->content_length.value_or(0) > kApiBodyBytesMax) {
    return fail(client_error(ErrorCode::upload_too_large,
                             "a body of this route may have " + std::to_string(kApiBodyBytesMax) + " bytes"));
  }
  return Verdict::wait;
}

Verdict ApiRequest::finish_upload() {
  if (!upload_) return Verdict::next;
  if (!uploaded_) return Verdict::wait;
  const auto receiver = std::move(upload_);
  if (!*uploaded_) {
    ++services_.counters.uploads_failed;
    return fail(uploaded_->error());
  }
  ++services_.counters.uploads_completed;
  const UploadRecord& record = uploaded_->value();
  const nlohmann::json body = {{"upload", record.upload}, {"size_bytes", record.size_bytes}, {"sha256", record.sha256}};
  return send(json_response(200, body.dump()));
}

Verdict ApiRequest::parse_body() {
  call_.parameters = match_.parameters;
  if (text_.empty()) return Verdict::next;
  call_.body = nlohmann::json::parse(text_, nullptr, false);
  if (!call_.body.is_discarded()) return Verdict::next;
  return fail(client_error(ErrorCode::http_bad_request, "the body is no JSON"));
}

Verdict ApiRequest::call() {
  if (result_) return Verdict::next;
  return wait_for_worker([this] { result_ = match_.route->function(services_, call_); });
}

Verdict ApiRequest::reply() {
  if (!*result_) return fail(result_->error());
  const Reply& made = result_->value();
  return send(json_response(made.status, made.body.dump()));
}

Verdict ApiRequest::fail(const Error& error) {
  // The path of the API holds no secret.
  if (error.info().http_status >= 500) {
    telemetry::log_error("{} {}: {}", head_->method_text, head_->path(), describe(error));
  }
  return send(error_reply(error));
}

Verdict ApiRequest::send(Response response) {
  const std::string_view name = match_.route == nullptr ? kNoRoute : match_.route->name;
  ++services_.counters.api_responses[{name, response.status}];
  return answer(std::move(response));
}

}  // namespace reelway::origin
