#include "origin/jobs/job_board.h"

#include <gtest/gtest.h>

#include "origin/jobs/job_records.h"
#include "tests/support/temporary_folder.h"

namespace reelway::origin {
namespace {

using namespace std::chrono_literals;

class HandClock final : public Clock {
 public:
  Monotonic monotonic() const override { return Monotonic(now); }
  Wall wall() const override { return Wall(std::chrono::duration_cast<std::chrono::milliseconds>(now)); }
  std::chrono::nanoseconds now = 1h;
};

EncodePlan plan_of(std::uint64_t chunks) {
  EncodePlan plan;
  plan.rate = {25, 1};
  plan.group_frames = 50;
  plan.chunk_frames = 500;
  plan.frames = 500 * chunks;
  plan.rungs = {{640, 360, 800'000, "video/360"}};
  plan.audio = {{1, "en", "English", true, "audio/en-aac"}};
  return plan;
}

class JobBoardTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = open_rocksdb_store(folder_.at("store")).value();
    begin();
  }

  // A new process over the same store.
  void begin() {
    board_ = std::make_unique<JobBoard>(
        *store_, clock_, random_, room_, JobBoardOptions{},
        [this](const std::string& job, const std::optional<Error>& error) { settled_.emplace_back(job, error); });
  }

  void open(const std::string& job, std::uint64_t chunks = 1, std::int64_t priority = 0, std::int64_t created = 0) {
    JobRecord record;
    record.job = job;
    record.priority = priority;
    record.created_at_ms = created;
    const Result<void> opened = board_->open(record, {{"film", "v1", 1, std::string(64, 'a')}}, plan_of(chunks));
    ASSERT_TRUE(opened.ok()) << describe(opened.error());
  }

  std::optional<Assignment> claim(const std::string& worker = "w1") {
    const auto assignment = board_->claim(worker);
    EXPECT_TRUE(assignment.ok()) << describe(assignment.error());
    return *assignment;
  }

  TemporaryFolder folder_;
  HandClock clock_;
  SystemRandom random_;
  std::uint64_t free_bytes_ = 1ull << 40;
  const DiskRoom room_{"disk", 100 << 20, [this](const std::string&) { return free_bytes_; }};
  std::unique_ptr<ControlStore> store_;
  std::unique_ptr<JobBoard> board_;
  std::vector<std::pair<std::string, std::optional<Error>>> settled_;
};

const TaskOutcome kMade{{{"video-360.mp4", 10, 1}}, {2.5, 3, 10}};

TEST_F(JobBoardTest, APartIsMadeOfTheFileThatThePlanNames) {
  EncodePlan plan = plan_of(1);
  plan.audio[0].source = "audio-0";
  JobRecord record;
  record.job = "job";
  const SourceFile film{"film", "v1", 1, std::string(64, 'a')}, sound{"film", "v1", 2, std::string(64, 'b'), "audio-0"};
  ASSERT_TRUE(board_->open(record, {film, sound}, plan).ok());
  for (int part = 0; part < 2; ++part) {
    const Assignment assignment = *board_->claim("w1").value();
    const SourceFile& wanted = assignment.part.audio ? sound : film;
    EXPECT_EQ(assignment.source.sha256, wanted.sha256) << assignment.part.name;
    EXPECT_EQ(board_->held(assignment.claim).value().source.name, wanted.name);
  }
}

TEST_F(JobBoardTest, EachPartIsGivenOnce) {
  open("job", 2);
  const auto first = claim("w1"), second = claim("w2"), third = claim("w3");
  ASSERT_TRUE(first && second && third);
  EXPECT_EQ(first->part.name, "video-0000");
  EXPECT_EQ(second->part.name, "video-0001");
  EXPECT_EQ(third->part.name, "audio-en-aac");
  EXPECT_LT(first->claim.token, second->claim.token);
  EXPECT_FALSE(claim("w4"));
}

TEST_F(JobBoardTest, JobIsSettledOnceAllPartsAreDone) {
  open("job");
  const auto video = claim(), audio = claim();
  ASSERT_TRUE(board_->complete(video->claim, kMade).ok());
  EXPECT_TRUE(settled_.empty());
  ASSERT_TRUE(board_->complete(audio->claim, kMade).ok());
  ASSERT_TRUE(board_->complete(audio->claim, kMade).ok()) << "a repeated message changes nothing";
  ASSERT_EQ(settled_.size(), 1u);
  EXPECT_FALSE(settled_[0].second);
  EXPECT_EQ(board_->records("job")[0].cost.cpu_s, 2.5);
  EXPECT_EQ(board_->counters().done, 2u);
}

TEST_F(JobBoardTest, LostClaimIsNoFailureAndItsHolderChangesNothingAnyMore) {
  open("job");
  const auto slow = claim("slow");
  clock_.now += 29s;
  ASSERT_TRUE(board_->renew(slow->claim, 0.5).ok());
  clock_.now += 29s;
  board_->reap();
  EXPECT_EQ(board_->counters().lost, 0u);
  clock_.now += 2s;
  board_->reap();
  EXPECT_EQ(board_->counters().lost, 1u);
  EXPECT_EQ(board_->renew(slow->claim, 0.9).error().code, ErrorCode::claim_lost);
  const auto quick = claim("quick");
  ASSERT_EQ(quick->part.name, slow->part.name);
  EXPECT_GT(quick->claim.token, slow->claim.token);
  EXPECT_EQ(board_->complete(slow->claim, kMade).error().code, ErrorCode::claim_lost);
  EXPECT_EQ(board_->fail(slow->claim, {ErrorCode::io_failed, Side::self, false, ""}, {}).error().code,
            ErrorCode::claim_lost);
  EXPECT_EQ(board_->release(slow->claim).error().code, ErrorCode::claim_lost);
  EXPECT_TRUE(board_->complete(quick->claim, kMade).ok());
  EXPECT_EQ(board_->records("job")[0].failures, 0);
  EXPECT_EQ(board_->records("job")[0].claims, 2);
  EXPECT_EQ(board_->records("job")[0].token, quick->claim.token);
}

TEST_F(JobBoardTest, ClaimOutlivesARestartWithItsWholeLease) {
  open("job");
  const auto held = claim();
  clock_.now += 29s;
  begin();
  open("job");
  clock_.now += 29s;
  board_->reap();
  EXPECT_TRUE(board_->complete(held->claim, kMade).ok());
}

TEST_F(JobBoardTest, DonePartsStayDoneAfterARestart) {
  open("job");
  ASSERT_TRUE(board_->complete(claim()->claim, kMade).ok());
  begin();
  open("job");
  const auto next = claim();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->part.name, "audio-en-aac");
  ASSERT_TRUE(board_->complete(next->claim, kMade).ok());
  ASSERT_EQ(settled_.size(), 1u);
  begin();
  open("job");
  EXPECT_EQ(settled_.size(), 2u) << "a job that was made whole is finished by whoever opens it";
}

TEST_F(JobBoardTest, LocalClaimEndsWithItsProcess) {
  open("job");
  ASSERT_TRUE(claim("origin"));
  begin();
  open("job");
  EXPECT_EQ(claim("w1")->part.name, "video-0000");
}

TEST_F(JobBoardTest, ThirdFailureOfAPartFailsItsJob) {
  open("job");
  ASSERT_TRUE(board_->complete(claim()->claim, kMade).ok());
  for (int i = 1; i <= 3; ++i) {
    const auto part = claim();
    ASSERT_TRUE(part) << i;
    ASSERT_TRUE(board_->fail(part->claim, {ErrorCode::timed_out, Side::self, false, "slow"}, {1, 1, 0}).ok());
    EXPECT_FALSE(claim()) << "a failed part rests before it is tried again";
    clock_.now += 60s;
  }
  ASSERT_EQ(settled_.size(), 1u);
  EXPECT_EQ(settled_[0].second->code, ErrorCode::timed_out);
  EXPECT_NE(settled_[0].second->detail.find("failed 3 times"), std::string::npos);
  EXPECT_FALSE(claim());
}

TEST_F(JobBoardTest, FaultOfTheFilmFailsItsJobAtOnce) {
  open("job");
  ASSERT_TRUE(board_->fail(claim()->claim, {ErrorCode::media_truncated, Side::client, false, "cut"}, {}).ok());
  ASSERT_EQ(settled_.size(), 1u);
  EXPECT_EQ(settled_[0].second->code, ErrorCode::media_truncated);
}

TEST_F(JobBoardTest, GivenBackPartCountsNothing) {
  open("job");
  ASSERT_TRUE(board_->release(claim()->claim).ok());
  EXPECT_EQ(board_->records("job")[0].claims, 0);
  EXPECT_EQ(claim()->part.name, "video-0000");
}

TEST_F(JobBoardTest, PriorityComesBeforeAge) {
  open("old", 1, 0, 1);
  open("new", 1, 0, 2);
  open("urgent", 1, 5, 3);
  EXPECT_EQ(claim()->claim.job, "urgent");
  EXPECT_EQ(claim()->claim.job, "urgent");
  EXPECT_EQ(claim()->claim.job, "old");
}

TEST_F(JobBoardTest, ClosedJobLosesItsClaims) {
  open("job");
  const auto held = claim();
  board_->close("job");
  EXPECT_EQ(board_->renew(held->claim, 0.1).error().code, ErrorCode::claim_lost);
  EXPECT_FALSE(claim());
}

TEST_F(JobBoardTest, FilmThatKillsItsWorkersFails) {
  open("job");
  for (int i = 0; i < 200 && settled_.empty(); ++i) {
    const auto part = claim();
    const bool is_audio = part && part->part.audio;
    if (is_audio) {
      EXPECT_TRUE(board_->complete(part->claim, kMade).ok());
    }
    clock_.now += 31s;
    board_->reap();
  }
  ASSERT_EQ(settled_.size(), 1u);
  EXPECT_EQ(settled_[0].second->code, ErrorCode::transcode_failed);
  EXPECT_EQ(board_->records("job")[0].claims, 50);
}

TEST_F(JobBoardTest, RecordsOfAnEndedJobAreErased) {
  ASSERT_TRUE(write_plan(*store_, "job", plan_of(100)).ok());
  open("job", 100);
  for (int i = 0; i < 101; ++i) ASSERT_TRUE(board_->complete(claim()->claim, kMade).ok());
  ASSERT_TRUE(claim() == std::nullopt);
  ASSERT_TRUE(erase_parts(*store_, "job").ok());
  for (const std::string_view prefix : {kPlanPrefix, kTaskPrefix, kClaimPrefix}) {
    EXPECT_TRUE(store_->range(prefix, 10)->entries.empty()) << prefix;
  }
}

// 20 s of picture at 800 kbit/s are 2 MB.
TEST_F(JobBoardTest, PartsAreHandedOutOnlyWhileTheDiskHasRoomForThem) {
  open("job");
  free_bytes_ = 101 << 20;
  EXPECT_FALSE(claim().has_value());
  const std::optional<Error> lack = board_->lack("job");
  ASSERT_TRUE(lack.has_value());
  EXPECT_EQ(lack->code, ErrorCode::disk_full);
  EXPECT_EQ(lack->detail, "disk: 101 MiB are needed and 101 MiB are free");
  free_bytes_ = 103 << 20;
  EXPECT_FALSE(board_->lack("job").has_value());
  EXPECT_TRUE(claim().has_value());
  // What is being made is no reason to say that the job waits.
  free_bytes_ = 0;
  EXPECT_FALSE(board_->lack("job").has_value());
}

}  // namespace
}  // namespace reelway::origin
