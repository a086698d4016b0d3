#include "common/rights/title_mark.h"

#include <gtest/gtest.h>

namespace reelway::rights {
namespace {

// Stored replicas hold it: it may never change.
TEST(TitleMark, IdIsStable) {
  EXPECT_EQ(title_mark_id("film"), title_mark_id("film"));
  EXPECT_NE(title_mark_id("film"), title_mark_id("film-2"));
  EXPECT_NE(title_mark_id(""), title_mark_id("a"));
}

TEST(TitleMark, SurvivesItsBytesAndPermitsNothing) {
  for (const bool withdrawn : {false, true}) {
    const Record mark = title_mark(withdrawn);
    EXPECT_EQ(is_withdrawal(mark), withdrawn);
    EXPECT_EQ(decode(encode(mark)), mark);
    EXPECT_TRUE(denial(mark, 1).has_value());
  }
  EXPECT_EQ(name_of(Kind::title), "title");
}

TEST(TitleMark, HasOneForm) {
  Record timed = title_mark(true);
  timed.start_by_s = 1;
  EXPECT_FALSE(decode(encode(timed)));
  Record refunded = title_mark(true);
  refunded.state = State::refunded;
  EXPECT_FALSE(decode(encode(refunded)));
}

TEST(TitleMark, AnEntitlementWithdrawsNothing) {
  Record revoked;
  revoked.state = State::revoked;
  EXPECT_FALSE(is_withdrawal(revoked));
}

}  // namespace
}  // namespace reelway::rights
