#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "origin/fleet/beat.h"
#include "origin/fleet/change_stream.h"
#include "origin/fleet/rights_mirror.h"
#include "origin/store/rocksdb_store.h"
#include "tests/support/loop_thread.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/origin/fleet/replica_model.h"

namespace reelway::origin {

inline rights::EntitlementId test_id(std::uint64_t number) {
  rights::EntitlementId id{};
  std::mt19937_64 random(number);
  for (auto& byte : id) byte = static_cast<std::uint8_t>(random());
  return id;
}

inline rights::Record test_record(std::int64_t start_by_s) {
  rights::Record record;
  record.start_by_s = start_by_s;
  return record;
}

// A store whose watches the test can end as the store itself might.
class TappedStore final : public ControlStore {
 public:
  explicit TappedStore(ControlStore& store) : store_(store) {}
  Result<TxnReply> txn(const Txn& txn) override { return failing ? failure() : store_.txn(txn); }
  Result<Page> range(std::string_view prefix, std::size_t limit, std::string_view after) override {
    if (failing) return failure();
    if (on_range) on_range();
    return store_.range(prefix, limit, after);
  }
  std::unique_ptr<Watch> watch(std::string prefix, Revision from,
                               std::function<void(const WatchMessage&)> deliver) override {
    {
      const std::lock_guard lock(mutex_);
      deliver_ = deliver;
    }
    return store_.watch(std::move(prefix), from, unless_unreadable(std::move(deliver)));
  }
  Result<void> compact(Revision floor) override { return store_.compact(floor); }
  Result<StoreStatus> status() override {
    if (failing) return failure();
    return store_.status();
  }

  void end_watch(const WatchMessage& message) {
    std::function<void(const WatchMessage&)> deliver;
    {
      const std::lock_guard lock(mutex_);
      deliver = deliver_;
    }
    deliver(message);
  }

  std::atomic<bool> failing = false;
  std::atomic<Revision> unreadable = 0;  // no watch gets past it
  std::function<void()> on_range;

 private:
  using Deliver = std::function<void(const WatchMessage&)>;
  Deliver unless_unreadable(Deliver deliver) {
    return [this, deliver = std::move(deliver), lost = false](const WatchMessage& message) mutable {
      if (lost) return;
      const auto* batch = std::get_if<WatchBatch>(&message);
      lost = batch != nullptr && batch->revision == unreadable;
      deliver(lost ? WatchMessage(WatchLost{"the log is damaged, as the test wants it"}) : message);
    };
  }
  static Error failure() { return {ErrorCode::store_unavailable, Side::disk, true, "as the test wants it"}; }

  ControlStore& store_;
  std::mutex mutex_;
  std::function<void(const WatchMessage&)> deliver_;
};

// A mirror over a real store, on a loop of its own. A stored entitlement is the 27 bytes of its record here.
class MirrorFixture : public ::testing::Test {
 protected:
  MirrorFixture() { open_store(); }
  ~MirrorFixture() override { stop_mirror(); }

  void open_store() {
    auto opened = open_rocksdb_store(folder_.at("store"));
    ASSERT_TRUE(opened.ok()) << describe(opened.error());
    store_ = std::move(opened).value();
    tapped_ = std::make_unique<TappedStore>(*store_);
  }
  void restart_store() {
    stop_mirror();
    tapped_.reset();
    store_.reset();
    open_store();
  }

  static Result<rights::Record> decode(const KeyValue& entry) {
    const auto record = rights::decode(as_bytes(entry.value));
    if (record) return *record;
    return Error{ErrorCode::stored_data_corrupt, Side::disk, false, entry.key};
  }

  void start_mirror(MirrorOptions options = {}) {
    options.retry_after = std::chrono::milliseconds(1);
    thread_.call([&] {
      mirror_ = std::make_unique<RightsMirror>(*tapped_, thread_.loop(), decode, options);
      mirror_->subscribe([this] {
        const std::lock_guard lock(mutex_);
        changed_.notify_all();
      });
    });
    mirror_->start();
    // Only a beat written after the load proves it.
    if (!tapped_->failing) wait_until([this] { return mirror_->counters().loads > 0; });
  }
  void stop_mirror() {
    thread_.call([this] { mirror_.reset(); });
  }

  void wait_until(const std::function<bool()>& reached) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), reached));
  }
  void wait_until_ready() {
    wait_until([this] { return mirror_->ready(); });
  }
  // A beat of now; waits until the mirror has it.
  Revision beat_through() {
    const Revision revision = beat();
    wait_until([&] { return mirror_->ready() && mirror_->state().revision >= revision; });
    return revision;
  }

  Revision commit(std::vector<Operation> operations) {
    Txn txn;
    txn.then_operations = std::move(operations);
    return store_->txn(txn).value().revision;
  }
  static std::string key_of(std::uint64_t number) {
    return std::string(kEntitlementPrefix) + rights::id_text(test_id(number));
  }
  static Operation put_operation(std::uint64_t number, std::int64_t start_by_s) {
    return Operation::put(key_of(number), std::string(as_text(rights::encode(test_record(start_by_s)))));
  }
  Revision put(std::uint64_t number, std::int64_t start_by_s = 1) {
    return commit({put_operation(number, start_by_s)});
  }
  Revision erase(std::uint64_t number) { return commit({Operation::erase(key_of(number))}); }
  Revision beat() {
    ++turn_;
    return commit(
        {Operation::put(std::string(kBeatKey), to_json(Beat{static_cast<std::int64_t>(turn_) * 1000, turn_}))});
  }

  // All that a body gives until it has nothing for now, or ends. On the loop, as a connection would.
  std::string drain(StreamBody& body) {
    std::string all;
    thread_.call([&] {
      while (true) {
        const StreamBody::Piece piece = body.take();
        last_kind_ = piece.kind;
        if (piece.kind != StreamBody::Piece::Kind::bytes) return;
        all += *piece.bytes;
      }
    });
    return all;
  }
  std::string snapshot(RecordsStream::Buckets buckets = {}) {
    RecordsStream body(*mirror_, counters_, buckets);
    thread_.call([&] { body.begin([] {}); });
    std::string all = drain(body);
    thread_.call([&] { body.leave(); });
    return all;
  }
  // The frames after a position, as far as the mirror is.
  std::string changes_after(const std::string& cluster, Revision position) {
    ChangeStream body(*mirror_, counters_, {cluster, position});
    thread_.call([&] { body.begin([] {}); });
    std::string all = drain(body);
    thread_.call([&] { body.leave(); });
    return all;
  }

  TemporaryFolder folder_;
  std::unique_ptr<ControlStore> store_;
  std::unique_ptr<TappedStore> tapped_;
  reelway::testing::LoopThread thread_;
  std::unique_ptr<RightsMirror> mirror_;
  ReplicaCounters counters_;
  StreamBody::Piece::Kind last_kind_ = StreamBody::Piece::Kind::nothing_yet;
  std::uint64_t turn_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace reelway::origin
