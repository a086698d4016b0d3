#include "edge/policy/cache_status.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

TEST(CacheStatusTest, EachOutcomeHasItsText) {
  EXPECT_EQ(cache_status("e", CacheOutcome::none, false), "");
  EXPECT_EQ(cache_status("e", CacheOutcome::hit_memory, false), "e; hit; detail=memory");
  EXPECT_EQ(cache_status("e", CacheOutcome::hit_disk, false), "e; hit; detail=disk");
  EXPECT_EQ(cache_status("e", CacheOutcome::miss, true), "e; fwd=miss; stored");
  EXPECT_EQ(cache_status("e", CacheOutcome::miss, false), "e; fwd=miss");
  EXPECT_EQ(cache_status("e", CacheOutcome::stale, true), "e; fwd=stale; stored");
  EXPECT_EQ(cache_status("e", CacheOutcome::validated, true), "e; fwd=stale; fwd-status=304; stored");
  EXPECT_EQ(cache_status("e", CacheOutcome::collapsed, true), "e; fwd=miss; collapsed");
}

}  // namespace
}  // namespace reelway::edge
