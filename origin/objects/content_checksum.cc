#include "origin/objects/content_checksum.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/base/crc32c.h"
#include "common/base/encoding.h"

namespace reelway::origin {
namespace {

std::size_t width(ChecksumKind kind) {
  switch (kind) {
    case ChecksumKind::sha256: return 32;
    case ChecksumKind::md5: return 16;
    case ChecksumKind::crc32c:
    case ChecksumKind::crc32: return 4;
  }
  return 0;
}

}  // namespace

std::string_view name_of(ChecksumKind kind) {
  switch (kind) {
    case ChecksumKind::sha256: return "sha256";
    case ChecksumKind::crc32c: return "crc32c";
    case ChecksumKind::crc32: return "crc32";
    case ChecksumKind::md5: return "md5";
  }
  return "";
}

std::optional<ExpectedChecksum> expected_checksum(const FindField& find, bool etag_is_md5) {
  const std::string type = find("x-amz-checksum-type");
  if (type.empty() || type == "FULL_OBJECT") {
    for (const auto& [kind, field] : {std::pair{ChecksumKind::sha256, "x-amz-checksum-sha256"},
                                      std::pair{ChecksumKind::crc32c, "x-amz-checksum-crc32c"},
                                      std::pair{ChecksumKind::crc32, "x-amz-checksum-crc32"}}) {
      if (auto found = amz_checksum(kind, find(field))) return found;
    }
  }
  const std::string encryption = find("x-amz-server-side-encryption");
  const bool has_own_key = !find("x-amz-server-side-encryption-customer-algorithm").empty();
  if (!etag_is_md5 || has_own_key || !(encryption.empty() || encryption == "AES256")) return std::nullopt;
  return etag_checksum(find("etag"));
}

std::optional<ExpectedChecksum> amz_checksum(ChecksumKind kind, std::string_view base64_value) {
  auto value = from_base64(base64_value);
  if (!value || value->size() != width(kind)) return std::nullopt;
  return ExpectedChecksum{kind, std::move(*value)};
}

std::optional<ExpectedChecksum> etag_checksum(std::string_view etag) {
  if (etag.size() != 34 || !etag.starts_with('"') || !etag.ends_with('"')) return std::nullopt;
  auto value = from_hex(etag.substr(1, 32));
  if (!value) return std::nullopt;
  return ExpectedChecksum{ChecksumKind::md5, std::move(*value)};
}

struct ContentChecksum::State {
  ChecksumKind kind;
  EVP_MD_CTX* digest = nullptr;
  std::uint32_t crc = 0;
  ~State() { EVP_MD_CTX_free(digest); }
};

// OpenSSL's digest can fail only for want of memory or of the algorithm, neither of which a caller could handle.
ContentChecksum::ContentChecksum(ChecksumKind kind) : state_(std::make_unique<State>()) {
  state_->kind = kind;
  if (kind != ChecksumKind::sha256 && kind != ChecksumKind::md5) return;
  state_->digest = EVP_MD_CTX_new();
  CHECK(state_->digest != nullptr);
  CHECK(EVP_DigestInit_ex(state_->digest, kind == ChecksumKind::md5 ? EVP_md5() : EVP_sha256(), nullptr) == 1);
}
ContentChecksum::~ContentChecksum() = default;
ContentChecksum::ContentChecksum(ContentChecksum&&) noexcept = default;
ContentChecksum& ContentChecksum::operator=(ContentChecksum&&) noexcept = default;

void ContentChecksum::add(ByteView bytes) {
  if (bytes.empty()) return;  // zlib starts anew for a null pointer
  if (state_->digest != nullptr) {
    CHECK(EVP_DigestUpdate(state_->digest, bytes.data(), bytes.size()) == 1);
  } else if (state_->kind == ChecksumKind::crc32c) {
    state_->crc = crc32c(bytes, state_->crc);
  } else {
    state_->crc = static_cast<std::uint32_t>(::crc32_z(state_->crc, bytes.data(), bytes.size()));
  }
}

Bytes ContentChecksum::finish() {
  if (state_->digest == nullptr) {
    ByteWriter writer;
    writer.u32(state_->crc);
    return writer.take();
  }
  Bytes value(width(state_->kind));
  unsigned length = 0;
  CHECK(EVP_DigestFinal_ex(state_->digest, value.data(), &length) == 1 && length == value.size());
  return value;
}

}  // namespace reelway::origin
