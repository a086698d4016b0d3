#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "common/access/token.h"
#include "origin/rights/entitlements.h"
#include "origin/rights/orders.h"
#include "origin/rights/playback.h"
#include "origin/rights/rights_services.h"
#include "tests/support/temporary_folder.h"

namespace reelway::origin {

inline constexpr std::int64_t kNow = 1'800'000'000;
inline constexpr std::int64_t kHour = 3'600;
inline constexpr std::int64_t kDay = 86'400;

// A clock that stands until it is moved. Wall and monotonic time move together, or the wall clock alone.
class HandClock final : public Clock {
 public:
  Monotonic monotonic() const override { return Monotonic(std::chrono::seconds(monotonic_s_.load())); }
  Wall wall() const override { return Wall(std::chrono::seconds(wall_s_.load())); }
  void pass(std::int64_t seconds) {
    monotonic_s_ += seconds;
    wall_s_ += seconds;
  }
  void set_wall(std::int64_t unix_s) { wall_s_ = unix_s; }

 private:
  std::atomic<std::int64_t> monotonic_s_{1000};
  std::atomic<std::int64_t> wall_s_{kNow};
};

// A store whose transactions can be watched and whose outcomes can be made unknown.
class InterferingStore final : public ControlStore {
 public:
  enum class Fault : std::uint8_t { none, unknown_applied, unknown_lost, unavailable };

  explicit InterferingStore(std::unique_ptr<ControlStore> store) : store_(std::move(store)) {}

  Result<TxnReply> txn(const Txn& txn) override {
    if (before_txn) before_txn();
    ++transactions;
    const Fault fault = next_fault ? next_fault() : Fault::none;
    if (fault == Fault::unknown_lost) return unknown();
    if (fault == Fault::unavailable) return Error{ErrorCode::store_unavailable, Side::disk, true, "by the test"};
    Result<TxnReply> reply = store_->txn(txn);
    if (fault == Fault::unknown_applied) return unknown();
    return reply;
  }
  Result<Page> range(std::string_view prefix, std::size_t limit, std::string_view after_key) override {
    if (fails_reading && fails_reading(prefix)) return Error{ErrorCode::io_failed, Side::disk, false, "by the test"};
    return store_->range(prefix, limit, after_key);
  }
  std::unique_ptr<Watch> watch(std::string prefix, Revision from,
                               std::function<void(const WatchMessage&)> deliver) override {
    return store_->watch(std::move(prefix), from, std::move(deliver));
  }
  Result<void> compact(Revision floor) override {
    compacted_to = floor;
    return store_->compact(floor);
  }
  Result<StoreStatus> status() override {
    auto status = store_->status();
    if (status.ok()) status->revision += revisions_added;
    return status;
  }

  ControlStore& real() { return *store_; }

  std::function<void()> before_txn;
  std::function<Fault()> next_fault;
  std::function<bool(std::string_view prefix)> fails_reading;
  std::atomic<int> transactions{0};
  Revision revisions_added = 0;
  Revision compacted_to = 0;

 private:
  static Error unknown() { return {ErrorCode::store_unknown, Side::disk, true, "made so by the test"}; }
  std::unique_ptr<ControlStore> store_;
};

// A real store with the published title "film", under a clock that is set by hand.
class RightsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_rocksdb_store(folder_.at("store"));
    ASSERT_TRUE(opened.ok());
    store_ = std::make_unique<InterferingStore>(std::move(opened).value());
    catalog_ = std::make_unique<Catalog>(*store_, clock_, CatalogOptions{.data_dir = folder_.path()});
    auto seal = KeySeal::from_secret(std::string(32, 's'));
    ASSERT_TRUE(seal.ok());
    auto keys = SigningKeys::open(*store_, std::move(seal).value(), clock_, random_);
    ASSERT_TRUE(keys.ok());
    keys_ = std::move(keys).value();
    time_ = std::make_unique<OriginTime>(clock_);
    RightsOptions options;
    options.public_edges = {"http://edge-1"};
    services_ = std::make_unique<RightsServices>(
        RightsServices{*store_, *catalog_, *keys_, *time_, random_, turns_, std::move(options), nullptr});
    publish("film");
  }

  void put(const std::string& key, const std::string& value) {
    Txn txn;
    txn.then_operations = {Operation::put(key, value)};
    ASSERT_TRUE(store_->real().txn(txn).ok());
  }
  void publish(const std::string& title) {
    TitleRecord record;
    record.state = TitleState::published;
    record.name = title;
    record.current_version = record.latest_version = "v1";
    put(title_key(title), to_json(record));
    VersionRecord version;
    version.title = title;
    version.version = "v1";
    version.state = VersionState::published;
    put(version_key(title, "v1"), to_json(version));
  }

  OrderRequest order_of(const std::string& account, rights::Kind kind = rights::Kind::rental) {
    return {account, "film", kind, "", "key-" + std::to_string(++orders_)};
  }
  // The id of a rental of "film".
  std::string rent(const std::string& account, const std::string& offer = "") {
    OrderRequest request = order_of(account);
    request.offer = offer;
    const auto answer = place_order(*services_, request);
    EXPECT_TRUE(answer.ok()) << describe(answer.error());
    return answer.ok() ? answer->value("entitlement", "") : "";
  }
  Result<Playback> play(const std::string& account, const std::string& device, const std::string& title = "film") {
    return start_playback(*services_, {account, title, device, {}});
  }
  EntitlementRecord stored(const std::string& id) {
    const std::string key = std::string(kEntitlementPrefix) + id;
    const auto entry = store_->get(key);
    EXPECT_TRUE(entry.ok() && entry->has_value()) << id;
    return parse_entitlement(key, (*entry)->value).value();
  }
  std::size_t count_of(std::string_view prefix) {
    const auto page = store_->range(prefix, 1000, {});
    return page.ok() ? page->entries.size() : 0;
  }

  // Calls all at once, from a thread each.
  static void at_once(int count, const std::function<void(int)>& call) {
    std::vector<std::thread> threads;
    std::atomic<bool> go{false};
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        go.wait(false);
        call(i);
      });
    }
    go = true;
    go.notify_all();
    for (std::thread& thread : threads) thread.join();
  }

  TemporaryFolder folder_;
  HandClock clock_;
  SystemRandom random_;
  std::unique_ptr<InterferingStore> store_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<SigningKeys> keys_;
  std::unique_ptr<OriginTime> time_;
  AccountTurns turns_;
  std::unique_ptr<RightsServices> services_;
  std::atomic<int> orders_{0};
};

template <class Value>
std::string code(const Result<Value>& result) {
  return result.ok() ? "ok" : std::string(result.error().info().name);
}

}  // namespace reelway::origin
