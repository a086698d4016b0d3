#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/http/message.h"
#include "common/http/message_reader.h"

namespace reelway::http {

// What the headers say about where the message and the connection end, and what is wrong with that.

// No LF stands alone and no line continues the one before (RFC 9112 sections 2.2 and 5.2): llhttp takes both. A CR that
// stands alone it refuses.
std::optional<Refusal> check_lines(std::string_view head);

// llhttp takes a line that begins with its colon; a name has at least one character (RFC 9112 section 5).
std::optional<Refusal> check_names(const HeaderList& headers);

// The fields that framing depends on, gathered in one pass.
struct FramingFields {
  std::size_t hosts = 0;
  std::string_view host;
  std::size_t transfer_encodings = 0;
  std::string_view transfer_encoding;
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
};
FramingFields gather(const HeaderList& headers);

// One coding, "chunked", and only in HTTP/1.1 (RFC 9112 section 6.1).
std::optional<Refusal> check_transfer_encoding(const FramingFields& fields, std::uint8_t minor_version);
// Exactly one Host in HTTP/1.1, at most one in HTTP/1.0, of the characters that a host and port have (RFC 9112
// section 3.2).
std::optional<Refusal> check_host(const FramingFields& fields, std::uint8_t minor_version);

// RFC 9112 section 9.3.
bool keeps_alive(const FramingFields& fields, std::uint8_t minor_version);

}  // namespace reelway::http
