#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// What a version has beside picture and sound, as its record keeps it: subtitles, and small pictures for seeking.
// Pure.

namespace reelway::origin {

// A file of the version's folder, as it was when it was verified.
struct KeptFile {
  std::string file;
  std::uint64_t bytes = 0;
  std::string sha256;  // lower-case hex
};

struct TextTrackRecord {
  std::string id;        // "subtitles/en"
  std::string name;      // for people: "English (SDH)"
  std::string language;  // BCP 47
  bool forced = false;
  bool for_deaf = false;
  KeptFile cues;                      // "subtitles-en.text": docs/formats/subtitles.md
  std::optional<KeptFile> ttml = {};  // "subtitles-en.ttml": where the vendor's file was TTML
};

// docs/formats/thumbnails.md
struct ImageTrackRecord {
  std::string id;  // "images/320"
  KeptFile index, sheets, bif;
};

inline constexpr std::size_t kTextTracksMax = 100;
inline constexpr std::size_t kImageTracksMax = 4;

nlohmann::json texts_value(const std::vector<TextTrackRecord>& texts);
nlohmann::json images_value(const std::vector<ImageTrackRecord>& images);
// A field of a record that may not have it. stored_data_corrupt names the key.
Result<std::vector<TextTrackRecord>> text_tracks(std::string_view key, const nlohmann::json* field);
Result<std::vector<ImageTrackRecord>> image_tracks(std::string_view key, const nlohmann::json* field);

}  // namespace reelway::origin
