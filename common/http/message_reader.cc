#include "common/http/message_reader.h"

#include <algorithm>

// The life of a message: head -> body -> complete, or failed from anywhere.
//
// Head: bytes up to the empty line are copied once into storage_ and parsed there, so a head in one piece is copied by
// one append, and a head in many pieces still ends up in one run of memory. What llhttp reports becomes offsets into
// storage_; views are made of them when the head is complete and storage_ has stopped moving.
// Body: llhttp reads the caller's input in place and pauses at each piece.
//
// llhttp is paused by the callbacks themselves (HPE_PAUSED): after the head, after each piece and at the end. It then
// says where it stopped, which is what the caller has to drop from its buffer.

namespace reelway::http {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

}  // namespace

const llhttp_settings_t MessageReader::kSettings = [] {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_url = on_target;
  settings.on_header_field = on_name;
  settings.on_header_value = on_value;
  settings.on_chunk_extension_name = on_extension;
  settings.on_chunk_extension_value = on_extension;
  settings.on_headers_complete = on_headers_complete;
  settings.on_body = on_body;
  settings.on_message_complete = on_message_complete;
  return settings;
}();

MessageReader::MessageReader(MessageKind kind, const Limits& limits) : kind_(kind), limits_(limits) {
  reset();
}

void MessageReader::reset() {
  llhttp_init(&parser_, kind_ == MessageKind::request ? HTTP_REQUEST : HTTP_RESPONSE, &kSettings);
  parser_.data = this;
  phase_ = Phase::head;
  ends_with_connection_ = false;
  storage_.clear();
  target_ = {};
  fields_.clear();
  content_length_.reset();
  body_bytes_ = 0;
  overhead_bytes_ = 0;
  piece_ = {};
  refusal_.reset();
}

Result<ParseStep> MessageReader::feed(ByteView input) {
  switch (phase_) {
    case Phase::head: return feed_head(input);
    case Phase::body: return feed_body(input);
    case Phase::complete: return ParseStep{ParseEvent::complete, 0, {}};
    case Phase::failed: break;
  }
  return error_;
}

// Bytes of the input up to and with the first empty line, which may have begun in an earlier input; 0 if there is none.
std::size_t MessageReader::head_end(ByteView input) const {
  const std::string_view stored(storage_);
  const std::string_view text = as_text(input);
  for (std::size_t before = kHeadEnd.size() - 1; before > 0; --before) {
    const std::string_view rest = kHeadEnd.substr(before);
    if (stored.ends_with(kHeadEnd.substr(0, before)) && text.starts_with(rest)) return rest.size();
  }
  const std::size_t at = text.find(kHeadEnd);
  return at == std::string_view::npos ? 0 : at + kHeadEnd.size();
}

Result<ParseStep> MessageReader::feed_head(ByteView input) {
  std::size_t consumed = 0;
  while (consumed < input.size()) {
    const ByteView rest = input.subspan(consumed);
    const std::size_t end = head_end(rest);
    const std::size_t wanted = end == 0 ? rest.size() : end;
    const std::size_t taken = std::min(wanted, limits_.head_bytes_max - storage_.size());
    const std::size_t old_size = storage_.size();
    storage_.append(as_text(rest.first(taken)));
    consumed += taken;
    const auto outcome = llhttp_execute(&parser_, storage_.data() + old_size, taken);
    if (outcome == HPE_PAUSED) return head_complete(consumed);
    if (outcome != HPE_OK) return llhttp_error();
    if (taken < wanted) return refuse({ErrorCode::http_too_large, "the head is longer than head_bytes_max"});
  }
  return ParseStep{ParseEvent::need_more, consumed, {}};
}

Result<ParseStep> MessageReader::head_complete(std::size_t consumed) {
  // The head was fed up to its empty line, so llhttp cannot have stopped before that unless it saw another line end,
  // which the strict mode does not take.
  if (llhttp_get_error_pos(&parser_) != storage_.data() + storage_.size()) {
    return refuse({ErrorCode::http_malformed, "a line of the head does not end with CR LF"});
  }
  if ((parser_.flags & F_CONTENT_LENGTH) != 0) content_length_ = parser_.content_length;
  ends_with_connection_ = llhttp_message_needs_eof(&parser_) != 0;
  phase_ = Phase::body;
  return ParseStep{ParseEvent::head, consumed, {}};
}

Result<ParseStep> MessageReader::feed_body(ByteView input) {
  if (content_length_ && *content_length_ > limits_.body_bytes_max && (parser_.flags & F_SKIPBODY) == 0) {
    return refuse({ErrorCode::upload_too_large, "Content-Length is over body_bytes_max"});
  }
  llhttp_resume(&parser_);
  piece_ = {};
  const char* begin = input.empty() ? "" : as_text(input).data();
  const auto outcome = llhttp_execute(&parser_, begin, input.size());
  if (outcome == HPE_OK) return ParseStep{ParseEvent::need_more, input.size(), {}};
  if (outcome != HPE_PAUSED) return llhttp_error();
  const auto consumed = static_cast<std::size_t>(llhttp_get_error_pos(&parser_) - begin);
  if (phase_ == Phase::complete) return ParseStep{ParseEvent::complete, consumed, {}};
  return ParseStep{ParseEvent::body, consumed, piece_};
}

