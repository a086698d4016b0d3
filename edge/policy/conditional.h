#pragma once

#include <optional>
#include <string_view>

namespace reelway::edge {

// If-None-Match (RFC 9110 section 13.1.2): whether the client's copy is still good, by weak comparison. An object
// without an entity tag matches only "*".
bool none_match_holds_copy(std::string_view if_none_match, std::string_view etag);

// If-Range (section 13.1.5): whether a Range may be honoured. Absent: yes. An entity tag must match strongly; a date
// must equal Last-Modified.
bool range_may_apply(std::optional<std::string_view> if_range, std::string_view etag, std::string_view last_modified);

}  // namespace reelway::edge
