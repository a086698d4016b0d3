#pragma once

#include <cstdint>

#include "common/base/bytes.h"

namespace reelway {

// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of every stored byte range. crc32c("123456789") is
// 0xe3069283. `so_far` is the value of the bytes before, so a body can be summed in parts.
std::uint32_t crc32c(ByteView bytes, std::uint32_t so_far = 0);

// The value of A followed by B, from the values of A and B and the length of B in bytes. Cost: log2(length).
std::uint32_t crc32c_combine(std::uint32_t crc_a, std::uint32_t crc_b, std::uint64_t length_b);

// The field value of RFC 9530 Content-Digest for this sum: "crc32c=:<base64 of 4 bytes, big-endian>:".
std::string crc32c_digest_field(std::uint32_t crc);
// The sum in a Content-Digest field value, which may list other algorithms too.
std::optional<std::uint32_t> crc32c_from_digest_field(std::string_view value);

}  // namespace reelway
