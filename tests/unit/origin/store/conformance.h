#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "origin/store/control_store.h"

// What every backend of the control store must do (conformance_test.cc), written against the interface alone. A backend
// joins by a way to make, restart and name its store:
//
//   INSTANTIATE_TEST_SUITE_P(Rocksdb, ControlStoreConformance, testing::Values(Backend{"rocksdb", make}));

namespace reelway::origin {

class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual ControlStore& store() = 0;
  virtual void restart() = 0;
};

struct Backend {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
};

inline std::ostream& operator<<(std::ostream& out, const Backend& backend) {
  return out << backend.name;
}

// Collects what a watch delivers; wait_for() sleeps until enough has come.
class WatchLog {
 public:
  std::function<void(const WatchMessage&)> sink() {
    return [this](const WatchMessage& message) {
      const std::lock_guard hold(mutex_);
      messages_.push_back(message);
      arrived_.notify_all();
    };
  }

  std::vector<WatchMessage> wait_for(std::size_t count) {
    std::unique_lock hold(mutex_);
    arrived_.wait(hold, [&] { return messages_.size() >= count; });
    return messages_;
  }

  std::size_t count() {
    const std::lock_guard hold(mutex_);
    return messages_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<WatchMessage> messages_;
};

inline Txn put_txn(const std::string& key, const std::string& value) {
  Txn txn;
  txn.then_operations.push_back(Operation::put(key, value));
  return txn;
}

class ControlStoreConformance : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override { under_test_ = GetParam().make(); }

  ControlStore& store() { return under_test_->store(); }
  void restart() { under_test_->restart(); }

  Revision put(const std::string& key, const std::string& value) {
    const Result<TxnReply> reply = store().txn(put_txn(key, value));
    EXPECT_TRUE(reply.ok());
    return reply.ok() ? reply->revision : 0;
  }

  KeyValue get(const std::string& key) {
    const Result<std::optional<KeyValue>> entry = store().get(key);
    EXPECT_TRUE(entry.ok());
    return entry.ok() && entry->has_value() ? **entry : KeyValue{};
  }

  std::unique_ptr<StoreUnderTest> under_test_;
};

}  // namespace reelway::origin
