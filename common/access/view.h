#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/access/clip.h"
#include "common/base/result.h"

namespace reelway::access {

// What a token narrows its bearer to. The lists of renditions (multivariant playlist, DASH manifest) differ by view;
// every other object is the same for all who may have it, and its path says whether one may. What a device can play is
// no part of it: players choose by the codecs that the lists name.
struct View {
  std::uint16_t max_height = 0;        // 0: every rendition
  std::vector<std::string> languages;  // BCP 47 primary subtags, rising, no two equal; empty: all
  // Of the one version that may be seen, though it may not be published: staff's look at it. 0: what is published.
  std::uint32_t preview = 0;
  // The one part of the film that may be seen; who may see the whole film has that instead, not its parts.
  Clip clip{};
  bool operator==(const View&) const = default;
};

inline constexpr std::size_t kViewLanguagesMax = 16;

bool is_language(std::string_view text);  // two or three of a-z, but not "all"
// config_value_invalid names what is wrong with it.
Result<void> check_view(const View& view);

// "all", "h480", "h480.de.en", "de.en", "p2.c0-60.h480": one text for one view; goes into cache keys and to the origin.
std::string view_id(const View& view);
std::optional<View> parse_view_id(std::string_view text);

// Whether objects at this path differ by this view: the lists of renditions do, and all that a preview sees is kept
// apart from what viewers see.
bool varies_by_view(const View& view, std::string_view object_path);
// rendition_not_in_offer or language_not_in_offer when the path's rendition is outside the view, rendition_not_in_offer
// also when its clip is another one; token_other_title when its version is.
Result<void> check_path_in_view(const View& view, std::string_view object_path);

}  // namespace reelway::access
