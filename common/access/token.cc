// A token is made once by the origin and checked in this order by an edge: parse_token (shape only), check_scope (times
// and title), then verify_signature, the one costly step. Parsing accepts exactly one text for each token: base64url is
// decoded strictly, claims stand in rising order, nothing follows the signature. So the text itself can serve as the
// key under which an edge remembers a verified token. OpenSSL is used through its one-shot Ed25519 calls only; its
// objects live no longer than one call, which is what makes the functions thread-safe.

#include "common/access/token.h"

#include <openssl/evp.h>

#include <algorithm>
#include <utility>

#include "common/access/play_path.h"
#include "common/base/encoding.h"

namespace reelway::access {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kEntitlementClaim = 1;
constexpr std::uint8_t kHeightClaim = 2;
constexpr std::uint8_t kLanguagesClaim = 3;
constexpr std::uint8_t kPreviewClaim = 4;
constexpr std::uint8_t kClipClaim = 5;
constexpr std::size_t kSignatureBytes = 64;
// The trailing zero byte belongs to the label.
constexpr std::string_view kLabel{"reelway-token-1\0", 16};
// The last second of the year 9999: later times do not fit the dates that people are shown.
constexpr std::int64_t kTimeMax = 253402300799;

struct EvpFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using EvpKey = std::unique_ptr<EVP_PKEY, EvpFree>;
using EvpContext = std::unique_ptr<EVP_MD_CTX, EvpFree>;

Error malformed(std::string detail) {
  return {ErrorCode::token_malformed, Side::client, false, std::move(detail)};
}
Error bad_signature() {
  return {ErrorCode::token_signature_bad, Side::client, false, {}};
}
Error crypto_failed(std::string call) {
  return {ErrorCode::internal, Side::self, false, std::move(call) + " failed"};
}
Error unsignable(std::string detail) {
  return {ErrorCode::config_value_invalid, Side::client, false, std::move(detail)};
}

bool is_time(std::uint64_t seconds) {
  return seconds <= static_cast<std::uint64_t>(kTimeMax);
}

std::optional<EntitlementClaim> read_entitlement(ByteView value) {
  ByteReader reader{value};
  EntitlementClaim claim;
  const ByteView id = reader.take(claim.id.size());
  std::copy(id.begin(), id.end(), claim.id.begin());
  claim.revision = reader.i64();
  if (reader.failed() || !reader.at_end() || claim.revision < 0) return std::nullopt;
  return claim;
}

std::uint16_t read_height(ByteView value) {
  ByteReader reader{value};
  const std::uint16_t height = reader.u16();
  return reader.at_end() ? height : 0;
}

std::uint32_t read_preview(ByteView value) {
  ByteReader reader{value};
  const std::uint32_t version = reader.u32();
  return reader.at_end() ? version : 0;
}

// No clip when it is not of the known form.
Clip read_clip(ByteView value) {
  ByteReader reader{value};
  const Clip clip{reader.u32(), reader.u32()};
  return reader.at_end() && clip.is_sound() ? clip : Clip{};
}

std::vector<std::string> read_languages(std::string_view text) {
  std::vector<std::string> languages;
  while (true) {
    const auto dot = text.find('.');
    languages.emplace_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return languages;
    text.remove_prefix(dot + 1);
  }
}

std::string languages_text(const std::vector<std::string>& languages) {
  std::string text;
  for (const std::string& language : languages) text += (text.empty() ? "" : ".") + language;
  return text;
}

// A claim narrows what its bearer may do, so one that is not understood must refuse the token.
Result<void> read_claim(std::uint8_t number, ByteView value, Token& token) {
  switch (number) {
    case kEntitlementClaim:
      token.entitlement = read_entitlement(value);
      if (!token.entitlement) return malformed("its entitlement is not of the known form");
      return {};
    case kHeightClaim:
      token.view.max_height = read_height(value);
      if (token.view.max_height == 0) return malformed("its maximum height is not of the known form");
      return {};
    case kLanguagesClaim: token.view.languages = read_languages(as_text(value)); return {};
    case kPreviewClaim:
      token.view.preview = read_preview(value);
      if (token.view.preview == 0) return malformed("its preview is not of the known form");
      return {};
    case kClipClaim:
      token.view.clip = read_clip(value);
      if (token.view.clip.is_whole_film()) return malformed("its clip is not of the known form");
      return {};
    default: return malformed("claim " + std::to_string(number) + " is not known here");
  }
}

Result<void> read_claims(ByteReader& reader, Token& token) {
  const std::uint8_t count = reader.u8();
  int previous = -1;
  for (int i = 0; i < count && !reader.failed(); ++i) {
    const std::uint8_t number = reader.u8();
    const ByteView value = reader.take(reader.u8());
    if (reader.failed()) break;
    if (number <= previous) return malformed("its claims are not in rising order");
    REELWAY_TRY(read_claim(number, value, token));
    previous = number;
  }
  if (!check_view(token.view)) return malformed("its languages are not of the known form");
  return {};
}

void write_claims(ByteWriter& writer, const Token& token) {
  const std::string languages = languages_text(token.view.languages);
  writer.u8(static_cast<std::uint8_t>((token.entitlement ? 1 : 0) + (token.view.max_height != 0 ? 1 : 0) +
                                      (languages.empty() ? 0 : 1) + (token.view.preview != 0 ? 1 : 0) +
                                      (token.view.clip.is_whole_film() ? 0 : 1)));
  if (token.entitlement) {
    writer.u8(kEntitlementClaim);
    writer.u8(static_cast<std::uint8_t>(token.entitlement->id.size() + sizeof token.entitlement->revision));
    writer.append(token.entitlement->id);
    writer.i64(token.entitlement->revision);
  }
  if (token.view.max_height != 0) {
    writer.u8(kHeightClaim);
    writer.u8(sizeof token.view.max_height);
    writer.u16(token.view.max_height);
  }
  if (!languages.empty()) {
    writer.u8(kLanguagesClaim);
    writer.u8(static_cast<std::uint8_t>(languages.size()));
    writer.append(languages);
  }
  if (token.view.preview != 0) {
    writer.u8(kPreviewClaim);
    writer.u8(sizeof token.view.preview);
    writer.u32(token.view.preview);
  }
  if (!token.view.clip.is_whole_film()) {
    writer.u8(kClipClaim);
    writer.u8(sizeof token.view.clip.first + sizeof token.view.clip.end);
    writer.u32(token.view.clip.first);
    writer.u32(token.view.clip.end);
  }
}

Result<void> read_token(ByteReader& reader, Token& token) {
  const std::uint8_t format = reader.u8();
  if (!reader.failed() && format != kFormat)
    return malformed("format " + std::to_string(format) + " is not known here");
  token.kid = reader.u32();
  const std::uint64_t not_before = reader.u64();
  const std::uint64_t expires = reader.u64();
  const ByteView session = reader.take(token.session.size());
  std::copy(session.begin(), session.end(), token.session.begin());
  token.title = as_text(reader.take(reader.u8()));
  REELWAY_TRY(read_claims(reader, token));
  if (reader.failed()) return malformed("it ends early");
  if (!is_title_id(token.title)) return malformed("its title is no title id");
  if (!is_time(not_before) || !is_time(expires) || expires <= not_before)
    return malformed("its times are not in order");
  token.not_before_s = static_cast<std::int64_t>(not_before);
  token.expires_s = static_cast<std::int64_t>(expires);
  return {};
}

Bytes write_token(const Token& token) {
  ByteWriter writer;
  writer.u8(kFormat);
  writer.u32(token.kid);
  writer.i64(token.not_before_s);
  writer.i64(token.expires_s);
  writer.append(token.session);
  writer.u8(static_cast<std::uint8_t>(token.title.size()));
  writer.append(token.title);
  write_claims(writer, token);
  return writer.take();
}

Bytes labelled(ByteView bytes) {
  ByteWriter writer;
  writer.append(kLabel);
  writer.append(bytes);
  return writer.take();
}

Result<void> check_signable(const Token& token) {
  if (!is_title_id(token.title)) return unsignable("'" + token.title + "' is no title id");
  if (token.not_before_s < 0 || token.expires_s > kTimeMax || token.expires_s <= token.not_before_s) {
    return unsignable("a token's times must be in order, from 1970 to 9999");
  }
  if (token.entitlement && token.entitlement->revision < 0) return unsignable("a revision is never negative");
  return check_view(token.view);
}

Result<Bytes> sign(ByteView message, const PrivateKey& key) {
  const EvpKey evp{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size())};
  const EvpContext context{EVP_MD_CTX_new()};
  if (!evp || !context) return crypto_failed("loading an Ed25519 private key");
  Bytes signature(kSignatureBytes);
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, evp.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1 ||
      size != kSignatureBytes) {
    return crypto_failed("an Ed25519 signature");
  }
  return signature;
}

}  // namespace

