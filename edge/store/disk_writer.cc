#include "edge/store/disk_writer.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "common/base/check.h"
#include "common/base/crc32c.h"
#include "common/ring/ring.h"
#include "common/telemetry/log.h"
#include "edge/store/object_writer.h"

// Model: a write waits in the queue (it owns a reference to its object, which therefore stays in memory), then is
// active: slots taken -> body written -> record put -> in the index. It can be cancelled at any point; then it ends
// without a record, or with its record removed again.
//
// Room is made at the head of the queue only: a new slab file while the capacity allows, else evictions, for as much as
// may be active at once. An evicted object's slots come free when its record is gone from RocksDB, which pumps the
// queue again.

namespace reelway::edge {
namespace {

constexpr std::size_t kActiveMax = 64;
constexpr std::size_t kQueueMax = 2048;
constexpr std::uint64_t kActiveBytesMax = 16ull << 20;
constexpr std::chrono::seconds kGrowRetryAfter{10};
constexpr std::chrono::seconds kLogInterval{1};

ByteView whole_body(const Object& object) {
  return object.view(0);
}

}  // namespace

DiskWriter::DiskWriter(DiskShared shared, std::uint64_t queue_bytes_max)
    : shared_(shared), queue_bytes_max_(queue_bytes_max), grower_(shared.ring, 1, 1, "store-grower") {
  shared_.space.on_freed([this] { schedule_pump(); });
}

DiskWriter::~DiskWriter() {
  shared_.space.on_freed({});
}

void DiskWriter::begin(std::uint64_t next_sequence) {
  next_sequence_ = next_sequence;
  schedule_pump();
}

void DiskWriter::write(const std::shared_ptr<Object>& object) {
  CHECK(object->state() == ObjectState::complete);
  cancel(object->meta().key);
  Gate::Pass pass = shared_.gate.enter();
  const std::uint64_t bytes = ChunkPool::capacity_for(object->bytes_present());
  if (shared_.health.is_given_up()) {
    ++shed_;
    return;
  }
  const bool is_full = queue_.size() >= kQueueMax || queued_bytes_ + bytes > queue_bytes_max_;
  if (!pass || is_full || !shared_.journal.healthy()) {
    ++shed_;
    // What is on disk under this key is older than what was just shed.
    shared_.remove(object->meta().key);
    return;
  }
  auto write = std::make_unique<Write>();
  write->object = object;
  write->pass = std::move(pass);
  write->queued_bytes = bytes;
  queued_bytes_ += bytes;
  queue_.push_back(std::move(write));
  schedule_pump();
}

void DiskWriter::cancel(std::string_view key) {
  if (const auto at = active_.find(std::string(key)); at != active_.end()) at->second->is_cancelled = true;
  for (const auto& write : queue_) {
    if (write->object->meta().key == key) write->is_cancelled = true;
  }
}

bool DiskWriter::freshen(std::string_view key, const ObjectMeta& meta) {
  // The one that waits is younger than the one that is active.
  for (const auto& write : queue_) {
    if (write->object->meta().key != key || write->is_cancelled) continue;
    if (!is_same_body(meta, write->object->meta())) return true;
    auto object = std::make_shared<Object>(std::string(key));
    ObjectWriter(object).share(*write->object, meta);
    write->object = std::move(object);
    return true;
  }
  const auto at = active_.find(std::string(key));
  if (at == active_.end() || at->second->is_cancelled) return false;
  at->second->freshened = meta;
  return true;
}

void DiskWriter::schedule_pump() {
  if (pump_scheduled_) return;
  pump_scheduled_ = true;
  shared_.ring.defer([this] {
    pump_scheduled_ = false;
    pump();
  });
}

void DiskWriter::drop_queue() {
  while (!queue_.empty()) shed_front();
}

void DiskWriter::pump() {
  if (shared_.loading.is_under_way()) return;
  evict_ahead();
  std::uint64_t active_bytes = 0;
  for (const auto& [key, write] : active_) active_bytes += write->queued_bytes;
  while (!queue_.empty() && active_.size() < kActiveMax && active_bytes < kActiveBytesMax) {
    Write& next = *queue_.front();
    if (next.is_cancelled) {
      queued_bytes_ -= next.queued_bytes;
      queue_.pop_front();
      continue;
    }
    const std::string key = next.object->meta().key;
    if (active_.contains(key)) return;  // one write of a key at a time keeps their order
    const Step step = start(next);
    if (step == Step::wait) return;
    if (step == Step::shed) {
      shed_front();
      continue;
    }
    active_bytes += next.queued_bytes;
    active_.emplace(key, std::move(queue_.front()));
    queue_.pop_front();
    next.place->is_inline() ? put_record(next) : begin_io(next);
  }
}

DiskWriter::Step DiskWriter::start(Write& write) {
  const std::uint64_t body_bytes = write.object->bytes_present();
  if (body_bytes <= kInlineBytesMax) return start_inline(write);
  const std::uint64_t footprint = ExtentAllocator::footprint(body_bytes);
  // One object may not push out more than half of all others.
  if (footprint > shared_.slabs.capacity_bytes() / 2) return Step::shed;
  auto extents = shared_.space.allocator().allocate(body_bytes);
  if (!extents) return make_room(footprint);
  write.replaced = shared_.index.find(write.object->meta().key);
  write.place = std::make_shared<StoredPlace>(shared_.space, next_sequence_++, std::move(*extents),
                                              PurgeMarks::of(write.object->meta()));
  write.weight = write.place->bytes();
  return Step::started;
}

DiskWriter::Step DiskWriter::start_inline(Write& write) {
  write.record.meta = write.object->meta();
  write.record.is_inline = true;
  write.weight = encode_record(write.record).size() + write.object->bytes_present();
  while (!shared_.index.inline_fits(inline_coming_bytes_ + write.weight)) {
    const auto victim = shared_.index.evict_inline();
    if (!victim) return Step::shed;
    shared_.journal.remove(victim->key, true, [place = victim->place] {});
  }
  write.replaced = shared_.index.find(write.object->meta().key);
  write.place = std::make_shared<StoredPlace>(shared_.space, next_sequence_++, std::vector<Extent>(),
                                              PurgeMarks::of(write.object->meta()));
  inline_coming_bytes_ += write.weight;
  return Step::started;
}

DiskWriter::Step DiskWriter::make_room(std::uint64_t bytes) {
  const DiskSpace& space = shared_.space;
  if (space.coming_bytes() >= bytes || growing_) return Step::wait;
  if (shared_.slabs.next().bytes > 0 && shared_.clock.monotonic() >= grow_again_at_) {
    grow();
    return Step::wait;
  }
  evict_until(bytes);
  // Whatever is in use now comes free with a pump; with nothing in use there is nothing to wait for.
  const bool can_wait = space.coming_bytes() >= bytes || space.leaving_bytes() > 0 || !active_.empty();
  return can_wait ? Step::wait : Step::shed;
}

void DiskWriter::evict_until(std::uint64_t coming_bytes) {
  while (shared_.space.coming_bytes() < coming_bytes) {
    auto victim = shared_.index.evict_from_slots();
    if (!victim) return;
    shared_.journal.remove(std::move(victim->key), false, [place = std::move(victim->place)] {});
  }
}

// For what is next in the queue, when the disk is full: a slot is free only when its record is gone, so with room made
// for one object at a time each would wait for the journal.
void DiskWriter::evict_ahead() {
  if (growing_ || shared_.slabs.next().bytes > 0) return;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < std::min(queue_.size(), kActiveMax); ++i) {
    const std::uint64_t body_bytes = queue_[i]->object->bytes_present();
    const std::uint64_t footprint = body_bytes <= kInlineBytesMax ? 0 : ExtentAllocator::footprint(body_bytes);
    if (bytes + footprint > std::min(kActiveBytesMax, shared_.slabs.capacity_bytes() / 8)) break;
    if (!queue_[i]->is_cancelled) bytes += footprint;
  }
  evict_until(bytes);
}

