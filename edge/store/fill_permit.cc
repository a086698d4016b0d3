#include <algorithm>
#include <cstring>
#include <utility>

#include "common/base/check.h"
#include "edge/store/object_writer.h"
#include "edge/store/store_state.h"

// Model: a permit is live (store_ set) or spent. A live one belongs to one unfinished Object; ending it, by
// complete(), fail() or its destructor, takes the object out of the table of fills, and only then wakes the readers,
// so that whoever looks the key up from there meets the new state.
//
// A permit may come back from a disk load that found a bad extent part-way: its object then has a head and verified
// bytes already, which readers may have sent. The upstream's bytes are then skipped up to there; the sum over the
// whole body is still checked at the end.

namespace reelway::edge {
namespace {

constexpr std::size_t kSkipRoomBytes = 64 * 1024;

bool same_body(const ObjectMeta& a, const ObjectMeta& b) {
  const bool same_sum = !a.crc32c || !b.crc32c || *a.crc32c == *b.crc32c;
  return a.status == b.status && a.etag == b.etag && a.content_encoding == b.content_encoding && a.length == b.length &&
         same_sum;
}

}  // namespace

FillPermit::FillPermit(Store& store, std::shared_ptr<Object> object) : store_(&store), object_(std::move(object)) {
  ++store_->state_->permits;
}

FillPermit::FillPermit(FillPermit&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)),
      object_(std::move(other.object_)),
      keep_(other.keep_),
      head_given_(other.head_given_),
      skip_bytes_(other.skip_bytes_),
      skip_room_(std::move(other.skip_room_)) {}

FillPermit& FillPermit::operator=(FillPermit&& other) noexcept {
  if (this != &other) {
    abandon();
    store_ = std::exchange(other.store_, nullptr);
    object_ = std::move(other.object_);
    keep_ = other.keep_;
    head_given_ = other.head_given_;
    skip_bytes_ = other.skip_bytes_;
    skip_room_ = std::move(other.skip_room_);
  }
  return *this;
}

FillPermit::~FillPermit() {
  abandon();
}

void FillPermit::abandon() {
  if (store_ == nullptr) return;
  fail(Error{ErrorCode::upstream_truncated, Side::upstream, true, "the fill was given up before its end"});
}

void FillPermit::head(ObjectMeta meta, bool keep) {
  CHECK(store_ != nullptr && !head_given_);
  head_given_ = true;
  Store::State& state = *store_->state_;
  keep_ = keep && meta.length.value_or(0) <= state.kept_bytes_max();
  // What may not be kept may not be shared with those who ask from now on either.
  if (!keep) state.end_fill(*object_);
  if (object_->state() == ObjectState::failed) return;
  if (object_->state() == ObjectState::awaiting_head) {
    meta.purge_epoch = object_->meta().purge_epoch;
    ObjectWriter(object_).head(std::move(meta));
  } else if (same_body(object_->meta(), meta)) {
    skip_bytes_ = object_->bytes_present();
  } else {
    ObjectWriter(object_).fail(Error{ErrorCode::upstream_corrupt, Side::upstream, true,
                                     "the rest of a damaged stored body is no longer to be had: upstream changed"});
  }
}

bool FillPermit::move_to(std::string key) {
  CHECK(store_ != nullptr && !head_given_);
  if (object_->state() != ObjectState::awaiting_head) return false;
  Store::State& state = *store_->state_;
  const bool is_current = state.is_current(*object_);
  state.end_fill(*object_);
  ObjectWriter(object_).rename(key);
  // When another fill has that key already, this one is not kept.
  if (is_current) state.fills.try_emplace(std::move(key), Store::State::Filling{object_});
  return true;
}

std::span<std::uint8_t> FillPermit::room() {
  CHECK(store_ != nullptr && head_given_);
  if (object_->state() != ObjectState::filling) return {};
  if (skip_bytes_ > 0) {
    skip_room_.resize(kSkipRoomBytes);
    return {skip_room_.data(), static_cast<std::size_t>(std::min<std::uint64_t>(skip_bytes_, kSkipRoomBytes))};
  }
  ObjectWriter writer(object_);
  const auto room = writer.room(store_->state_->memory);
  const bool is_all_there = object_->meta().length && object_->bytes_present() >= *object_->meta().length;
  if (room.empty() && !is_all_there) {
    writer.fail(Error{ErrorCode::overloaded, Side::self, true, "store.memory_bytes is full of bodies in use"});
  }
  return room;
}

