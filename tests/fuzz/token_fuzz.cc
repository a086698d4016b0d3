#include <string>

#include "common/access/token.h"
#include "common/base/check.h"
#include "common/base/encoding.h"

// Two readings of an input: as a token's text, and as the bytes below its base64url. What parses must stay within its
// bounds, and its text must be the only one for its bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const reelway::ByteView input{data, size};
  const std::string texts[] = {std::string(reelway::as_text(input)), reelway::base64url(input)};
  for (const std::string& text : texts) {
    const auto parsed = reelway::access::parse_token(text);
    if (!parsed.ok()) continue;
    const reelway::access::Token& token = parsed->token;
    CHECK(text.size() <= reelway::access::kTokenTextMax);
    CHECK(token.expires_s > token.not_before_s && token.not_before_s >= 0);
    CHECK(!token.title.empty() && token.title.size() <= 63);
    const auto bytes = reelway::from_base64url(text);
    CHECK(bytes && reelway::base64url(*bytes) == text);
    CHECK(reelway::access::check_scope(token, token.title, token.not_before_s).ok());
  }
  return 0;
}
