#include "edge/request/failure_budget.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

using Admission = FailureBudget::Admission;

class SteppedClock final : public Clock {
 public:
  Monotonic monotonic() const override { return now; }
  Wall wall() const override { return {}; }
  Monotonic now{};
};

class FailureBudgetTest : public ::testing::Test {
 protected:
  Admission check(const std::string& address, bool good) {
    const ClientAddress from = *ClientAddress::parse(address);
    const Admission admission = budget_.begin(from);
    if (admission == Admission::admitted) budget_.ended(from, good);
    return admission;
  }

  SteppedClock clock_;
  FailureBudget budget_{clock_, {.burst = 3, .per_second = 1, .checks_max = 4, .addresses_max = 2}};
};

TEST_F(FailureBudgetTest, GoodSignaturesCostNothing) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(check("192.0.2.1", true), Admission::admitted);
}

TEST_F(FailureBudgetTest, BadOnesSpendItAndTimeGivesItBack) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(check("192.0.2.1", false), Admission::admitted);
  EXPECT_EQ(check("192.0.2.1", true), Admission::spent);
  EXPECT_EQ(check("192.0.2.2", true), Admission::admitted);
  clock_.now += std::chrono::seconds(1);
  EXPECT_EQ(check("192.0.2.1", false), Admission::admitted);
  EXPECT_EQ(check("192.0.2.1", false), Admission::spent);
}

TEST_F(FailureBudgetTest, ChecksUnderWayAreBoundedAndNeverCostMoreThanAnotherBurst) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(budget_.begin(*ClientAddress::parse("192.0.2.1")), Admission::admitted);
  EXPECT_EQ(budget_.begin(*ClientAddress::parse("192.0.2.1")), Admission::busy);
  for (int i = 0; i < 4; ++i) budget_.ended(*ClientAddress::parse("192.0.2.1"), false);
  EXPECT_EQ(budget_.begin(*ClientAddress::parse("192.0.2.1")), Admission::spent);
  clock_.now += std::chrono::seconds(7);
  EXPECT_EQ(budget_.begin(*ClientAddress::parse("192.0.2.1")), Admission::admitted);
}

TEST_F(FailureBudgetTest, AnIpv6CustomerIsOneAddress) {
  for (const char* address : {"2001:db8:1:2::1", "2001:db8:1:2:a:b:c:d", "2001:db8:1:2::3"}) {
    EXPECT_EQ(check(address, false), Admission::admitted);
  }
  EXPECT_EQ(check("2001:db8:1:2::4", true), Admission::spent);
  EXPECT_EQ(check("2001:db8:1:3::4", true), Admission::admitted);
}

TEST_F(FailureBudgetTest, AMappedIpv4AddressIsItself) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(check("::ffff:192.0.2.1", false), Admission::admitted);
  EXPECT_EQ(check("192.0.2.1", true), Admission::spent);
  EXPECT_EQ(check("::ffff:192.0.2.2", true), Admission::admitted);
}

TEST_F(FailureBudgetTest, AskingWhetherItIsSpentCostsNothingAndLeavesNoAccount) {
  const ClientAddress address = *ClientAddress::parse("192.0.2.1");
  EXPECT_FALSE(budget_.is_spent(address));
  EXPECT_EQ(budget_.addresses(), 0u);
  for (int i = 0; i < 3; ++i) check("192.0.2.1", false);
  EXPECT_TRUE(budget_.is_spent(address));
  clock_.now += std::chrono::seconds(1);
  EXPECT_FALSE(budget_.is_spent(address));
}

TEST_F(FailureBudgetTest, TheNumberOfAddressesIsBounded) {
  for (int i = 0; i < 100; ++i) check("192.0.2." + std::to_string(i) + "", false);
  EXPECT_EQ(budget_.addresses(), 2u);
}

}  // namespace
}  // namespace reelway::edge