void FillPermit::advance(std::size_t count) {
  CHECK(store_ != nullptr && head_given_);
  if (object_->state() != ObjectState::filling) return;
  if (skip_bytes_ > 0) {
    CHECK(count <= skip_bytes_);
    skip_bytes_ -= count;
    if (skip_bytes_ == 0) skip_room_ = {};
    return;
  }
  if (object_->bytes_present() + count > store_->state_->kept_bytes_max()) keep_ = false;
  ObjectWriter(object_).advance(count);
}

void FillPermit::append(ByteView bytes) {
  while (!bytes.empty()) {
    const auto into = room();
    if (into.empty()) {
      if (object_->state() == ObjectState::filling) {
        ObjectWriter(object_).fail(
            Error{ErrorCode::upstream_corrupt, Side::upstream, true, "more bytes came than were announced"});
      }
      return;
    }
    const std::size_t count = std::min(into.size(), bytes.size());
    std::memcpy(into.data(), bytes.data(), count);
    bytes = bytes.subspan(count);
    advance(count);
  }
}

Result<void> FillPermit::complete() {
  CHECK(store_ != nullptr);
  Store::State& state = *store_->state_;
  ObjectWriter writer(object_);
  if (object_->state() == ObjectState::failed) {
    Error error = object_->failure();
    fail(error);
    return error;
  }
  if (auto verified = writer.verify(); !verified) {
    fail(verified.error());
    return verified;
  }
  store_ = nullptr;
  --state.permits;
  ++state.counters.fills_completed;
  const bool kept = keep_ && state.is_current(*object_);
  const auto object = object_;
  state.end_fill(*object);
  writer.complete();
  if (kept) {
    state.memory.insert(object);
    if (state.disk) state.disk->write(object);
  }
  writer.wake();
  return {};
}

Result<void> FillPermit::not_modified(const std::shared_ptr<Object>& stored, ObjectMeta meta) {
  CHECK(store_ != nullptr && !head_given_ && stored->state() == ObjectState::complete);
  if (object_->state() != ObjectState::awaiting_head) {
    Error error = object_->state() == ObjectState::failed
                      ? object_->failure()
                      : Error{ErrorCode::upstream_corrupt, Side::upstream, true, "304 for a body that is damaged here"};
    fail(error);
    return error;
  }
  Store::State& state = *std::exchange(store_, nullptr)->state_;
  --state.permits;
  ++state.counters.fills_not_modified;
  const auto object = object_;
  const bool kept = state.is_current(*object);
  state.end_fill(*object);
  ObjectWriter writer(object);
  meta.purge_epoch = object->meta().purge_epoch;
  writer.share(*stored, std::move(meta));
  if (kept) {
    state.memory.replace(*stored, object);
    if (state.disk) state.disk->freshen(object->meta().key, object->meta());
  }
  writer.wake();
  return {};
}

// All checks were made piece by piece. Not written again.
void FillPermit::complete_from_disk() {
  CHECK(store_ != nullptr);
  Store::State& state = *std::exchange(store_, nullptr)->state_;
  --state.permits;
  const auto object = object_;
  const bool kept = state.is_current(*object);
  state.end_fill(*object);
  ObjectWriter writer(object);
  writer.complete();
  if (kept) state.memory.insert(object);
  writer.wake();
}

void FillPermit::fail(Error error) {
  CHECK(store_ != nullptr);
  Store::State& state = *std::exchange(store_, nullptr)->state_;
  --state.permits;
  ++state.counters.fills_failed;
  const auto object = object_;
  state.end_fill(*object);
  ObjectWriter(object).fail(std::move(error));
}

bool FillPermit::stopped_early() const {
  if (object_->state() == ObjectState::failed) return true;
  return head_given_ && !keep_ && object_->readers() == 0;
}

}  // namespace reelway::edge
