#include "common/http/parser.h"
#include "tests/fuzz/http_transcript.h"

// However the bytes are cut, the parser says the same. The first byte of the input tells whether the request was HEAD.

namespace {

reelway::fuzz::Transcript read(reelway::ByteView input, std::size_t piece, bool to_head) {
  reelway::http::ResponseParser parser(reelway::fuzz::small_limits());
  parser.expect(to_head);
  reelway::fuzz::Transcript out;
  reelway::fuzz::feed_in_pieces(parser, input, piece, out);
  const auto end = parser.finish();
  CHECK(!out.failed || !end.ok());
  out.text += end.ok() ? "complete" : "truncated";
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool to_head = data[0] == 'H';
  const reelway::ByteView input(data + 1, size - 1);
  const auto whole = read(input, size, to_head);
  for (const std::size_t piece : {1, 2, 7}) {
    const auto split = read(input, piece, to_head);
    CHECK(split.failed == whole.failed);
    CHECK(split.text == whole.text);
  }
  return 0;
}
