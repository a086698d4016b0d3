#include "common/http/parser.h"
#include "tests/fuzz/http_transcript.h"

// However the bytes are cut, the parser says the same.

namespace {

reelway::fuzz::Transcript read(reelway::ByteView input, std::size_t piece) {
  reelway::http::RequestParser parser(reelway::fuzz::small_limits());
  reelway::fuzz::Transcript out;
  reelway::fuzz::feed_in_pieces(parser, input, piece, out);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const reelway::ByteView input(data, size);
  const auto whole = read(input, size);
  for (const std::size_t piece : {1, 2, 7}) {
    const auto split = read(input, piece);
    CHECK(split.failed == whole.failed);
    CHECK(split.text == whole.text);
  }
  return 0;
}
