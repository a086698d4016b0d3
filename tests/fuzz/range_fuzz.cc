#include <string>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/http/cache_control.h"
#include "common/http/date.h"
#include "common/http/range.h"

// The pure readers of single fields. The first eight bytes are the object's length, the rest is the field.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reelway;
  ByteReader reader(ByteView(data, size));
  const std::uint64_t length = reader.u64();
  if (reader.failed()) return 0;
  const std::string field(as_text(reader.take(reader.remaining())));

  const http::RangeDecision decision = http::decide_range(field, length);
  if (const auto* range = std::get_if<http::ByteRange>(&decision)) {
    CHECK(range->count >= 1 && range->first < length && range->count <= length - range->first);
    // What is sent as Content-Range means the same range when it is asked for.
    const std::string text = http::content_range(*range, length);
    const std::string again = "bytes=" + text.substr(6, text.find('/') - 6);
    const auto second = http::decide_range(again, length);
    CHECK(std::get<http::ByteRange>(second).first == range->first);
    CHECK(std::get<http::ByteRange>(second).count == range->count);
  }
  if (const auto date = http::parse_date(field)) CHECK(http::parse_date(http::format_date(*date)) == date);
  const http::CacheControl control = http::parse_cache_control(field);
  CHECK(http::parse_cache_control(field + ", no-store, max-age=0").max_age_s.value_or(0) <=
        control.max_age_s.value_or(0));
  return 0;
}
