#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reelway::access {

// A part of a film that is shown by itself: its units (docs/formats/track_index.md, about 2 s each, cut at key frames)
// from `first` up to `end`. It has a folder of its own, /<title>/<version>/clip-<first>-<end>/, below which everything
// lies as it does below the version, with times that begin at 0.
struct Clip {
  std::uint32_t first = 0;
  std::uint32_t end = 0;  // 0: no clip, the whole film
  bool operator==(const Clip&) const = default;

  bool is_whole_film() const { return end == 0; }
  bool is_sound() const { return is_whole_film() ? first == 0 : first < end && end <= kUnitsMax; }
  static constexpr std::uint32_t kUnitsMax = 1'000'000;  // 23 days
};

// "0-60"; the one text of a clip, without leading zeros. Nothing for anything else.
std::string clip_text(const Clip& clip);
std::optional<Clip> parse_clip(std::string_view text);

inline constexpr std::string_view kClipFolder = "clip-";
// The clip of a folder's name, "clip-0-60".
std::optional<Clip> clip_of_folder(std::string_view name);

}  // namespace reelway::access