Result<KeyPair> generate_key_pair() {
  const EvpKey key{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
  if (!key) return crypto_failed("making an Ed25519 key");
  KeyPair pair{};
  std::size_t public_size = pair.public_key.size();
  std::size_t private_size = pair.private_key.size();
  if (EVP_PKEY_get_raw_public_key(key.get(), pair.public_key.data(), &public_size) != 1 ||
      EVP_PKEY_get_raw_private_key(key.get(), pair.private_key.data(), &private_size) != 1) {
    return crypto_failed("reading an Ed25519 key");
  }
  return pair;
}

Result<PublicKey> public_key_of(const PrivateKey& key) {
  const EvpKey evp{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size())};
  PublicKey public_key{};
  std::size_t size = public_key.size();
  if (!evp || EVP_PKEY_get_raw_public_key(evp.get(), public_key.data(), &size) != 1) {
    return crypto_failed("deriving an Ed25519 public key");
  }
  return public_key;
}

Result<std::string> sign_token(const Token& token, const PrivateKey& key) {
  REELWAY_TRY(check_signable(token));
  Bytes bytes = write_token(token);
  const auto signature = sign(labelled(bytes), key);
  if (!signature) return signature.error();
  bytes.insert(bytes.end(), signature->begin(), signature->end());
  std::string text = base64url(bytes);
  CHECK(text.size() <= kTokenTextMax);
  return text;
}

