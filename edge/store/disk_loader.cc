#include "edge/store/disk_loader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/crc32c.h"
#include "common/ring/ring.h"
#include "common/telemetry/log.h"
#include "edge/store/object_writer.h"

// Model: a load holds its place, so that the slots are not reused while it reads. It asks a worker for the record,
// reads the parts into the object's own memory, a few at once, checks each as it comes, and shows those that are
// checked without a gap from the front. While the index is being loaded there is no place to hold, and no need of it:
// no slot is reused then. What the record says is believed as far as the sums go. What does not match is dropped from
// disk: the record, the index entry, the slots.

namespace reelway::edge {
namespace {

constexpr std::size_t kWorkers = 2;
constexpr std::size_t kWorkerQueueMax = 4096;

}  // namespace

DiskLoader::DiskLoader(DiskShared shared, RecordIndex& records, MemoryTier& memory)
    : shared_(shared),
      records_(records),
      memory_(memory),
      workers_(shared.ring, kWorkers, kWorkerQueueMax, "store-reader") {}

void DiskLoader::load(std::shared_ptr<Object> object, std::function<void(bool)> done) {
  auto place = shared_.index.find_and_touch(object->meta().key);
  const bool may_be_there = place || shared_.loading.may_have(object->meta().key);
  Gate::Pass pass = may_be_there ? shared_.gate.enter() : Gate::Pass();
  if (!pass) {
    shared_.ring.defer([done = std::move(done)] { done(false); });
    return;
  }
  loads_.emplace_front();
  Load& load = loads_.front();
  load.self = loads_.begin();
  load.object = std::move(object);
  load.done = std::move(done);
  load.pass = std::move(pass);
  load.place = std::move(place);
  const bool accepted =
      workers_.submit([this, &load] { load.found = find(load.object->meta().key); }, [this, &load] { on_found(load); });
  if (!accepted) shared_.ring.defer([this, &load] { end(load, false); });
}

DiskLoader::Found DiskLoader::find(const std::string& key) const {
  Found found;
  if (shared_.fault(DiskFaults::Operation::read_index) != 0) {
    found.kind = Found::Kind::failed;
    return found;
  }
  const auto record = records_.record(key);
  if (!record) {
    const bool is_corrupt = record.error().code == ErrorCode::stored_data_corrupt;
    found.kind = is_corrupt ? Found::Kind::corrupt : Found::Kind::failed;
    telemetry::log_warn("edge store: {}", describe(record.error()));
    return found;
  }
  if (!record.value()) return found;
  auto decoded = decode_record(key, as_bytes(*record.value()));
  found.kind = decoded ? Found::Kind::record : Found::Kind::corrupt;
  if (!decoded) return found;
  found.record = std::move(*decoded);
  if (!found.record.is_inline) return found;
  auto body = records_.body(key);
  if (!body || !body.value()) {
    found.kind = Found::Kind::corrupt;
    return found;
  }
  found.body = std::move(*std::move(body).value());
  const ObjectMeta& meta = found.record.meta;
  if (found.body.size() != meta.length || crc32c(as_bytes(found.body)) != meta.crc32c)
    found.kind = Found::Kind::corrupt;
  return found;
}

void DiskLoader::on_found(Load& load) {
  switch (load.found.kind) {
    case Found::Kind::failed: {
      ++errors_;
      shared_.note_io(DiskHealth::Part::index, EIO);
      return end(load, false);
    }
    case Found::Kind::record: {
      if (load.place == nullptr && !is_readable(load)) return end(load, false);
      if (load.place != nullptr && !is_of_place(load)) break;
      if (was_purged(load)) return end(load, false);
      return load.found.record.is_inline ? show_inline(load) : begin_io(load);
    }
    case Found::Kind::nothing: {
      if (load.place == nullptr) return end(load, false);
      break;
    }
    case Found::Kind::corrupt: break;
  }
  drop(load, "its record or its inline body is damaged", corrupt_);
  end(load, false);
}

// A record of another sequence was written meanwhile, or came back from the dead; drop() tells these apart.
bool DiskLoader::is_of_place(const Load& load) const {
  const DiskRecord& record = load.found.record;
  const std::vector<Extent>& extents = load.place->extents();
  return record.sequence == load.place->sequence() &&
         std::equal(extents.begin(), extents.end(), record.extents.begin(), record.extents.end(),
                    [](const Extent& extent, const StoredExtent& part) { return extent == part.extent; });
}

// Without the index: removed meanwhile, or not to be had from the files as they are.
bool DiskLoader::is_readable(const Load& load) const {
  const auto& extents = load.found.record.extents;
  return shared_.loading.may_have(load.object->meta().key) &&
         std::all_of(extents.begin(), extents.end(),
                     [this](const StoredExtent& part) { return shared_.slabs.was_found(part.extent); });
}

void DiskLoader::index_loaded() {
  for (Load& load : loads_) load.place = shared_.index.find(load.object->meta().key);
}

// Whether a purge, in force or carried out since the load began, forbids to show it. What a soft one made stale has
// become so in load.found.
bool DiskLoader::was_purged(Load& load) {
  if (load.place && load.place->is_leaving()) return true;
  ObjectMeta& meta = load.found.record.meta;
  const std::uint64_t epoch_of_place = load.place ? load.place->marks().epoch : 0;
  if (meta.purge_epoch < epoch_of_place) {
    meta.fresh_until_ms = std::min(meta.fresh_until_ms, shared_.clock.wall_ms());
    meta.purge_epoch = epoch_of_place;
  }
  PurgeRule* rule = shared_.purges.find(meta);
  if (rule == nullptr) return false;
  rule->note(meta.key, false, true);
  if (!rule->soft) {
    shared_.remove(meta.key);
    return true;
  }
  meta.fresh_until_ms = std::min(meta.fresh_until_ms, rule->at_ms);
  meta.purge_epoch = rule->epoch;
  shared_.mark_stale(meta.key, rule->at_ms, rule->epoch);
  return false;
}

void DiskLoader::show_inline(Load& load) {
  ObjectWriter writer(load.object);
  const std::string& body = load.found.body;
  if (!writer.reserve(memory_, body.size())) return end(load, false);
  if (!body.empty()) std::memcpy(writer.piece(0, body.size()).data(), body.data(), body.size());
  const std::uint32_t crc = load.found.record.meta.crc32c.value_or(0);
  writer.head(std::move(load.found.record.meta));
  if (!body.empty()) writer.show(body.size(), crc);
  end(load, true);
}

void DiskLoader::begin_io(Load& load) {
  ObjectWriter writer(load.object);
  const DiskRecord& record = load.found.record;
  if (!writer.reserve(memory_, record.meta.length.value_or(0))) {
    writer.drop_hidden();
    return end(load, false);
  }
  std::vector<ExtentIo::Piece> pieces;
  std::uint64_t at = 0;
  for (const StoredExtent& part : record.extents) {
    const SlabFiles::Place place = shared_.slabs.locate(part.extent);
    const auto into = writer.piece(at, ChunkPool::capacity_for(part.bytes));
    pieces.push_back({place.fd, place.offset, into.data(), into.size()});
    at += part.bytes;
  }
  load.is_checked.resize(pieces.size());
  if (const int error = shared_.fault(DiskFaults::Operation::read_body); error != 0) {
    return shared_.ring.defer([this, &load, error] { io_ended(load, error); });
  }
  load.io = std::make_unique<ExtentIo>(
      shared_.ring, ExtentIo::Direction::read, std::move(pieces),
      [this, &load](std::size_t index) { piece_read(load, index); },
      [this, &load](int error) { io_ended(load, error); });
  load.io->start();
}

void DiskLoader::piece_read(Load& load, std::size_t index) {
  ObjectWriter writer(load.object);
  const auto& parts = load.found.record.extents;
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < index; ++i) at += parts[i].bytes;
  if (crc32c(writer.piece(at, parts[index].bytes)) != parts[index].crc32c) {
    // Those before it that are still being read are shown when they come: parts are read in order.
    load.is_corrupt = true;
    load.io->stop();
    return;
  }
  load.is_checked[index] = true;
  for (; load.shown < parts.size() && load.is_checked[load.shown]; ++load.shown) {
    if (load.shown == 0) writer.head(load.found.record.meta);
    writer.show(parts[load.shown].bytes, parts[load.shown].crc32c);
  }
}

