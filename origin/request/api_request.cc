#include "origin/request/api_request.h"

#include <array>

#include "common/telemetry/log.h"
#include "origin/fleet/credentials.h"
#include "origin/request/upload_sinks.h"

// The life of a request of the API. A JSON route waits for the whole body, which is small, and then runs its function
// on a worker, since functions ask the control store. An upload's body goes to its receiver as it comes; so does that
// of tus, whose other requests are read from their head and answered in header fields.
//
// A client whose connection broke asks for the offset before the origin has noticed that the former connection is dead.
// So asking for it, or deleting the upload, ends a body that is still being received; a second body is refused.

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
  static constexpr std::array<Step<ApiRequest>, 12> kSteps = {{
      {"authenticate", &ApiRequest::authenticate},
      {"route", &ApiRequest::route},
      {"serve_metrics", &ApiRequest::serve_metrics},
      {"read_tus", &ApiRequest::read_tus},
      {"claim_upload", &ApiRequest::claim_upload},
      {"receive_body", &ApiRequest::receive_body},
      {"finish_upload", &ApiRequest::finish_upload},
      {"free_upload", &ApiRequest::free_upload},
      {"call_tus", &ApiRequest::call_tus},
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
  const bool tus = head_->path().starts_with(kTusFolder.substr(0, kTusFolder.size() - 1));
  match_ = match_route(tus ? tus_method(*head_) : head_->method, head_->path());
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

Verdict ApiRequest::read_tus() {
  if (match_.route->kind != RouteKind::tus) return Verdict::next;
  auto read = read_tus_call(*head_, match_.parameters.empty() ? "" : match_.parameters[0]);
  if (!read) return fail(read.error());
  tus_ = std::move(read).value();
  if (tus_->kind == TusCall::Kind::options) return send(tus_options(services_.config.upload_bytes_max));
  return Verdict::next;
}

Verdict ApiRequest::claim_upload() {
  if (tus_) {
    if (tus_->kind != TusCall::Kind::append && tus_->kind != TusCall::Kind::create) return Verdict::next;
    if (tus_->kind == TusCall::Kind::append && services_.active_uploads.find(tus_->upload)) {
      return fail(client_error(ErrorCode::upload_locked, "another request is sending bytes of " + tus_->upload));
    }
    responder_->limit_body(services_.config.upload_bytes_max);
    if (tus_->kind == TusCall::Kind::create) {
      receive(new_upload_sink(services_.uploads, tus_->creation, tus_->bytes), "");
    } else {
      receive(resumed_upload_sink(services_.uploads, *tus_->bytes), tus_->upload);
    }
    return Verdict::next;
  }
  if (match_.route->kind != RouteKind::upload) return Verdict::next;
  if (!head_->content_length) return fail(client_error(ErrorCode::http_length_required, ""));
  responder_->limit_body(services_.config.upload_bytes_max);
  if (*head_->content_length > services_.config.upload_bytes_max) {
    return fail(client_error(ErrorCode::upload_too_large, std::to_string(*head_->content_length) +
                                                              " bytes, the limit is " +
                                                              std::to_string(services_.config.upload_bytes_max)));
  }
  receive(whole_upload_sink(services_.uploads, match_.parameters.at(0), *head_->content_length), "");
  return Verdict::next;
}

// `active`: the upload by which other requests find this receiver; empty when they need not.
void ApiRequest::receive(std::unique_ptr<UploadSink> sink, std::string active) {
  const auto self = std::static_pointer_cast<ApiRequest>(shared_from_this());
  UploadReceiver::Events events;
  events.on_room = [self] {
    if (self->responder_ != nullptr) self->responder_->resume_body();
  };
  events.on_end = [self](Result<UploadStatus> result) {
    self->uploaded_ = std::move(result);
    self->advance();
  };
  upload_ = std::make_shared<UploadReceiver>(services_.loop, std::move(sink), std::move(events));
  if (!active.empty()) services_.active_uploads.add(std::move(active), upload_);
  upload_->start();
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
  return answer_upload(uploaded_->value());
}

Verdict ApiRequest::answer_upload(const UploadStatus& status) {
  const UploadRecord& record = status.record;
  if (record.state == UploadState::complete) ++services_.counters.uploads_completed;
  if (tus_) return send(tus_answer(*tus_, status));
  nlohmann::json body = {{"upload", record.upload}, {"size_bytes", record.size_bytes}, {"sha256", record.sha256}};
  if (!record.duplicate_of.empty()) body["duplicate_of"] = record.duplicate_of;
  return send(json_response(200, body.dump()));
}

// The request's own body has ended, so nothing but the other one's end asks this step again.
Verdict ApiRequest::free_upload() {
  if (!tus_ || tus_->upload.empty()) return Verdict::next;
  const auto other = services_.active_uploads.find(tus_->upload);
  if (!other) return Verdict::next;
  const auto self = std::static_pointer_cast<ApiRequest>(shared_from_this());
  // Later, when nothing of the other request is running any more.
  other->give_way([self] { self->loop_.post([self] { self->advance(); }); });
  return Verdict::wait;
}

// Those calls of tus that bring no bytes.
Verdict ApiRequest::call_tus() {
  using Outcome = Result<std::optional<UploadStatus>>;
  if (!tus_) return Verdict::next;
  if (!tus_result_) {
    return wait_for_worker([this] {
      Uploads& uploads = services_.uploads;
      Result<UploadStatus> status = UploadStatus{};
      if (tus_->kind == TusCall::Kind::terminate) {
        const auto removed = uploads.terminate(tus_->upload);
        tus_result_ = removed ? Outcome(std::nullopt) : Outcome(removed.error());
        return;
      }
      if (tus_->kind == TusCall::Kind::concatenate) {
        const auto whole = uploads.concatenate(tus_->concatenation);
        status = whole ? uploads.status(whole->upload) : Result<UploadStatus>(whole.error());
      } else {
        status = uploads.status(tus_->upload);
        if (status && (!status->record.resumable || status->record.state == UploadState::taken)) {
          status = client_error(ErrorCode::upload_not_found, tus_->upload);
        }
      }
      tus_result_ = status ? Outcome(std::move(status).value()) : Outcome(status.error());
    });
  }
  if (!*tus_result_) return fail(tus_result_->error());
  if (tus_->kind == TusCall::Kind::concatenate) ++services_.counters.uploads_completed;
  return send(tus_answer(*tus_, tus_result_->value()));
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
  Reply& made = result_->value();
  if (made.content_type.empty()) return send(json_response(made.status, made.body.dump()));
  Response response;
  response.status = made.status;
  response.headers = {{"Content-Type", std::string(made.content_type)}, {"Cache-Control", "no-store"}};
  response.text = std::make_shared<const std::string>(std::move(made.content));
  return send(std::move(response));
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
  if (match_.route != nullptr && match_.route->kind == RouteKind::tus) add_tus_headers(response);
  return answer(std::move(response));
}

}  // namespace reelway::origin
