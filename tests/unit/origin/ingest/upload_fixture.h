#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "origin/ingest/upload.h"
#include "tests/support/temporary_folder.h"

namespace reelway::origin {

class FakeClock final : public Clock {
 public:
  Monotonic monotonic() const override { return {}; }
  Wall wall() const override { return now; }
  Wall now{std::chrono::hours(1'000'000)};
};

// Uploads over a folder of its own, which can be closed and opened again as a process that starts anew does.
class UploadFixture : public testing::Test {
 protected:
  void SetUp() override { open({.data_dir = folder_.path(), .upload_bytes_max = 1000, .free_bytes_min = 0}); }

  void open(UploadOptions options) {
    uploads_.reset();
    catalog_.reset();
    store_.reset();
    auto opened = open_rocksdb_store(folder_.at("store"));
    ASSERT_TRUE(opened.ok());
    store_ = std::move(opened).value();
    catalog_ = std::make_unique<Catalog>(*store_, clock_, CatalogOptions{.data_dir = folder_.path()});
    uploads_ = std::make_unique<Uploads>(*store_, *catalog_, clock_, random_, options);
    ASSERT_TRUE(uploads_->recover().ok());
  }

  static ErrorCode code(const auto& result) { return result.ok() ? ErrorCode::internal : result.error().code; }

  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_.at("uploads")),
                                                  std::filesystem::directory_iterator()));
  }

  TemporaryFolder folder_;
  FakeClock clock_;
  SystemRandom random_;
  std::unique_ptr<ControlStore> store_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Uploads> uploads_;
};

}  // namespace reelway::origin
