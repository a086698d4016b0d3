#include "origin/store/store_records.h"

#include <gtest/gtest.h>

namespace reelway::origin::records {
namespace {

TEST(StoreRecords, EntrySurvivesItsBytes) {
  const KeyValue entry{"/k", std::string("a\0b", 3), 3, 9, 4};
  const Result<KeyValue> parsed = parse_kv("/k", kv_value(entry));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->value, entry.value);
  EXPECT_EQ(parsed->create_revision, 3);
  EXPECT_EQ(parsed->mod_revision, 9);
  EXPECT_EQ(parsed->version, 4);
}

TEST(StoreRecords, LogKeysSortByRevisionThenPosition) {
  EXPECT_LT(log_key(1, 9), log_key(2, 0));
  EXPECT_LT(log_key(255, 0), log_key(256, 0));
  EXPECT_LT(log_key(2, 1), log_key(2, 2));
  EXPECT_EQ(log_revision(log_key(77, 3)), 77);
  EXPECT_FALSE(log_revision("short").has_value());
}

TEST(StoreRecords, CutOrForeignBytesAreCorrupt) {
  const std::string kv = kv_value({"/k", "", 1, 1, 1});
  for (std::size_t size = 0; size < kv.size(); ++size) EXPECT_FALSE(parse_kv("/k", kv.substr(0, size)).ok());
  std::string foreign = kv;
  foreign[0] = 9;
  EXPECT_EQ(parse_kv("/k", foreign).error().code, ErrorCode::stored_data_corrupt);

  const std::string log = log_value({true, {"/k", "", 0, 5, 0}});
  for (std::size_t size = 0; size < log.size(); ++size) EXPECT_FALSE(parse_log("x", log.substr(0, size)).ok());
  const auto event = parse_log("x", log);
  ASSERT_TRUE(event.ok());
  EXPECT_TRUE(event->erased);
  EXPECT_EQ(event->entry.key, "/k");
}

}  // namespace
}  // namespace reelway::origin::records
