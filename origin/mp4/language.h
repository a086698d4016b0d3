#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Languages: MP4 boxes hold ISO 639-2/T ("fra"), playlists BCP 47 ("fr").

namespace reelway::origin::mp4 {

// The shortest BCP 47 tag of three packed letters (5 bits each, 'a' is 1): "und" if they are not letters.
std::string language_tag(std::uint16_t packed);

// The packed ISO 639-2/T code of a tag's first part; that of "und" if it has none.
std::uint16_t packed_language(std::string_view tag);

}  // namespace reelway::origin::mp4
