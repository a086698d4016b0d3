#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.h"

namespace reelway::origin {

// The sums by which an object store can say what an object's bytes are.
enum class ChecksumKind : std::uint8_t { sha256, crc32c, crc32, md5 };

struct ExpectedChecksum {
  ChecksumKind kind = ChecksumKind::sha256;
  Bytes value;  // big-endian
};

std::string_view name_of(ChecksumKind kind);

// What the header fields of an answer say of the whole object. `find` gives a field's value, empty without the field.
// The best of: x-amz-checksum-sha256, -crc32c, -crc32 (RFC 4648 base64; not those that are sums of parts' sums); then,
// with `etag_is_md5`, an ETag of 32 hexadecimal digits, unless the object is encrypted with a key of its own, whose
// ETag is another thing, or came in parts, whose ETag ends in "-<parts>". Nothing when the store does not say.
using FindField = std::function<std::string(std::string_view lower_case_name)>;
std::optional<ExpectedChecksum> expected_checksum(const FindField& find, bool etag_is_md5);

std::optional<ExpectedChecksum> amz_checksum(ChecksumKind kind, std::string_view base64_value);
std::optional<ExpectedChecksum> etag_checksum(std::string_view etag);

// Sums bytes that come in order, in pieces.
class ContentChecksum {
 public:
  explicit ContentChecksum(ChecksumKind kind);
  ~ContentChecksum();
  ContentChecksum(ContentChecksum&&) noexcept;
  ContentChecksum& operator=(ContentChecksum&&) noexcept;

  void add(ByteView bytes);
  Bytes finish();  // once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reelway::origin
