#include "edge/policy/cache_status.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

TEST(CacheStatusTest, EachOutcomeHasItsText) {
  EXPECT_EQ(cache_status_of_film(CacheOutcome::none, false), "");
  EXPECT_EQ(cache_status_of_film(CacheOutcome::hit_memory, false), "; hit; detail=memory");
  EXPECT_EQ(cache_status_of_film(CacheOutcome::hit_disk, false), "; hit; detail=disk");
  EXPECT_EQ(cache_status_of_film(CacheOutcome::miss, true), "; fwd=miss; stored");
  EXPECT_EQ(cache_status_of_film(CacheOutcome::miss, false), "; fwd=miss");
  EXPECT_EQ(cache_status_of_film(CacheOutcome::stale, true), "; fwd=stale; stored");
  EXPECT_EQ(cache_status_of_film(CacheOutcome::validated, true), "; fwd=stale; fwd-status=304; stored");
  EXPECT_EQ(cache_status_of_film(CacheOutcome::collapsed, true), "; fwd=miss; collapsed");
}

}  // namespace
}  // namespace reelway::edge
