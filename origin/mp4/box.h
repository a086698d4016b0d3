#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

// ISO BMFF boxes (ISO/IEC 14496-12 section 4.2): reading them from hostile bytes, writing them nested.

namespace reelway::origin::mp4 {

using FourCc = std::uint32_t;

constexpr FourCc four_cc(const char (&text)[5]) {
  FourCc value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(text[i]);
  return value;
}
std::string four_cc_text(FourCc type);  // printable whatever the bytes are

inline constexpr std::size_t kBoxHeaderBytesMax = 16;

struct BoxHeader {
  FourCc type = 0;
  std::uint64_t size = 0;  // with its header; 0: to the end of the file
  std::uint32_t header_bytes = 8;
};

// The header at the start of `bytes`, of which 16 are enough. mp4_malformed if there are fewer than the header has, or
// if the stated size is less than the header.
Result<BoxHeader> next_box_header(ByteView bytes);

struct BoxRange {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

// Where the moov box lies. `read(offset, count)` returns that range of the file (count <= 16); its error is passed on.
// media_truncated if a box ends after the file, mp4_malformed if there is no moov.
using RangeReader = std::function<Result<Bytes>(std::uint64_t offset, std::size_t count)>;
Result<BoxRange> find_moov(std::uint64_t file_bytes, const RangeReader& read);

// One box inside a parent that is in memory. Views live as long as the bytes they were read from.
struct Box {
  FourCc type = 0;
  ByteView whole;
  ByteView body;
};

// Calls `visit` for each child box in `body`, in order, until one returns an error. mp4_malformed, naming `parent`, if
// a child does not fit.
Result<void> for_each_child(ByteView body, FourCc parent, const std::function<Result<void>(const Box&)>& visit);

Error malformed(FourCc box, const std::string& what);  // "stsz: ..."
Error unsupported(FourCc box, const std::string& what);

// Appends a box around what is written during its lifetime: the size is set when it ends.
class BoxScope {
 public:
  BoxScope(ByteWriter& out, FourCc type);
  BoxScope(ByteWriter& out, FourCc type, std::uint8_t version, std::uint32_t flags);  // a full box
  ~BoxScope();
  BoxScope(const BoxScope&) = delete;
  BoxScope& operator=(const BoxScope&) = delete;

 private:
  ByteWriter& out_;
  std::size_t start_;
};

}  // namespace reelway::origin::mp4
