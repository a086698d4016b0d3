#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "common/base/unique_fd.h"
#include "tests/unit/origin/jobs/ingest_fixture.h"

// A child runs a job and reports each change of its record through a pipe; it is killed at every such moment in turn.
// Whatever the moment, nothing half-made may be visible, and the next child takes the job up, until one may end it.

namespace reelway::origin {
namespace {

// What the killed child runs; not a test.
class ChildRoleIngest : public IngestJobsTest {
 protected:
  void SetUp() override {
    const char* directory = std::getenv("REELWAY_KILL_DIRECTORY");
    ASSERT_NE(directory, nullptr);
    data_dir_ = directory;
    open();
  }
};

TEST_F(ChildRoleIngest, RunsUntilKilled) {
  const int report = std::atoi(std::getenv("REELWAY_KILL_PIPE"));
  const std::string job = std::getenv("REELWAY_KILL_JOB");
  const auto watch = store_->watch(job_key(job), store_->status()->revision + 1, [&](const WatchMessage& message) {
    const bool changed = std::holds_alternative<WatchBatch>(message);
    EXPECT_EQ(::write(report, "x", changed ? 1 : 0), changed ? 1 : 0);
  });
  ASSERT_TRUE(jobs_->start().ok());
  wait_for_end(job);
}

class KilledIngest : public IngestJobsTest {
 protected:
  // Runs a child and kills it at the given change of the job's record; false when the child came to its end before.
  bool run_and_kill(const std::string& job, int change) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    UniqueFd reader(ends[0]), writer(ends[1]);
    ::fcntl(reader.get(), F_SETFD, FD_CLOEXEC);
    ::setenv("REELWAY_KILL_DIRECTORY", data_dir_.c_str(), 1);
    ::setenv("REELWAY_KILL_PIPE", std::to_string(writer.get()).c_str(), 1);
    ::setenv("REELWAY_KILL_JOB", job.c_str(), 1);
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl("/proc/self/exe", "kill_child", "--gtest_filter=ChildRoleIngest.*", nullptr);
      ::_exit(127);
    }
    writer.reset();
    char one = 0;
    for (int changes = 0; ::read(reader.get(), &one, 1) == 1;) {
      if (++changes == change) ::kill(child, SIGKILL);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFSIGNALED(status);
  }
};

TEST_F(KilledIngest, LeavesNothingHalfMadeAndIsTakenUpAgain) {
  const auto job = jobs_->enqueue({"film", "", upload(small_film(), "film"), "en", false});
  ASSERT_TRUE(job.ok());
  int kills = 0;
  for (int change = 1;; ++change) {
    close();
    const bool killed = run_and_kill(job->job, change);
    kills += killed;
    open();
    if (!killed || jobs_->status(job->job)->state == JobState::done) break;
    ASSERT_EQ(catalog_->current_version("film").error().code, ErrorCode::title_not_published);
    ASSERT_FALSE(catalog_->published("film", "v1").ok());
    ASSERT_TRUE(exists(uploads_->part_path(job->upload)) || exists(catalog_->original_path("film", "v1")));
  }
  EXPECT_GE(kills, 4);
  EXPECT_EQ(jobs_->status(job->job)->state, JobState::done);
  ASSERT_TRUE(jobs_->start().ok());
  const auto version = catalog_->published("film", "v1");
  ASSERT_TRUE(version.ok()) << describe(version.error());
  EXPECT_EQ(renditions(**version)[0].frames, 80u);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.at("work")));
}

TEST_F(KilledIngest, VersionFolderWithoutARecordIsRemovedAtStart) {
  ASSERT_TRUE(make_folders(folder_.at("titles/film/v1")).ok());
  ASSERT_TRUE(write_durably(folder_.at("titles/film/v1/video-240.mp4"), "half", 4).ok());
  ASSERT_TRUE(make_folders(folder_.at("work/some-job/version")).ok());
  ASSERT_TRUE(jobs_->start().ok());
  EXPECT_FALSE(exists(folder_.at("titles/film/v1")));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.at("work")));
}

}  // namespace
}  // namespace reelway::origin
