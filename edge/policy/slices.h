#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/http/message.h"
#include "common/http/range.h"

namespace reelway::edge {

// How the body of a large object lies in slices, numbered from 0: each of slice_bytes but the last one, which has what
// is left. Both at least 1.
struct Slicing {
  std::uint64_t object_bytes = 0;
  std::uint64_t slice_bytes = 0;

  std::uint64_t number_at(std::uint64_t offset) const { return offset / slice_bytes; }
  http::ByteRange range(std::uint64_t number) const;  // of a number that there is
};

// How long a slice is, and from which length on an object is fetched in slices.
struct SliceLimits {
  std::uint64_t slice_bytes = 0;      // 0: nothing is sliced
  std::uint64_t whole_bytes_max = 0;  // a longer object lies in slices
};
// `wanted_bytes` is site.slice_bytes. A slice takes no more than a sixteenth of the memory for bodies, since each
// client may hold two. An object of up to four slices is not worth the connection that its first answer costs
// (slices.cc), unless it is too long to be kept whole.
SliceLimits slice_limits(std::uint64_t wanted_bytes, std::uint64_t memory_bytes, std::uint64_t object_bytes_max);

// What tells the versions of a response apart byte for byte, in the form that If-Range takes (RFC 9110 section 13.1.5):
// its entity tag when that is strong; without any tag its Last-Modified, when that is strong by section 8.8.2.2 (a
// minute before its Date). A view into the head; empty: nothing does.
std::string_view slice_validator(const http::ResponseHead& head);

// Whether the rest of what this head begins can be asked for by ranges: a 200 of known length that says
// `Accept-Ranges: bytes` and has a validator.
bool is_sliceable(const http::ResponseHead& head);

// Under which key a slice lies: behind the key of its object, so that a purge of the URL or of a prefix finds it as it
// finds a variant; then all that decides which bytes these are. So slices of two versions, or of two sizes, never meet.
std::string slice_key(std::string_view object_key, const Slicing& slicing, std::string_view validator,
                      std::uint64_t number);

// "Range: bytes=0-99\r\nIf-Range: \"v1\"\r\n"
std::string slice_request_lines(const Slicing& slicing, std::string_view validator, std::uint64_t number);

// What an answer to those lines is.
enum class SliceAnswer : std::uint8_t {
  slice,        // the bytes asked for, of the version that is known
  changed,      // the object is another one now, or gone
  not_by_part,  // still that version, but not that range of it
  failed,       // nothing is known: an error of the upstream
};
SliceAnswer judge_slice_answer(const http::ResponseHead& head, const Slicing& slicing, std::string_view validator,
                               std::string_view content_encoding, std::uint64_t number);

}  // namespace reelway::edge
