#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/ring/side_workers.h"
#include "common/ring/timer.h"
#include "edge/store/record_index.h"

namespace reelway::edge {

// Writes changes to the RecordIndex in the order they were given: all that gathered while the last batch was being
// written go into the next one.
//
// A put or a rewrite that fails is reported and forgotten. A removal must happen before its slots are used again, so
// one that fails stays first in line and is tried again after a second; until then healthy() is false and puts fail at
// once.
//
// When damage in the index is why it fails, the index is replaced by an empty one, and `lost` is called: no record that
// was there before is any more.
class RecordJournal {
 public:
  // `outcome` is told of each batch: 0, or what failed as an errno. `fault` is asked before each (DiskFaults), on a
  // thread beside the ring.
  RecordJournal(ring::Ring& ring, RecordIndex& index, std::function<void()> lost,
                std::function<void(int error)> outcome, std::function<int()> fault);

  void put(RecordIndex::Change change, std::function<void(bool written)> done);
  // `done` with how much longer the record became: 0 also when it was not rewritten, because it is gone or another's,
  // or because the write failed; then the old metadata stand, which were true too.
  void rewrite(RecordIndex::Change change, std::function<void(std::int64_t growth_bytes)> done);
  // Notes are put and removed as records are, but synced.
  void remove_note(std::string name);
  void remove(std::string key, bool drop_body, std::function<void()> done);
  // The index was found damaged elsewhere: it is replaced before anything else is written.
  void found_damage();
  bool healthy() const { return healthy_; }
  std::uint64_t errors() const { return errors_; }
  // The disk has been given up: nothing is written any more; puts fail, removals end.
  void give_up();
  // From now on a removal that fails is given up after one try, so that closing ends.
  void give_up_soon() { giving_up_ = true; }

 private:
  using Done = std::function<void(const RecordIndex::Change& change, bool written)>;
  struct Entry {
    RecordIndex::Change change;
    Done done;
  };

  void add(Entry entry);
  void schedule();
  void flush();
  struct Batch;
  void write(Batch& batch);
  void flushed(Batch& batch);
  void retain_removals(Batch& batch);

  ring::Ring& ring_;
  RecordIndex& index_;
  std::function<void()> lost_;
  std::function<void(int)> outcome_;
  std::function<int()> fault_;
  std::deque<Entry> waiting_;
  bool scheduled_ = false;
  bool is_writing_ = false;
  bool healthy_ = true;
  bool giving_up_ = false;
  bool has_given_up_ = false;
  bool is_damaged_ = false;    // the index, as the last batch found
  bool is_replacing_ = false;  // with nothing to write
  std::uint64_t errors_ = 0;
  ring::Timer retry_;
  ring::SideWorkers worker_;  // one thread: the order of batches is the order of changes
};

}  // namespace reelway::edge
