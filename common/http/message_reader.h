#pragma once

#include <llhttp.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/http/limits.h"
#include "common/http/parser.h"

namespace reelway::http {

enum class MessageKind : std::uint8_t { request, response };

// A part of the stored head, by place and not by pointer: the storage may move while the head still grows.
struct HeadPart {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

struct FieldParts {
  HeadPart name;
  HeadPart value;
};

// Why a message is refused. `reason` is a literal: it never quotes the peer's bytes, which may hold a token.
struct Refusal {
  ErrorCode code;
  std::string_view reason;
};

// Drives llhttp over one message at a time: gathers the head, then hands out the body in pieces. It knows the
// syntax and the limits; what the headers mean is in framing.h. Used only by the two parsers of parser.h, which
// keep it at a fixed address (llhttp points back at it).
class MessageReader {
 public:
  MessageReader(MessageKind kind, const Limits& limits);
  MessageReader(const MessageReader&) = delete;
  MessageReader& operator=(const MessageReader&) = delete;

  Result<ParseStep> feed(ByteView input);
  Result<ParseStep> finish();
  void reset();

  // The response that comes answers a HEAD request. Holds until changed.
  void set_to_head(bool to_head) { to_head_ = to_head; }
  void set_body_bytes_max(std::uint64_t bytes) { limits_.body_bytes_max = bytes; }

  // Ends the message with an error, which every later feed() repeats.
  Error refuse(const Refusal& refusal);

  // Parts of the head, from its completion until reset().
  std::string_view text(HeadPart part) const { return std::string_view(storage_).substr(part.offset, part.size); }
  std::string_view head_text() const { return storage_; }
  std::string_view target() const { return text(target_); }
  const std::vector<FieldParts>& fields() const { return fields_; }
  std::uint8_t method() const { return parser_.method; }
  std::uint16_t status() const { return parser_.status_code; }
  std::uint8_t major_version() const { return parser_.http_major; }
  std::uint8_t minor_version() const { return parser_.http_minor; }
  std::optional<std::uint64_t> content_length() const { return content_length_; }
  bool body_ends_with_connection() const { return ends_with_connection_; }

 private:
  enum class Phase : std::uint8_t { head, body, complete, failed };

  static const llhttp_settings_t kSettings;
  static MessageReader& of(llhttp_t* parser) { return *static_cast<MessageReader*>(parser->data); }
  static int on_target(llhttp_t* parser, const char* at, std::size_t size);
  static int on_name(llhttp_t* parser, const char* at, std::size_t size);
  static int on_value(llhttp_t* parser, const char* at, std::size_t size);
  static int on_extension(llhttp_t* parser, const char* at, std::size_t size);
  static int on_headers_complete(llhttp_t* parser);
  static int on_body(llhttp_t* parser, const char* at, std::size_t size);
  static int on_message_complete(llhttp_t* parser);

  Result<ParseStep> feed_head(ByteView input);
  Result<ParseStep> feed_body(ByteView input);
  std::size_t head_end(ByteView input) const;
  Result<ParseStep> head_complete(std::size_t consumed);
  Error llhttp_error();
  HeadPart part_at(const char* at, std::size_t size) const;
  int stop(const Refusal& refusal);
  int count_overhead(std::size_t size);
  bool response_has_no_body() const;

  llhttp_t parser_;
  MessageKind kind_;
  Phase phase_ = Phase::head;
  bool to_head_ = false;
  bool ends_with_connection_ = false;
  Limits limits_;
  std::string storage_;  // the head as received
  HeadPart target_;
  std::vector<FieldParts> fields_;
  std::optional<std::uint64_t> content_length_;
  std::uint64_t body_bytes_ = 0;
  std::size_t overhead_bytes_ = 0;  // trailers and chunk extensions, which are dropped
  ByteView piece_;                  // of the body, in the caller's input
  std::optional<Refusal> refusal_;  // set by a callback that stopped llhttp
  Error error_;                     // of phase failed
};

}  // namespace reelway::http