Result<ParseStep> MessageReader::finish() {
  if (phase_ == Phase::failed) return error_;
  if (phase_ == Phase::body) {
    // Runs the steps that need no byte, so that a message without a body ends here as it would in feed().
    auto step = feed_body({});
    if (!step.ok() || step->event == ParseEvent::complete) return step;
    if (ends_with_connection_) phase_ = Phase::complete;
  }
  if (phase_ == Phase::complete) return ParseStep{ParseEvent::complete, 0, {}};
  phase_ = Phase::failed;
  error_ = Error{ErrorCode::upstream_truncated, Side::upstream, true, "the connection closed before the message ended"};
  return error_;
}

Error MessageReader::refuse(const Refusal& refusal) {
  phase_ = Phase::failed;
  if (kind_ == MessageKind::request) {
    error_ = Error{refusal.code, Side::client, false, std::string(refusal.reason)};
  } else {
    // Whatever is wrong with a response, the client asked rightly: its status must be that of a bad gateway.
    error_ = Error{ErrorCode::upstream_failed, Side::upstream, false,
                   "the response is refused: " + std::string(refusal.reason)};
  }
  return error_;
}

Error MessageReader::llhttp_error() {
  if (refusal_) return refuse(*refusal_);
  const char* reason = llhttp_get_error_reason(&parser_);
  return refuse({ErrorCode::http_malformed, reason == nullptr ? std::string_view("syntax") : std::string_view(reason)});
}

HeadPart MessageReader::part_at(const char* at, std::size_t size) const {
  return {static_cast<std::uint32_t>(at - storage_.data()), static_cast<std::uint32_t>(size)};
}

int MessageReader::stop(const Refusal& refusal) {
  refusal_ = refusal;
  return HPE_USER;
}

// Trailers and chunk extensions are dropped, but a peer may not send them without end.
int MessageReader::count_overhead(std::size_t size) {
  overhead_bytes_ += size;
  if (overhead_bytes_ <= limits_.head_bytes_max) return 0;
  return stop({ErrorCode::http_too_large, "trailers and chunk extensions are longer than head_bytes_max"});
}

int MessageReader::on_target(llhttp_t* parser, const char* at, std::size_t size) {
  MessageReader& self = of(parser);
  const HeadPart part = self.part_at(at, size);
  if (self.target_.size == 0) self.target_.offset = part.offset;
  self.target_.size = part.offset + part.size - self.target_.offset;
  if (self.target_.size <= self.limits_.target_bytes_max) return 0;
  return self.stop({ErrorCode::http_too_large, "the target is longer than target_bytes_max"});
}

int MessageReader::on_name(llhttp_t* parser, const char* at, std::size_t size) {
  MessageReader& self = of(parser);
  if (self.phase_ != Phase::head) return self.count_overhead(size);
  const HeadPart part = self.part_at(at, size);
  if (!self.fields_.empty()) {
    // A name that came in two inputs lies in one run: between two names there is at least a colon.
    HeadPart& last = self.fields_.back().name;
    if (last.offset + last.size == part.offset) {
      last.size += part.size;
      return 0;
    }
  }
  if (self.fields_.size() == self.limits_.headers_max) {
    return self.stop({ErrorCode::http_too_large, "the head has more fields than headers_max"});
  }
  self.fields_.push_back({part, {part.offset, 0}});
  return 0;
}

int MessageReader::on_value(llhttp_t* parser, const char* at, std::size_t size) {
  MessageReader& self = of(parser);
  if (self.phase_ != Phase::head) return self.count_overhead(size);
  if (self.fields_.empty()) return self.stop({ErrorCode::http_malformed, "a field has no name"});
  const HeadPart part = self.part_at(at, size);
  HeadPart& value = self.fields_.back().value;
  if (value.size == 0) value.offset = part.offset;
  value.size = part.offset + part.size - value.offset;
  return 0;
}

int MessageReader::on_extension(llhttp_t* parser, const char*, std::size_t size) {
  return of(parser).count_overhead(size);
}

bool MessageReader::response_has_no_body() const {
  const auto status = parser_.status_code;
  return to_head_ || status / 100 == 1 || status == 204 || status == 304;
}

int MessageReader::on_headers_complete(llhttp_t* parser) {
  MessageReader& self = of(parser);
  // No protocol is offered to upgrade to, and a server may ignore the wish (RFC 9110 section 7.8); CONNECT is refused
  // by method. Without this llhttp would stop reading HTTP on this connection.
  parser->upgrade = 0;
  if (self.kind_ == MessageKind::response && self.response_has_no_body()) parser->flags |= F_SKIPBODY;
  return HPE_PAUSED;
}

int MessageReader::on_body(llhttp_t* parser, const char* at, std::size_t size) {
  // At the end of every input llhttp reports the piece that is open, also when the input was empty.
  if (size == 0) return 0;
  MessageReader& self = of(parser);
  self.body_bytes_ += size;
  if (self.body_bytes_ > self.limits_.body_bytes_max) {
    return self.stop({ErrorCode::upload_too_large, "the body is longer than body_bytes_max"});
  }
  self.piece_ = as_bytes({at, size});
  return HPE_PAUSED;
}

int MessageReader::on_message_complete(llhttp_t* parser) {
  of(parser).phase_ = Phase::complete;
  return HPE_PAUSED;
}

}  // namespace reelway::http
