#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "common/base/result.h"
#include "edge/store/chunk_pool.h"
#include "edge/store/object.h"

namespace reelway::edge {

class MemoryTier;

// Every change of an Object goes through here, whether its bytes come from upstream or from disk. Cheap to make;
// holds the object alive while readers are woken, which may drop every other reference.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::shared_ptr<Object> object) : object_(std::move(object)) {}

  const std::shared_ptr<Object>& object() const { return object_; }

  // Before the head: purges after this epoch concern the object.
  void begin(std::uint64_t purge_epoch) { object_->meta_.purge_epoch = purge_epoch; }
  void rename(std::string key);  // only while awaiting_head
  // awaiting_head -> filling. Keeps the object's own key.
  void head(ObjectMeta meta);

  // Where the next bytes go; takes a chunk from `memory` when the last one is full. Empty: memory is exhausted, or
  // the announced length is there.
  std::span<std::uint8_t> room(MemoryTier& memory);
  // Bytes written to room(): sums and shows them.
  void advance(std::size_t count);

  // For bodies of known length that come in pieces, out of order: all memory for `length` bytes; false when there
  // is not enough. A piece is written with piece() and becomes visible by show(), in order, after its check.
  bool reserve(MemoryTier& memory, std::uint64_t length);
  std::span<std::uint8_t> piece(std::uint64_t offset, std::size_t padded_bytes);
  void show(std::uint64_t count, std::uint32_t crc);
  void drop_hidden();  // gives back the memory behind what was shown

  // Whether what is present is the whole body as announced: upstream_truncated, upstream_corrupt.
  Result<void> verify() const;
  // filling -> complete; sets length and sum. What lies behind the end in the last chunk is zeroed, for disk. Wakes
  // nobody yet, so that the object can be put where those who are woken find it.
  void complete();
  // awaiting_head -> complete: the body of `stored`, which is complete, under new metadata; key, status, length and
  // sum stay. Wakes nobody yet.
  void share(const Object& stored, ObjectMeta meta);
  void wake();
  // Any state but complete -> failed.
  void fail(Error error);

 private:
  std::uint32_t& chunk_crc(std::size_t index);
  bool add_chunk(MemoryTier& memory, std::uint64_t bytes_left);

  std::shared_ptr<Object> object_;
};

}  // namespace reelway::edge
