#include "common/http/parser.h"

#include "common/http/framing.h"
#include "common/http/message_reader.h"

// The two public parsers: each is a MessageReader plus the head built of what the reader found. The head is built once,
// when the reader has seen all of it, and checked there against the framing rules.

namespace reelway::http {
namespace {

void copy_fields(const MessageReader& reader, HeaderList& headers) {
  for (const FieldParts& field : reader.fields())
    headers.add(reader.text(field.name), trimmed(reader.text(field.value)));
}

// The first line, without its end. A server skips empty lines before it (RFC 9112 section 2.2), as llhttp has done.
std::string_view first_line(std::string_view head) {
  const std::size_t begin = head.find_first_not_of("\r\n");
  if (begin == std::string_view::npos) return {};
  return head.substr(begin, head.find('\r', begin) - begin);
}

Method method_of(std::uint8_t llhttp_method) {
  switch (llhttp_method) {
    case HTTP_GET: return Method::get;
    case HTTP_HEAD: return Method::head;
    case HTTP_OPTIONS: return Method::options;
    case HTTP_PUT: return Method::put;
    case HTTP_POST: return Method::post;
    case HTTP_PATCH: return Method::patch;
    case HTTP_DELETE: return Method::delete_;
    default: return Method::other;
  }
}

// A server must take the absolute form too (RFC 9112 section 3.2.2); what the caller routes by is the path in it.
std::string_view origin_form(std::string_view target) {
  const std::size_t scheme_end = target.find("://");
  if (target.starts_with('/') || scheme_end == std::string_view::npos) return target;
  const std::size_t path = target.find_first_of("/?", scheme_end + 3);
  if (path == std::string_view::npos) return "/";
  return target.substr(path);
}

std::optional<Refusal> check_version(const MessageReader& reader) {
  if (reader.major_version() == 1 && reader.minor_version() <= 1) return std::nullopt;
  return Refusal{ErrorCode::http_unsupported, "the version is neither HTTP/1.1 nor HTTP/1.0"};
}

// "METHOD target HTTP/1.x" with single spaces. llhttp also knows other protocols of this shape.
std::optional<Refusal> check_request_line(std::string_view line, std::string_view method, std::string_view target) {
  const bool version = line.ends_with(" HTTP/1.1") || line.ends_with(" HTTP/1.0");
  if (version && line.size() == method.size() + 1 + target.size() + 9) return std::nullopt;
  return Refusal{ErrorCode::http_malformed,
                 "the request line is not METHOD, target and HTTP/1.x between single spaces"};
}

}  // namespace

struct RequestParser::State {
  explicit State(const Limits& limits) : reader(MessageKind::request, limits) {}

  std::optional<Refusal> build_head() {
    if (auto refusal = check_lines(reader.head_text())) return refusal;
    if (auto refusal = check_version(reader)) return refusal;
    const std::string_view line = first_line(reader.head_text());
    head.method_text = line.substr(0, line.find(' '));
    if (auto refusal = check_request_line(line, head.method_text, reader.target())) return refusal;
    copy_fields(reader, head.headers);
    if (auto refusal = check_names(head.headers)) return refusal;
    const FramingFields fields = gather(head.headers);
    if (auto refusal = check_host(fields, reader.minor_version())) return refusal;
    if (auto refusal = check_transfer_encoding(fields, reader.minor_version())) return refusal;
    head.method = method_of(reader.method());
    head.target = origin_form(reader.target());
    head.minor_version = reader.minor_version();
    head.keep_alive = keeps_alive(fields, head.minor_version);
    head.chunked = fields.transfer_encodings == 1;
    head.upgrade = fields.upgrade;
    head.content_length = reader.content_length();
    return std::nullopt;
  }

  MessageReader reader;
  RequestHead head;
};

RequestParser::RequestParser(const Limits& limits) : state_(std::make_unique<State>(limits)) {}
RequestParser::~RequestParser() = default;
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;

Result<ParseStep> RequestParser::feed(ByteView input) {
  auto step = state_->reader.feed(input);
  if (step.ok() && step->event == ParseEvent::head) {
    if (auto refusal = state_->build_head()) return state_->reader.refuse(*refusal);
  }
  return step;
}

const RequestHead& RequestParser::head() const {
  return state_->head;
}

void RequestParser::set_body_bytes_max(std::uint64_t bytes) {
  state_->reader.set_body_bytes_max(bytes);
}

void RequestParser::reset() {
  state_->reader.reset();
  state_->head.headers.clear();
}

struct ResponseParser::State {
  explicit State(const Limits& limits) : reader(MessageKind::response, limits) {}

  std::optional<Refusal> build_head() {
    if (auto refusal = check_lines(reader.head_text())) return refusal;
    if (auto refusal = check_version(reader)) return refusal;
    if (!first_line(reader.head_text()).starts_with("HTTP/1.") || reader.status() < 100 || reader.status() > 599) {
      return Refusal{ErrorCode::http_malformed, "the status line is not HTTP/1.x and a status of 100 to 599"};
    }
    copy_fields(reader, head.headers);
    if (auto refusal = check_names(head.headers)) return refusal;
    const FramingFields fields = gather(head.headers);
    if (auto refusal = check_transfer_encoding(fields, reader.minor_version())) return refusal;
    head.status = reader.status();
    head.minor_version = reader.minor_version();
    head.chunked = fields.transfer_encodings == 1;
    head.content_length = reader.content_length();
    // A 204 that announces a body (RFC 9110 section 8.6 forbids it) may send it, too, and then it is no answer's.
    const bool stray_body = head.status == 204 && (head.chunked || head.content_length.value_or(0) > 0);
    head.keep_alive = keeps_alive(fields, head.minor_version) && !reader.body_ends_with_connection() && !stray_body;
    return std::nullopt;
  }

  MessageReader reader;
  ResponseHead head;
};

ResponseParser::ResponseParser(const Limits& limits) : state_(std::make_unique<State>(limits)) {}
ResponseParser::~ResponseParser() = default;
ResponseParser::ResponseParser(ResponseParser&&) noexcept = default;
ResponseParser& ResponseParser::operator=(ResponseParser&&) noexcept = default;

void ResponseParser::expect(bool to_head) {
  state_->reader.set_to_head(to_head);
}

Result<ParseStep> ResponseParser::feed(ByteView input) {
  auto step = state_->reader.feed(input);
  if (step.ok() && step->event == ParseEvent::head) {
    if (auto refusal = state_->build_head()) return state_->reader.refuse(*refusal);
  }
  return step;
}

Result<ParseStep> ResponseParser::finish() {
  return state_->reader.finish();
}

const ResponseHead& ResponseParser::head() const {
  return state_->head;
}

void ResponseParser::reset() {
  state_->reader.reset();
  state_->head.headers.clear();
}

}  // namespace reelway::http