Result<UnverifiedToken> parse_token(std::string_view text) {
  if (text.size() > kTokenTextMax) return malformed("it is over 1024 characters");
  const auto bytes = from_base64url(text);
  if (!bytes) return malformed("it is not base64url");
  if (bytes->size() <= kSignatureBytes) return malformed("it ends early");
  const ByteView all{*bytes};
  const ByteView body = all.first(all.size() - kSignatureBytes);
  const ByteView signature = all.last(kSignatureBytes);

  UnverifiedToken result;
  ByteReader reader{body};
  REELWAY_TRY(read_token(reader, result.token));
  if (!reader.at_end()) return malformed("bytes stand between its claims and its signature");
  result.signed_bytes = labelled(body);
  std::copy(signature.begin(), signature.end(), result.signature.begin());
  return result;
}

Result<void> check_scope(const Token& token, std::string_view title, std::int64_t now_s) {
  if (token.title != title) {
    return Error{ErrorCode::token_other_title, Side::client, false, "it is for title " + token.title};
  }
  if (now_s >= token.expires_s) {
    const std::string ago = std::to_string(now_s - token.expires_s);
    return Error{ErrorCode::token_expired, Side::client, false, "it expired " + ago + " s ago"};
  }
  if (now_s < token.not_before_s) {
    const std::string left = std::to_string(token.not_before_s - now_s);
    return Error{ErrorCode::token_not_yet_valid, Side::client, true, "it becomes valid in " + left + " s"};
  }
  return {};
}

Result<void> verify_signature(const UnverifiedToken& token, const PublicKey& key) {
  const EvpKey evp{EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size())};
  const EvpContext context{EVP_MD_CTX_new()};
  if (!context) return crypto_failed("EVP_MD_CTX_new");
  // Bytes that are no point of the curve load as a key all the same and fail below, as any wrong signature does.
  if (!evp || EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, evp.get()) != 1) return bad_signature();
  const Bytes& message = token.signed_bytes;
  if (EVP_DigestVerify(context.get(), token.signature.data(), token.signature.size(), message.data(), message.size()) !=
      1) {
    return bad_signature();
  }
  return {};
}

}  // namespace reelway::access
