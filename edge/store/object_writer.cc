#include "edge/store/object_writer.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "common/base/check.h"
#include "common/base/crc32c.h"
#include "edge/store/memory_tier.h"

namespace reelway::edge {
namespace {

Error upstream_error(ErrorCode code, std::string detail) {
  return Error{code, Side::upstream, true, std::move(detail)};
}

}  // namespace

void ObjectWriter::rename(std::string key) {
  CHECK(object_->state_ == ObjectState::awaiting_head);
  object_->meta_.key = std::move(key);
}

void ObjectWriter::head(ObjectMeta meta) {
  CHECK(object_->state_ == ObjectState::awaiting_head);
  meta.key = std::move(object_->meta_.key);
  object_->meta_ = std::move(meta);
  object_->state_ = ObjectState::filling;
  wake();
}

std::span<std::uint8_t> ObjectWriter::room(MemoryTier& memory) {
  const std::uint64_t at = object_->bytes_present_;
  const std::uint64_t left = object_->meta_.length ? *object_->meta_.length - std::min(at, *object_->meta_.length)
                                                   : std::numeric_limits<std::uint64_t>::max();
  if (left == 0) return {};
  const std::size_t index = at / Object::kChunkBytes;
  if (index == object_->body_->chunks.size() && !add_chunk(memory, left)) return {};
  const Chunk& chunk = object_->body_->chunks[index];
  const std::size_t used = at % Object::kChunkBytes;
  return {chunk.data() + used, static_cast<std::size_t>(std::min<std::uint64_t>(chunk.capacity() - used, left))};
}

bool ObjectWriter::add_chunk(MemoryTier& memory, std::uint64_t bytes_left) {
  Chunk chunk = memory.allocate(static_cast<std::size_t>(std::min<std::uint64_t>(bytes_left, Object::kChunkBytes)));
  if (!chunk) return false;
  object_->body_->chunks.push_back(std::move(chunk));
  return true;
}

void ObjectWriter::advance(std::size_t count) {
  if (count == 0) return;
  const std::uint64_t at = object_->bytes_present_;
  const std::size_t index = at / Object::kChunkBytes;
  CHECK(index < object_->body_->chunks.size());
  const Chunk& chunk = object_->body_->chunks[index];
  const std::size_t used = at % Object::kChunkBytes;
  CHECK(used + count <= chunk.capacity());
  std::uint32_t& crc = chunk_crc(index);
  crc = crc32c({chunk.data() + used, count}, crc);
  object_->bytes_present_ += count;
  wake();
}

bool ObjectWriter::reserve(MemoryTier& memory, std::uint64_t length) {
  while (object_->body_->chunks.size() * Object::kChunkBytes < length) {
    if (!add_chunk(memory, length - object_->body_->chunks.size() * Object::kChunkBytes)) return false;
  }
  return true;
}

std::span<std::uint8_t> ObjectWriter::piece(std::uint64_t offset, std::size_t padded_bytes) {
  const std::size_t index = offset / Object::kChunkBytes;
  const std::size_t used = offset % Object::kChunkBytes;
  CHECK(index < object_->body_->chunks.size() && used + padded_bytes <= object_->body_->chunks[index].capacity());
  return {object_->body_->chunks[index].data() + used, padded_bytes};
}

void ObjectWriter::show(std::uint64_t count, std::uint32_t crc) {
  std::uint32_t& whole = chunk_crc(object_->bytes_present_ / Object::kChunkBytes);
  whole = crc32c_combine(whole, crc, count);
  object_->bytes_present_ += count;
  wake();
}

void ObjectWriter::drop_hidden() {
  const std::uint64_t shown = object_->bytes_present_;
  object_->body_->chunks.resize((shown + Object::kChunkBytes - 1) / Object::kChunkBytes);
}

std::uint32_t& ObjectWriter::chunk_crc(std::size_t index) {
  if (object_->body_->crcs.size() <= index) object_->body_->crcs.resize(index + 1);
  return object_->body_->crcs[index];
}

Result<void> ObjectWriter::verify() const {
  const ObjectMeta& meta = object_->meta_;
  if (object_->state_ == ObjectState::awaiting_head) {
    return upstream_error(ErrorCode::upstream_truncated, "the answer ended before its head");
  }
  if (meta.length && *meta.length != object_->bytes_present_) {
    return upstream_error(ErrorCode::upstream_truncated,
                          fmt::format("{} of {} bytes came", object_->bytes_present_, *meta.length));
  }
  const std::uint32_t crc = object_->crc_of(0, object_->bytes_present_);
  if (meta.crc32c && *meta.crc32c != crc) {
    return upstream_error(ErrorCode::upstream_corrupt,
                          fmt::format("CRC32C {:08x} announced, {:08x} received", *meta.crc32c, crc));
  }
  return {};
}

void ObjectWriter::complete() {
  CHECK(object_->state_ == ObjectState::filling);
  object_->meta_.length = object_->bytes_present_;
  object_->meta_.crc32c = object_->crc_of(0, object_->bytes_present_);
  if (!object_->body_->chunks.empty()) {
    const Chunk& last = object_->body_->chunks.back();
    const std::uint64_t used = object_->bytes_present_ - (object_->body_->chunks.size() - 1) * Object::kChunkBytes;
    std::memset(last.data() + used, 0, ChunkPool::capacity_for(used) - used);
  }
  object_->state_ = ObjectState::complete;
}

void ObjectWriter::share(const Object& stored, ObjectMeta meta) {
  CHECK(object_->state_ == ObjectState::awaiting_head && stored.state_ == ObjectState::complete);
  meta.key = std::move(object_->meta_.key);
  meta.status = stored.meta_.status;
  meta.length = stored.meta_.length;
  meta.crc32c = stored.meta_.crc32c;
  object_->meta_ = std::move(meta);
  object_->body_ = stored.body_;
  object_->bytes_present_ = stored.bytes_present_;
  object_->state_ = ObjectState::complete;
}

void ObjectWriter::fail(Error error) {
  CHECK(object_->state_ != ObjectState::complete);
  if (object_->state_ == ObjectState::failed) return;
  object_->failure_ = std::move(error);
  object_->state_ = ObjectState::failed;
  wake();
}

// Readers may come and go while they are woken: a removed one leaves a null until the outermost round ends, and one
// that was added sees the present state by itself.
void ObjectWriter::wake() {
  Object& object = *object_;
  ++object.waking_depth_;
  for (std::size_t i = 0, count = object.readers_.size(); i < count; ++i) {
    if (object.readers_[i] != nullptr) object.readers_[i]->object_advanced();
  }
  if (--object.waking_depth_ == 0) std::erase(object.readers_, nullptr);
}

}  // namespace reelway::edge
