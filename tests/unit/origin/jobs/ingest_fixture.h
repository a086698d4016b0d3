#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "origin/catalog/published_version.h"
#include "origin/ingest/durable_files.h"
#include "origin/jobs/ingest_jobs.h"
#include "tests/support/temporary_folder.h"

namespace reelway::origin {

// An origin's parts over one data folder; restart() is what a new process would find.
class IngestJobsTest : public testing::Test {
 protected:
  void SetUp() override { open(); }

  void open() {
    auto opened = open_rocksdb_store(data_dir_ + "/store");
    ASSERT_TRUE(opened.ok()) << describe(opened.error());
    store_ = std::move(opened).value();
    catalog_ = std::make_unique<Catalog>(*store_, clock_, CatalogOptions{.data_dir = data_dir_});
    uploads_ = std::make_unique<Uploads>(*store_, *catalog_, clock_, random_,
                                         UploadOptions{.data_dir = data_dir_, .free_bytes_min = 0});
    ASSERT_TRUE(uploads_->recover().ok());
    IngestJobsOptions options = options_;
    options.data_dir = data_dir_;
    options.transcode.sandbox.confine_program = std::string(REELWAY_BIN_DIR) + "/reelway-confine";
    jobs_ = std::make_unique<IngestJobs>(*store_, *catalog_, *uploads_, clock_, random_, options);
  }

  void close() {
    jobs_.reset();
    uploads_.reset();
    catalog_.reset();
    store_.reset();
  }

  void restart() {
    close();
    open();
  }

  std::string film(const std::string& arguments, const std::string& name = "film.mp4") {
    const std::string path = folder_.at(name);
    const std::string command = "/usr/bin/ffmpeg -v error -nostdin -y " + arguments + " " + path;
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return path;
  }

  // 3.2 s of moving picture and tone: two groups of pictures, the last one short.
  std::string small_film() {
    return film(
        "-f lavfi -i testsrc2=s=320x240:r=25:d=3.2 -f lavfi -i sine=d=3.2 -c:v libx264 -preset ultrafast -c:a aac");
  }

  std::string upload(const std::string& path, const std::string& title, bool new_version = false) {
    const Result<Bytes> bytes = read_whole_file(path, 1 << 30);
    EXPECT_TRUE(bytes.ok());
    const auto begun = uploads_->begin({"film.mp4", bytes->size(), title, new_version});
    EXPECT_TRUE(begun.ok()) << describe(begun.error());
    auto writer = uploads_->write(begun->upload);
    EXPECT_TRUE(writer.ok());
    EXPECT_TRUE((*writer)->append(*bytes).ok());
    EXPECT_TRUE((*writer)->finish().ok());
    return begun->upload;
  }

  JobRecord ingest(const std::string& path, const std::string& title, bool new_version = false) {
    const auto job = jobs_->enqueue({title, "", upload(path, title, new_version), "en", new_version});
    EXPECT_TRUE(job.ok()) << describe(job.error());
    return wait_for_end(job->job);
  }

  // What happens to a job shows in its record, which a watch follows.
  template <class Condition>
  JobRecord wait_until(const std::string& job, Condition condition) {
    std::mutex mutex;
    std::condition_variable changed;
    JobRecord last;
    bool met = false;
    const auto watch = store_->watch(job_key(job), 1, [&](const WatchMessage& message) {
      const auto* batch = std::get_if<WatchBatch>(&message);
      if (batch == nullptr) return;
      const std::lock_guard hold(mutex);
      last = parse_job(batch->events.back().entry.key, batch->events.back().entry.value).value();
      met = met || condition(last);
      changed.notify_all();
    });
    std::unique_lock hold(mutex);
    changed.wait(hold, [&] { return met; });
    hold.unlock();
    return last;
  }

  JobRecord wait_for_end(const std::string& job) {
    const JobRecord ended = wait_until(job, [](const JobRecord& record) {
      return record.state == JobState::done || record.state == JobState::failed;
    });
    // A job's work is removed after its end has been recorded.
    while (exists(folder_.at("work/" + job))) std::this_thread::yield();
    return ended;
  }

  ErrorCode refusal(const std::string& path, const std::string& title = "film") {
    EXPECT_TRUE(jobs_->start().ok());
    const JobRecord job = ingest(path, title);
    EXPECT_EQ(job.state, JobState::failed);
    if (!job.error) return ErrorCode::internal;
    EXPECT_FALSE(job.error->detail.empty());
    // Nothing half-made is visible, and the original is kept.
    EXPECT_EQ(catalog_->current_version(title).error().code, ErrorCode::title_not_published);
    EXPECT_FALSE(exists(catalog_->version_folder(title, "v1")));
    EXPECT_TRUE(exists(catalog_->original_path(title, "v1")));
    EXPECT_TRUE(std::filesystem::is_empty(folder_.at("work")));
    EXPECT_EQ(catalog_->title(title)->state, TitleState::failed);
    return job.error->code;
  }

  TemporaryFolder folder_;
  IngestJobsOptions options_;  // what differs from the usual, from the next restart() on
  std::string data_dir_ = folder_.path();
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<ControlStore> store_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Uploads> uploads_;
  std::unique_ptr<IngestJobs> jobs_;
};

}  // namespace reelway::origin