void DiskWriter::grow() {
  growing_ = true;
  auto made = std::make_shared<std::optional<Result<SlabFiles::Opened>>>();
  const int fault = shared_.fault(DiskFaults::Operation::make_slab);
  const bool accepted = grower_.submit(
      [made, fault, next = shared_.slabs.next()] {
        if (fault != 0) {
          made->emplace(system_error("fallocate", next.path, fault));
        } else {
          made->emplace(SlabFiles::make(next));
        }
      },
      [this, made] {
        growing_ = false;
        Result<SlabFiles::Opened>& opened = **made;
        if (opened) {
          const std::uint64_t bytes = shared_.slabs.next().bytes;
          shared_.slabs.add(std::move(opened).value());
          shared_.space.allocator().grow(bytes);
        } else {
          telemetry::log_warn("edge store: no new slab file: {}; evicting instead", describe(opened.error()));
          grow_again_at_ = shared_.clock.monotonic() + kGrowRetryAfter;
        }
        schedule_pump();
      });
  CHECK(accepted);  // one at a time
}

void DiskWriter::begin_io(Write& write) {
  std::vector<ExtentIo::Piece> pieces;
  DiskRecord& record = write.record;
  record.meta = write.object->meta();
  std::uint64_t at = 0;
  for (const Extent& extent : write.place->extents()) {
    const std::uint64_t bytes = std::min(extent.bytes(), write.object->bytes_present() - at);
    const ByteView body = write.object->view(at).first(bytes);
    record.extents.push_back({extent, static_cast<std::uint32_t>(bytes), write.object->crc_of(at, bytes)});
    const SlabFiles::Place place = shared_.slabs.locate(extent);
    // The chunk is zeroed behind the body's end up to the next page.
    pieces.push_back({place.fd, place.offset, const_cast<std::uint8_t*>(body.data()), ChunkPool::capacity_for(bytes)});
    at += bytes;
  }
  CHECK(at == write.object->bytes_present());
  const int fault = shared_.fault(DiskFaults::Operation::write_body);
  if (fault == DiskFaults::kTorn) {
    for (ExtentIo::Piece& piece : pieces) piece.bytes = ChunkPool::capacity_for(piece.bytes / 2);
  } else if (fault != 0) {
    const int error = fault == DiskFaults::kLost ? 0 : fault;
    return shared_.ring.defer([this, &write, error] { io_ended(write, error); });
  }
  write.io = std::make_unique<ExtentIo>(
      shared_.ring, ExtentIo::Direction::write, std::move(pieces), [](std::size_t) {},
      [this, &write](int error) { io_ended(write, error); });
  write.io->start();
}

