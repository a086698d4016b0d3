#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// A file that a vendor delivered beside the picture, as the version's record keeps it. Pure.

namespace reelway::origin {

enum class DeliveredKind : std::uint8_t { audio, music_and_effects, subtitles, artwork };
std::string_view name_of(DeliveredKind kind);

struct DeliveredFile {
  DeliveredKind kind = DeliveredKind::audio;
  std::string name;      // within originals/<title>/<version>/: ours, never the vendor's
  std::string filename;  // as the vendor called it, for people
  std::string language;  // BCP 47; empty where there is none
  std::string role;      // audio: main, commentary, description; subtitles: full, forced, sdh; artwork: what it shows
  std::string layout;    // of sound: mono, stereo, 5.1, 7.1; empty: not said
  std::string place;     // in the manifest, for complaints: "delivery.yaml:12"
  std::uint64_t bytes = 0;
  std::string sha256;  // lower-case hex
  std::string upload;  // whose file it is, until it has been moved to its place
};

nlohmann::json delivered_value(const std::vector<DeliveredFile>& files);
// The field of a record that may not have it. stored_data_corrupt names the key.
Result<std::vector<DeliveredFile>> delivered_files(std::string_view key, const nlohmann::json* field);

}  // namespace reelway::origin
