#include <algorithm>
#include <string>
#include <vector>

#include "common/base/check.h"
#include "common/base/crc32c.h"
#include "common/rights/replica_frames.h"

// Two readings of an input: as a stream of bytes, which the checksum refuses soon, and as the type and payload of one
// frame whose length and checksum are put right here. What is taken has one form, and how the bytes are cut changes
// nothing.
namespace {

using reelway::Bytes;
using reelway::ByteView;
using reelway::rights::Frame;
using reelway::rights::FrameReader;

struct Reading {
  std::vector<Frame> frames;
  bool malformed = false;
};

void read_all(FrameReader& reader, Reading& reading) {
  while (!reading.malformed) {
    auto next = reader.next();
    if (!next.ok()) reading.malformed = true;
    if (!next.ok() || !*next) return;
    reading.frames.push_back(**next);
  }
}

Reading read_in_parts(ByteView bytes, std::size_t part) {
  FrameReader reader;
  Reading reading;
  while (!bytes.empty() && !reading.malformed) {
    const std::size_t count = std::min(part, bytes.size());
    reader.feed(bytes.first(count));
    bytes = bytes.subspan(count);
    read_all(reader, reading);
  }
  return reading;
}

Bytes framed(ByteView input) {
  reelway::ByteWriter writer;
  const std::size_t payload = input.empty() ? 0 : input.size() - 1;
  writer.u32(static_cast<std::uint32_t>(payload));
  writer.append(input);
  writer.u32(reelway::crc32c(writer.bytes()));
  return writer.take();
}

void check(ByteView bytes) {
  const Reading whole = read_in_parts(bytes, bytes.size() + 1);
  const Reading parts = read_in_parts(bytes, 7);
  CHECK(whole.frames == parts.frames && whole.malformed == parts.malformed);
  std::string again;
  for (const Frame& frame : whole.frames) again += reelway::rights::encode_frame(frame);
  CHECK(again.size() <= bytes.size());
  CHECK(std::equal(again.begin(), again.end(), reelway::as_text(bytes).begin()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input{data, size};
  check(input);
  check(framed(input));
  return 0;
}
