#include "common/http/framing.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace reelway::http {
namespace {

constexpr std::array<bool, 256> kHostBytes = [] {
  std::array<bool, 256> bytes{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                       "-._~%!$&'()*+;=:[]")) {
    bytes[static_cast<std::uint8_t>(c)] = true;
  }
  return bytes;
}();

bool is_host_byte(char c) {
  return kHostBytes[static_cast<std::uint8_t>(c)];
}

}  // namespace

std::optional<Refusal> check_lines(std::string_view head) {
  for (std::size_t at = head.find('\n'); at != std::string_view::npos; at = head.find('\n', at + 1)) {
    if (at == 0 || head[at - 1] != '\r') return Refusal{ErrorCode::http_malformed, "an LF stands alone"};
    if (at + 1 < head.size() && (head[at + 1] == ' ' || head[at + 1] == '\t')) {
      return Refusal{ErrorCode::http_malformed, "a line of the head begins with white space"};
    }
  }
  return std::nullopt;
}

std::optional<Refusal> check_names(const HeaderList& headers) {
  const bool named =
      std::none_of(headers.begin(), headers.end(), [](const Header& header) { return header.name.empty(); });
  if (named) return std::nullopt;
  return Refusal{ErrorCode::http_malformed, "a field has no name"};
}

FramingFields gather(const HeaderList& headers) {
  FramingFields fields;
  for (const Header& header : headers) {
    switch (header.name.size()) {
      case 4:
        if (names_equal(header.name, "host")) {
          ++fields.hosts;
          fields.host = header.value;
        }
        break;
      case 7: fields.upgrade = fields.upgrade || names_equal(header.name, "upgrade"); break;
      case 10:
        if (names_equal(header.name, "connection")) {
          fields.close = fields.close || list_contains(header.value, "close");
          fields.keep_alive = fields.keep_alive || list_contains(header.value, "keep-alive");
        }
        break;
      case 17:
        if (names_equal(header.name, "transfer-encoding")) {
          ++fields.transfer_encodings;
          fields.transfer_encoding = header.value;
        }
        break;
      default: break;
    }
  }
  return fields;
}

std::optional<Refusal> check_transfer_encoding(const FramingFields& fields, std::uint8_t minor_version) {
  if (fields.transfer_encodings == 0) return std::nullopt;
  if (minor_version == 0) return Refusal{ErrorCode::http_malformed, "HTTP/1.0 has no Transfer-Encoding"};
  if (fields.transfer_encodings > 1) return Refusal{ErrorCode::http_malformed, "Transfer-Encoding is repeated"};
  const std::size_t last_comma = fields.transfer_encoding.rfind(',');
  const std::size_t last = last_comma == std::string_view::npos ? 0 : last_comma + 1;
  if (!names_equal(trimmed(fields.transfer_encoding.substr(last)), "chunked")) {
    return Refusal{ErrorCode::http_malformed, "the last transfer coding is not chunked"};
  }
  if (last != 0) {
    return Refusal{ErrorCode::http_unsupported, "only the transfer coding chunked is offered"};
  }
  return std::nullopt;
}

std::optional<Refusal> check_host(const FramingFields& fields, std::uint8_t minor_version) {
  if (fields.hosts > 1) return Refusal{ErrorCode::http_malformed, "Host is repeated"};
  if (fields.hosts == 0 && minor_version >= 1) return Refusal{ErrorCode::http_malformed, "HTTP/1.1 needs a Host field"};
  if (!std::all_of(fields.host.begin(), fields.host.end(), is_host_byte)) {
    return Refusal{ErrorCode::http_malformed, "Host is not a host and port"};
  }
  return std::nullopt;
}

bool keeps_alive(const FramingFields& fields, std::uint8_t minor_version) {
  if (fields.close) return false;
  return minor_version >= 1 || fields.keep_alive;
}

}  // namespace reelway::http
