#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "origin/client/patience.h"
#include "origin/mp4/track_index.h"

namespace reelway::origin {

// A version has one key for each of these, so that who rented a film in SD never needs the key of its HD pictures.
enum class KeyLabel : std::uint8_t { audio, sd, hd, uhd };
inline constexpr std::array<std::string_view, 4> kKeyLabels = {"audio", "sd", "hd", "uhd"};
inline constexpr std::uint32_t kSdLinesMax = 576, kHdLinesMax = 1080;
KeyLabel key_label(const mp4::TrackIndex& track);
constexpr std::string_view name_of(KeyLabel label) {
  return kKeyLabels[static_cast<std::size_t>(label)];
}

// Whose keys are asked for.
struct KeyScope {
  std::string title;
  std::string version;
  std::string source_sha256;  // of the version's original, hex
};

using KeyId = std::array<std::uint8_t, 16>;

struct ProvidedKey {
  KeyId id{};
  std::array<std::uint8_t, 16> key{};
  std::optional<std::array<std::uint8_t, 16>> iv;  // that the provider's licences state
  Bytes pssh;                                      // whole pssh boxes of DRM systems
  // Tags of DRM systems, whole lines: EXT-X-KEY for media playlists, EXT-X-SESSION-KEY for the multivariant one.
  std::string media_tags, session_tags;
};
using VersionKeys = std::map<KeyLabel, ProvidedKey>;  // of all labels

// Where content keys come from. The same version always gets the same keys; no two versions share any.
class KeyProvider {
 public:
  virtual ~KeyProvider() = default;
  // Blocking. One call at a time. key_provider_unavailable, key_provider_refused, cpix_malformed, stored_data_corrupt,
  // the control store's; shutting_down when patience is given up.
  virtual Result<VersionKeys> keys(const KeyScope& scope, Patience& patience) = 0;
};

}  // namespace reelway::origin
