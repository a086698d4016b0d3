#include "origin/storage/scrubber.h"

#include "tests/unit/origin/storage/storage_fixture.h"

namespace reelway::origin {
namespace {

class ScrubberTest : public StorageTest {
 protected:
  void SetUp() override {
    StorageTest::SetUp();
    ASSERT_TRUE(publish("film", false).ok());
    film_ = catalog_->version_folder("film", "v1");
  }

  ScrubTally run() {
    Scrubber scrubber(*parts_, [] { return false; });
    const auto tally = scrubber.run("", [](const ScrubTally&) {});
    EXPECT_TRUE(tally.ok()) << describe(tally.error());
    return tally.ok() ? *tally : ScrubTally{};
  }
  FileRecord record(const std::string& name) { return *ledger_->file({"film", "v1", name}); }

  std::string film_;
};

TEST_F(ScrubberTest, WhatIsSoundIsRecordedAsRead) {
  const ScrubTally tally = run();
  EXPECT_EQ(tally.files, 6u);
  EXPECT_EQ(tally.files_total, 6u);
  EXPECT_EQ(tally.found, 0u);
  EXPECT_EQ(counters_.scrubbed_files, 6u);
  for (const char* name : {"original/source", "original/audio-1", "film/360.mp4", "film/360.idx"}) {
    EXPECT_EQ(record(name).scrubbed_at_ms, clock_.now_ms);
    EXPECT_EQ(record(name).sha256.size(), 64u);
    EXPECT_FALSE(record(name).finding);
  }
}

TEST_F(ScrubberTest, OneBitIsFoundAnywhere) {
  run();  // from now on the sums of whole files are known
  rot(catalog_->original_path("film", "v1"), 99'999);
  rot(catalog_->delivered_path("film", "v1", "audio-1"), 0);
  rot(film_ + "/360.mp4", kHeadBytes + 2 * kUnitBytes + 17);
  rot(film_ + "/360.mp4", kHeadBytes + 4 * kUnitBytes);
  rot(film_ + "/720.mp4", 5);
  rot(film_ + "/720.idx", 40);
  const ScrubTally tally = run();
  EXPECT_EQ(tally.found, 5u);
  EXPECT_EQ(tally.mended, 0u);
  EXPECT_EQ(counters_.found, 5u);
  const auto track = record("film/360.mp4").finding;
  ASSERT_TRUE(track);
  EXPECT_EQ(track->offset, kHeadBytes + 2 * kUnitBytes);
  EXPECT_EQ(track->bytes, kUnitBytes);
  EXPECT_EQ(track->places, 2u);
  EXPECT_EQ(track->found_at_ms, clock_.now_ms);
  EXPECT_NE(track->mending_error.find("no second copy"), std::string::npos);
  EXPECT_TRUE(record("film/720.mp4").finding) << "outside of the units";
  EXPECT_TRUE(record("film/720.idx").finding);
  EXPECT_TRUE(record("original/source").finding);
  EXPECT_FALSE(record("film/360.idx").finding);
  // What is known already is no new finding, and says when it was found first.
  const std::int64_t found_at = clock_.now_ms;
  clock_.now_ms += 1000;
  EXPECT_EQ(run().found, 5u);
  EXPECT_EQ(counters_.found, 5u);
  EXPECT_EQ(record("film/360.mp4").finding->found_at_ms, found_at);
}

TEST_F(ScrubberTest, UnitsAndIndexesAreCheckedBeforeAnySumIsKnown) {
  rot(film_ + "/360.mp4", kHeadBytes + 1);
  rot(film_ + "/720.idx", 12);
  EXPECT_EQ(run().found, 2u);
  EXPECT_TRUE(record("film/360.mp4").sha256.empty()) << "the sum of what is wrong must not be taken for the right one";
}

TEST_F(ScrubberTest, WhatIsMissingOrShortIsFound) {
  std::filesystem::remove(film_ + "/360.mp4");
  std::filesystem::resize_file(film_ + "/720.mp4", 1000);
  EXPECT_EQ(run().found, 2u);
  EXPECT_TRUE(record("film/360.mp4").finding);
  EXPECT_EQ(record("film/720.mp4").finding->offset, 1000u);
}

TEST_F(ScrubberTest, WhatSomebodyPutRightIsNoFindingAnyMore) {
  rot(film_ + "/360.mp4", kHeadBytes + 1);
  EXPECT_EQ(run().found, 1u);
  rot(film_ + "/360.mp4", kHeadBytes + 1);  // the same bit back
  EXPECT_EQ(run().found, 0u);
  EXPECT_FALSE(record("film/360.mp4").finding);
}

TEST_F(ScrubberTest, RoundGoesOnAfterARestartWithinAFile) {
  options_.scrub_keep_bytes = 1;
  Bytes large = random_bytes(5u << 20);
  const std::string path = catalog_->original_path("film", "v1");
  write_file(path, large);
  // A record with its sum, as the ingest of such a file would have written it.
  Sha256 sum;
  sum.add(large);
  VersionRecord version = *catalog_->version("film", "v1");
  version.sha256 = sum.finish();
  version.source_bytes = large.size();
  Txn txn;
  txn.then_operations = {Operation::put(version_key("film", "v1"), to_json(version))};
  ASSERT_TRUE(store_->txn(txn).ok());
  {
    Scrubber scrubber(*parts_, [] { return false; });
    crash_.after = 3;
    EXPECT_FALSE(scrubber.step().ok());
  }
  restart();
  const ScrubRecord reached = **ledger_->scrub();
  EXPECT_EQ(reached.at.name, "original/source");
  EXPECT_GE(reached.offset, 3u << 20);
  const std::uint64_t before = counters_.scrubbed_bytes;
  Scrubber scrubber(*parts_, [] { return false; });
  ASSERT_TRUE(scrubber.step().ok());
  EXPECT_EQ(counters_.scrubbed_bytes - before, large.size() - reached.offset);
  EXPECT_FALSE(record("original/source").finding);
  EXPECT_NE(record("original/source").scrubbed_at_ms, 0);
  // To the end of the round; then the next one has its time.
  std::int64_t wait_ms = 0;
  for (int i = 0; i < 10 && wait_ms == 0; ++i) wait_ms = *scrubber.step();
  EXPECT_EQ(wait_ms, options_.scrub_every.count());
  EXPECT_EQ(counters_.rounds, 1u);
  clock_.now_ms += wait_ms;
  EXPECT_EQ(*scrubber.step(), 0);
}

TEST_F(ScrubberTest, RunDoesNotWaitForALargeFileOfTheRound) {
  write_file(catalog_->original_path("film", "v1"), random_bytes(4u << 20));
  Scrubber scrubber(*parts_, [] { return true; });
  EXPECT_EQ(scrubber.step().error().code, ErrorCode::shutting_down);
  EXPECT_EQ((*ledger_->scrub())->offset, 1u << 20);
}

}  // namespace
}  // namespace reelway::origin
