#include "origin/mp4/box.h"

#include "common/base/check.h"

// Model: a box is a size, a type and a body. Nothing here trusts a size: a header is read only from bytes that are
// there, a child lies within its parent, and a walk always moves forward by at least a header.

namespace reelway::origin::mp4 {
namespace {

constexpr std::size_t kTopLevelBoxesMax = 4096;
constexpr std::uint32_t kSizeIsLarge = 1;

Error bad(ErrorCode code, FourCc box, const std::string& what) {
  return {code, Side::client, false, four_cc_text(box) + ": " + what};
}

}  // namespace

std::string four_cc_text(FourCc type) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const char c = static_cast<char>(type >> shift & 255);
    text += c > ' ' && c <= '~' ? c : '?';
  }
  return text;
}

Error malformed(FourCc box, const std::string& what) {
  return bad(ErrorCode::mp4_malformed, box, what);
}
Error unsupported(FourCc box, const std::string& what) {
  return bad(ErrorCode::media_unsupported, box, what);
}

Result<BoxHeader> next_box_header(ByteView bytes) {
  ByteReader reader(bytes);
  BoxHeader header;
  header.size = reader.u32();
  header.type = reader.u32();
  if (header.size == kSizeIsLarge) {
    header.size = reader.u64();
    header.header_bytes = 16;
    if (!reader.failed() && header.size == 0) return malformed(header.type, "its 64-bit size is 0");
  }
  if (reader.failed()) return Error{ErrorCode::mp4_malformed, Side::client, false, "a box header is cut short"};
  if (header.size != 0 && header.size < header.header_bytes) {
    return malformed(header.type, "its size " + std::to_string(header.size) + " is less than its header");
  }
  return header;
}

Result<BoxRange> find_moov(std::uint64_t file_bytes, const RangeReader& read) {
  std::uint64_t offset = 0;
  for (std::size_t count = 0; offset < file_bytes && count < kTopLevelBoxesMax; ++count) {
    const std::uint64_t left = file_bytes - offset;
    auto bytes = read(offset, left < kBoxHeaderBytesMax ? static_cast<std::size_t>(left) : kBoxHeaderBytesMax);
    if (!bytes) return std::move(bytes).error();
    const auto header = next_box_header(*bytes);
    if (!header) return header.error();
    const std::uint64_t size = header->size == 0 ? left : header->size;
    if (size > left) {
      return Error{ErrorCode::media_truncated, Side::client, false,
                   four_cc_text(header->type) + " box at " + std::to_string(offset) + " has " + std::to_string(size) +
                       " bytes, the file ends after " + std::to_string(left) + " of them"};
    }
    if (header->type == four_cc("moov")) return BoxRange{offset, size};
    offset += size;
  }
  return Error{ErrorCode::mp4_malformed, Side::client, false, "the file has no moov box"};
}

Result<void> for_each_child(ByteView body, FourCc parent, const std::function<Result<void>(const Box&)>& visit) {
  while (!body.empty()) {
    const auto header = next_box_header(body);
    if (!header) return malformed(parent, "inside it, " + header.error().detail);
    const std::uint64_t size = header->size == 0 ? body.size() : header->size;
    if (size > body.size()) {
      return malformed(header->type, "its " + std::to_string(size) + " bytes end after " + four_cc_text(parent) +
                                         ", which has " + std::to_string(body.size()) + " left");
    }
    const ByteView whole = body.first(static_cast<std::size_t>(size));
    REELWAY_TRY(visit(Box{header->type, whole, whole.subspan(header->header_bytes)}));
    body = body.subspan(whole.size());
  }
  return {};
}

BoxScope::BoxScope(ByteWriter& out, FourCc type) : out_(out), start_(out.size()) {
  out_.u32(0);
  out_.u32(type);
}

BoxScope::BoxScope(ByteWriter& out, FourCc type, std::uint8_t version, std::uint32_t flags) : BoxScope(out, type) {
  out_.u8(version);
  out_.u24(flags);
}

BoxScope::~BoxScope() {
  const std::size_t size = out_.size() - start_;
  CHECK(size <= UINT32_MAX);
  out_.patch_u32(start_, static_cast<std::uint32_t>(size));
}

}  // namespace reelway::origin::mp4
