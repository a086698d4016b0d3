#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/http/message.h"

namespace reelway::edge {

// If-None-Match (RFC 9110 section 13.1.2): whether the client's copy is still good, by weak comparison. An object
// without an entity tag matches only "*".
bool none_match_holds_copy(std::string_view if_none_match, std::string_view etag);

// If-Range (section 13.1.5): whether a Range may be honoured. Absent: yes. An entity tag must match strongly; a date
// must equal Last-Modified.
bool range_may_apply(std::optional<std::string_view> if_range, std::string_view etag, std::string_view last_modified);

// What a stored response can be compared by. Views as received; may be empty.
struct Validators {
  std::string_view etag;
  std::string_view last_modified;
  std::int64_t date_ms = 0;  // stands in for Last-Modified where there is none (RFC 9111 section 4.3.2)
};

enum class Precondition : std::uint8_t {
  proceed,
  not_modified,  // 304
  failed,        // 412
};
// All preconditions in the order of section 13.2.2, for an answer that without them would be a 200 (or 206) to a GET or
// HEAD. If-Range is not among them: range_may_apply().
//   as_origin   the edge answers for the resource (films): If-Match and If-Unmodified-Since count.
//   else        they do not (RFC 9111 section 4.3.2: a cache must not evaluate what is for the origin only).
enum class PreconditionScope : std::uint8_t { as_cache, as_origin };
Precondition evaluate_preconditions(const http::HeaderList& request, const Validators& stored, PreconditionScope scope);

// The request carries If-Match or If-Unmodified-Since: only the origin can answer it, so it is passed on.
bool is_for_origin_only(const http::HeaderList& request);

// The lines that make a request to the upstream ask whether `stored` is still good (section 4.3.1 of RFC 9111), each
// with its end; empty when it has no validator.
std::string validation_lines(const Validators& stored);

// Whether a 304 is about this stored response (RFC 9111 section 4.3.4): its strong tag equals ours, else its weak
// tag or Last-Modified does, else it has neither and there was only one response it can mean.
bool confirms_stored(const http::ResponseHead& not_modified, const Validators& stored);

}  // namespace reelway::edge
