#include "edge/store/object.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/base/crc32c.h"

namespace reelway::edge {

Object::Object(std::string key) {
  meta_.key = std::move(key);
}

Object::~Object() = default;

const Error& Object::failure() const {
  CHECK(failure_.has_value());
  return *failure_;
}

ByteView Object::view(std::uint64_t offset) const {
  if (offset >= bytes_present_) return {};
  const std::size_t in_chunk = offset % kChunkBytes;
  const std::uint64_t present = std::min<std::uint64_t>(bytes_present_ - offset, kChunkBytes - in_chunk);
  return {body_->chunks[offset / kChunkBytes].data() + in_chunk, static_cast<std::size_t>(present)};
}

bool Object::lend(std::uint64_t offset) const {
  CHECK(state_ == ObjectState::complete && offset < bytes_present_);
  return body_->chunks[offset / kChunkBytes].lend();
}

std::uint32_t Object::crc_of(std::uint64_t offset, std::uint64_t bytes) const {
  CHECK(offset + bytes <= bytes_present_);
  std::uint32_t crc = 0;
  while (bytes > 0) {
    const std::size_t index = offset / kChunkBytes;
    const ByteView chunk = view(index * kChunkBytes);
    const std::uint64_t in_chunk = offset % kChunkBytes;
    const std::uint64_t count = std::min(bytes, chunk.size() - in_chunk);
    const std::uint32_t part = count == chunk.size() ? body_->crcs[index] : crc32c(chunk.subspan(in_chunk, count));
    crc = crc32c_combine(crc, part, count);
    offset += count;
    bytes -= count;
  }
  return crc;
}

void Object::add_reader(Reader& reader) {
  readers_.push_back(&reader);
}

void Object::remove_reader(Reader& reader) {
  const auto at = std::find(readers_.begin(), readers_.end(), &reader);
  if (at == readers_.end()) return;
  if (waking_depth_ > 0) {
    *at = nullptr;
  } else {
    readers_.erase(at);
  }
}

std::size_t Object::readers() const {
  return static_cast<std::size_t>(
      std::count_if(readers_.begin(), readers_.end(), [](auto* r) { return r != nullptr; }));
}

}  // namespace reelway::edge
