#include "origin/fleet/beat_writer.h"

#include <algorithm>
#include <utility>

#include "common/telemetry/log.h"

namespace reelway::origin {

BeatWriter::BeatWriter(ControlStore& store, Time time, std::chrono::milliseconds period)
    : store_(store), time_(std::move(time)), period_(period) {}

BeatWriter::~BeatWriter() {
  stop();
}

Result<void> BeatWriter::recover() {
  stored_known_ = false;
  auto stored = store_.get(kBeatKey);
  if (!stored) return std::move(stored).error();
  if (*stored) {
    const auto beat = parse_beat((*stored)->value);
    if (!beat) return beat.error();
    time_.observe(beat->time_ms);
  }
  stored_ = std::move(stored).value();
  stored_known_ = true;
  return {};
}

void BeatWriter::start() {
  thread_ = std::thread([this] { run(); });
}

void BeatWriter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// The next beat counts from the end of this one when the store was slow, so that it is not pressed further.
void BeatWriter::run() {
  auto due = std::chrono::steady_clock::now();
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_until(lock, due, [this] { return stopping_; })) return;
    }
    const auto turn = write();
    if (!turn && !std::exchange(failing_, true)) {
      telemetry::log_error("the beat is not written; edges see the rights grow stale: {}", describe(turn.error()));
    }
    if (turn && std::exchange(failing_, false)) telemetry::log_info("the beat is written again");
    due = std::max(due + period_, std::chrono::steady_clock::now());
  }
}

Result<BeatWriter::Turn> BeatWriter::write() {
  const auto count = [this](std::uint64_t Counters::*counter) {
    const std::lock_guard lock(mutex_);
    ++(counters_.*counter);
  };
  const auto attempt = [this]() -> Result<Turn> {
    if (!stored_known_) REELWAY_TRY(recover());
    Beat beat;
    if (stored_) {
      const auto before = parse_beat(stored_->value);
      if (!before) return before.error();
      beat.turn = before->turn + 1;
      beat.time_ms = before->time_ms;
    }
    beat.time_ms = std::max(beat.time_ms, time_.now_ms());
    Txn txn;
    txn.compares = {Compare::unchanged(std::string(kBeatKey), stored_ ? stored_->mod_revision : 0)};
    txn.then_operations = {Operation::put(std::string(kBeatKey), to_json(beat))};
    // Whatever happens to it, only a reading tells what is stored then.
    stored_known_ = false;
    const auto reply = store_.txn(txn);
    if (!reply) return reply.error();
    if (!reply->succeeded) return Turn::outrun;
    stored_ = KeyValue{};
    stored_->key = kBeatKey;
    stored_->value = txn.then_operations[0].value;
    stored_->mod_revision = reply->revision;
    stored_known_ = true;
    return Turn::written;
  };
  const auto turn = attempt();
  count(!turn ? &Counters::failed : *turn == Turn::written ? &Counters::written : &Counters::outrun);
  return turn;
}

BeatWriter::Counters BeatWriter::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

}  // namespace reelway::origin