void DiskWriter::io_ended(Write& write, int error) {
  write.io.reset();
  shared_.note_io(DiskHealth::Part::bodies, error);
  if (error != 0) {
    ++errors_;
    if (const auto now = shared_.clock.monotonic(); now >= log_again_at_) {
      telemetry::log_warn("edge store: a body was not written to disk: {} ({} errors so far)", std::strerror(error),
                          errors_);
      log_again_at_ = now + kLogInterval;
    }
    // The record that this one was to replace tells of an older response.
    shared_.remove(write.object->meta().key);
    return end(write);
  }
  write.is_cancelled ? end(write) : put_record(write);
}

void DiskWriter::put_record(Write& write) {
  write.record.sequence = write.place->sequence();
  RecordIndex::Change change;
  change.key = write.object->meta().key;
  change.record = encode_record(write.record);
  if (write.record.is_inline) {
    const ByteView body = whole_body(*write.object);
    change.body.emplace(body.begin(), body.end());
  } else {
    change.drop_body = write.replaced && write.replaced->is_inline();
  }
  shared_.recording.insert(change.key);
  shared_.journal.put(std::move(change), [this, &write](bool written) { record_put(write, written); });
}

void DiskWriter::record_put(Write& write, bool written) {
  const std::string& key = write.object->meta().key;
  shared_.recording.erase(key);
  if (!written) {
    ++errors_;
    // Also when the index has forgotten it meanwhile, the former record is still there and names its place.
    (void)shared_.index.remove(key);
    if (write.replaced) {
      shared_.journal.remove(
          key, true, [place = std::move(write.replaced), pass = std::make_shared<Gate::Pass>(shared_.gate.enter())] {});
    }
    return end(write);
  }
  // The new record stands in the place of the old one, whose slots nobody names any more.
  write.replaced.reset();
  (void)shared_.index.remove(key);
  shared_.index.insert(key, write.weight, write.place);
  write.place.reset();
  ++writes_;
  if (write.freshened) shared_.freshen(key, std::move(*write.freshened), std::move(write.pass));
  if (write.is_cancelled) shared_.remove(key);
  end(write);
}

void DiskWriter::end(Write& write) {
  queued_bytes_ -= write.queued_bytes;
  if (write.record.is_inline) inline_coming_bytes_ -= write.weight;
  active_.erase(std::string(write.object->meta().key));
  schedule_pump();
}

void DiskWriter::shed_front() {
  Write& write = *queue_.front();
  ++shed_;
  shared_.remove(write.object->meta().key);
  queued_bytes_ -= write.queued_bytes;
  queue_.pop_front();
}

}  // namespace reelway::edge