void DiskLoader::io_ended(Load& load, int error) {
  if (!load.is_corrupt) shared_.note_io(DiskHealth::Part::bodies, error);
  if (error == 0) return end(load, true);
  ObjectWriter(load.object).drop_hidden();
  if (load.is_corrupt) {
    drop(load, "its bytes do not match their checksum", corrupt_);
  } else {
    drop(load, std::strerror(error), errors_);
  }
  end(load, false);
}

void DiskLoader::drop(Load& load, std::string_view reason, std::uint64_t& counter) {
  const std::string& key = load.object->meta().key;
  // Erased or replaced while the load was under way: nothing is wrong.
  if (shared_.index.find(key) != load.place) return;
  ++counter;
  telemetry::log_warn("edge store: dropped {} from disk: {}", key, reason);
  shared_.remove(key);
}

void DiskLoader::end(Load& load, bool loaded) {
  // Freed before the caller hears of it, so that it may close the store; the pass leaves last.
  const auto done = std::move(load.done);
  const Gate::Pass pass = std::move(load.pass);
  loads_.erase(load.self);
  done(loaded);
}

void DiskLoader::probe(std::string key, std::function<void(std::optional<ObjectMeta>)> done) {
  auto pass = std::make_shared<Gate::Pass>(shared_.gate.enter());
  auto found = std::make_shared<Found>();
  const bool may_ask = *pass && (shared_.index.find(key) || shared_.loading.may_have(key));
  const bool accepted =
      may_ask && workers_.submit([this, key, found] { *found = find(key); },
                                 [found, pass, done] {
                                   const bool is_there = found->kind == Found::Kind::record;
                                   done(is_there ? std::optional(std::move(found->record.meta)) : std::nullopt);
                                 });
  if (!accepted) shared_.ring.defer([done = std::move(done)] { done(std::nullopt); });
}

}  // namespace reelway::edge
