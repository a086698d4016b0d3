#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "origin/store/rocksdb_store.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/origin/store/conformance.h"

namespace reelway::origin {

class RocksdbUnderTest final : public StoreUnderTest {
 public:
  explicit RocksdbUnderTest(WatchLimits watch = {}) {
    options_.directory = folder_.at("store");
    options_.watch = watch;
    restart();
  }
  ControlStore& store() override { return *store_; }
  void restart() override {
    store_.reset();
    Result<std::unique_ptr<ControlStore>> opened = open_rocksdb_store(options_);
    ASSERT_TRUE(opened.ok()) << describe(opened.error());
    store_ = std::move(opened).value();
  }
  const std::string& directory() const { return options_.directory; }
  void close() { store_.reset(); }

 private:
  TemporaryFolder folder_;
  RocksdbStoreOptions options_;
  std::unique_ptr<ControlStore> store_;
};

}  // namespace reelway::origin
