#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/encoding.h"
#include "origin/protection/cpix.h"

// What a key server answers. Whatever comes: keys that are taken are whole, and what goes into boxes and playlists is
// of its kind and within the limits.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reelway;
  using namespace reelway::origin;
  CpixRequest request;
  for (std::size_t i = 0; i < 2; ++i) {
    request.ids[static_cast<KeyLabel>(i)].fill(static_cast<std::uint8_t>(0x11 * (i + 1)));
  }
  const auto keys = parse_cpix(as_text(ByteView(data, size)), request);
  if (!keys.ok()) return 0;
  CHECK(keys->size() == request.ids.size());
  for (const auto& [label, key] : *keys) {
    CHECK(key.id == request.ids.at(label));
    CHECK(key.pssh.size() <= kPsshBytesMax);
    for (const auto& [text, tag] :
         {std::pair{&key.media_tags, "#EXT-X-KEY:"}, {&key.session_tags, "#EXT-X-SESSION-KEY:"}}) {
      CHECK(text->size() <= kSignallingBytesMax && is_utf8(*text));
      for (std::size_t at = 0; at < text->size(); at = text->find('\n', at) + 1) {
        CHECK(std::string_view(*text).substr(at).starts_with(tag) && text->find('\n', at) != std::string::npos);
      }
    }
  }
  return 0;
}
