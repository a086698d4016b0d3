#include "edge/policy/slices.h"

#include <algorithm>

#include "common/base/check.h"
#include "common/http/date.h"

// That an object is large is learnt from the head of a plain GET, so whatever is small is asked for as it always was,
// and an origin that takes ranges badly is never sent one for it. The price is one connection for each version of a
// large object: HTTP/1.1 has no other way to end an answer early.

namespace reelway::edge {
namespace {

constexpr std::uint64_t kMemoryShare = 16;
constexpr std::uint64_t kSlicesWorthIt = 4;
constexpr std::uint64_t kGrain = 64 * 1024;      // of the disk's space
constexpr std::int64_t kClearlyBeforeS = 60;     // two clocks may have told these times
constexpr std::size_t kValidatorBytesMax = 256;  // it stands in every slice's key

std::string_view field(const http::ResponseHead& head, std::string_view name) {
  return head.headers.find(name).value_or(std::string_view{});
}

bool is_strong(std::string_view etag) {
  return etag.size() >= 2 && etag.front() == '"' && etag.back() == '"';
}

bool is_strong_date(std::string_view last_modified, std::string_view date) {
  const auto changed_s = http::parse_date(last_modified);
  const auto sent_s = http::parse_date(date);
  return changed_s && sent_s && *sent_s - *changed_s >= kClearlyBeforeS;
}

// Whether the answer is of the version that the validator names. A date is compared as it was received.
bool is_of_version(const http::ResponseHead& head, std::string_view validator) {
  const std::string_view etag = field(head, "ETag");
  if (validator.starts_with('"')) return etag == validator;
  return etag.empty() && field(head, "Last-Modified") == validator;
}

}  // namespace

http::ByteRange Slicing::range(std::uint64_t number) const {
  const std::uint64_t first = number * slice_bytes;
  CHECK(first < object_bytes);
  return {first, std::min(slice_bytes, object_bytes - first)};
}

SliceLimits slice_limits(std::uint64_t wanted_bytes, std::uint64_t memory_bytes, std::uint64_t object_bytes_max) {
  const std::uint64_t share = memory_bytes / kMemoryShare / kGrain * kGrain;
  SliceLimits limits;
  limits.slice_bytes = std::min({wanted_bytes, share, object_bytes_max});
  limits.whole_bytes_max = std::min(kSlicesWorthIt * limits.slice_bytes, object_bytes_max);
  return limits;
}

std::string_view slice_validator(const http::ResponseHead& head) {
  const std::string_view etag = field(head, "ETag");
  if (etag.size() > kValidatorBytesMax) return {};
  if (!etag.empty()) return is_strong(etag) ? etag : std::string_view{};
  const std::string_view last_modified = field(head, "Last-Modified");
  return is_strong_date(last_modified, field(head, "Date")) ? last_modified : std::string_view{};
}

bool is_sliceable(const http::ResponseHead& head) {
  return head.status == 200 && !head.chunked && head.content_length.value_or(0) > 0 &&
         http::list_contains(field(head, "Accept-Ranges"), "bytes") && !slice_validator(head).empty();
}

std::string slice_key(std::string_view object_key, const Slicing& slicing, std::string_view validator,
                      std::uint64_t number) {
  std::string key(object_key);
  key.append("\t/").append(std::to_string(number));
  key.append("/").append(std::to_string(slicing.slice_bytes)).append("/").append(std::to_string(slicing.object_bytes));
  return key.append("\n").append(validator);
}

std::string slice_request_lines(const Slicing& slicing, std::string_view validator, std::uint64_t number) {
  const http::ByteRange range = slicing.range(number);
  std::string lines = "Range: bytes=" + std::to_string(range.first) + "-";
  lines.append(std::to_string(range.first + range.count - 1));
  return lines.append("\r\nIf-Range: ").append(validator).append("\r\n");
}

SliceAnswer judge_slice_answer(const http::ResponseHead& head, const Slicing& slicing, std::string_view validator,
                               std::string_view content_encoding, std::uint64_t number) {
  if (head.status >= 500 || head.status == 408 || head.status == 429) return SliceAnswer::failed;
  if (head.status != 206 && head.status != 200) return SliceAnswer::changed;
  if (!is_of_version(head, validator) || field(head, "Content-Encoding") != content_encoding) {
    return SliceAnswer::changed;
  }
  if (head.status == 200) {
    const bool same_length = head.chunked || head.content_length == slicing.object_bytes;
    return same_length ? SliceAnswer::not_by_part : SliceAnswer::changed;
  }
  const http::ByteRange range = slicing.range(number);
  const bool is_range = http::names_equal(field(head, "Content-Range"), content_range(range, slicing.object_bytes));
  const bool fits = head.chunked || head.content_length == range.count;
  return is_range && fits ? SliceAnswer::slice : SliceAnswer::not_by_part;
}

}  // namespace reelway::edge
