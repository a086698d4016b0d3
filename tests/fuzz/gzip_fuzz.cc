#include <string>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/http/gzip.h"

// Any bytes as gzip: nothing, or a text within the limit. Any bytes as a text: what is packed is unpacked again. Any
// bytes as an Accept-Encoding: an answer.

using namespace reelway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t bytes_max = 1 << 20;
  const ByteView bytes(data, size);
  if (const auto text = http::gunzipped(bytes, bytes_max)) CHECK(text->size() <= bytes_max);
  const std::string packed = http::gzipped(as_text(bytes));
  CHECK(http::gunzipped(as_bytes(packed), size) == as_text(bytes));
  (void)http::accepts_gzip(as_text(bytes));
  return 0;
}
