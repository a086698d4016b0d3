#include "origin/quality/quality_store.h"

#include <gtest/gtest.h>

#include "origin/quality/finding_list.h"
#include "tests/support/temporary_folder.h"

namespace reelway::origin {
namespace {

class FixedClock final : public Clock {
 public:
  Monotonic monotonic() const override { return {}; }
  Wall wall() const override { return Wall(std::chrono::milliseconds(now_ms)); }
  std::int64_t now_ms = 1000;
};

class QualityStore : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_rocksdb_store(folder_.at("store"));
    ASSERT_TRUE(opened.ok()) << describe(opened.error());
    store_ = std::move(opened).value();
  }

  QualityReport report() const {
    QualityRules rules;
    FindingList list(rules);
    list.add(Rule::black, 0, {4, 90}, {86, 2}, "black");
    list.add(Rule::silence, 1, {4, 9}, {5, 2}, "silent");
    QualityReport made;
    made.title = "sintel";
    made.version = "v1";
    std::move(list).finish(made);
    return made;
  }

  WaiveRequest request() const { return {"sintel", "v1", "black-1", "ann", "a pause is meant here"}; }

  TemporaryFolder folder_;
  FixedClock clock_;
  std::unique_ptr<ControlStore> store_;
};

TEST_F(QualityStore, HoldsUntilSomebodyWaives) {
  EXPECT_TRUE(check_publishable(*store_, "sintel", "v1").ok());  // not checked
  EXPECT_EQ(load_report(*store_, "sintel", "v1").error().code, ErrorCode::quality_report_missing);
  EXPECT_EQ(waive(*store_, clock_, request()).error().code, ErrorCode::quality_report_missing);

  ASSERT_TRUE(save_report(*store_, clock_, report()).ok());
  const auto held = check_publishable(*store_, "sintel", "v1");
  ASSERT_FALSE(held.ok());
  EXPECT_EQ(held.error().code, ErrorCode::quality_blocked);
  EXPECT_NE(held.error().detail.find("black-1"), std::string::npos);

  clock_.now_ms = 2000;
  const auto waived = waive(*store_, clock_, request());
  ASSERT_TRUE(waived.ok()) << describe(waived.error());
  EXPECT_TRUE(check_publishable(*store_, "sintel", "v1").ok());
  const auto loaded = load_report(*store_, "sintel", "v1");
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->findings[0].waiver, (Waiver{"ann", "a pause is meant here", 2000}));
  EXPECT_EQ(loaded->checked_at_ms, 1000);
}

TEST_F(QualityStore, AnotherCheckKeepsWhatWasWaived) {
  ASSERT_TRUE(save_report(*store_, clock_, report()).ok());
  ASSERT_TRUE(waive(*store_, clock_, request()).ok());
  ASSERT_TRUE(save_report(*store_, clock_, report()).ok());
  EXPECT_TRUE(check_publishable(*store_, "sintel", "v1").ok());
  QualityReport longer = report();
  longer.findings[0].to_s += 60;
  ASSERT_TRUE(save_report(*store_, clock_, longer).ok());
  EXPECT_FALSE(check_publishable(*store_, "sintel", "v1").ok());
}

TEST_F(QualityStore, AWaiverNeedsAPersonAndAReason) {
  ASSERT_TRUE(save_report(*store_, clock_, report()).ok());
  WaiveRequest nobody = request(), silent = request(), wordy = request(), missing = request();
  nobody.by.clear();
  silent.reason = " \n";
  wordy.reason.assign(kReasonBytesMax + 1, 'x');
  missing.finding = "black-9";
  for (const WaiveRequest& bad : {nobody, silent, wordy}) {
    EXPECT_EQ(waive(*store_, clock_, bad).error().code, ErrorCode::http_bad_request);
  }
  EXPECT_EQ(waive(*store_, clock_, missing).error().code, ErrorCode::quality_finding_not_found);
}

}  // namespace
}  // namespace reelway::origin
