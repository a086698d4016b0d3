#include "origin/store/txn_rules.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

TEST(TxnRules, ErasingAKeyTwiceIsAllowedAsInEtcd) {
  Txn txn;
  txn.then_operations = {Operation::erase("/k"), Operation::erase("/k")};
  EXPECT_TRUE(check_txn(txn).ok());
}

TEST(TxnRules, BranchesAreCheckedApart) {
  Txn txn;
  txn.then_operations = {Operation::put("/k", "1")};
  txn.else_operations = {Operation::put("/k", "2")};
  EXPECT_TRUE(check_txn(txn).ok());
  txn.else_operations.push_back(Operation::put("/k", "3"));
  EXPECT_FALSE(check_txn(txn).ok());
}

TEST(TxnRules, BytesOfKeysAndValuesCountTogether) {
  Txn txn;
  txn.then_operations = {Operation::put("/a", std::string(kTxnBytesMax / 2, 'x')),
                         Operation::put("/b", std::string(kTxnBytesMax / 2 - 4, 'x'))};
  EXPECT_TRUE(check_txn(txn).ok());
  txn.compares = {Compare::absent("/c")};
  EXPECT_FALSE(check_txn(txn).ok());
}

TEST(TxnRules, VersionCountsFromCreation) {
  const Operation put = Operation::put("/k", "v");
  const KeyValue first = after_put(put, std::nullopt, 7);
  EXPECT_EQ(first.version, 1);
  EXPECT_EQ(first.create_revision, 7);
  const KeyValue second = after_put(put, first, 9);
  EXPECT_EQ(second.version, 2);
  EXPECT_EQ(second.create_revision, 7);
  EXPECT_EQ(second.mod_revision, 9);
}

}  // namespace
}  // namespace reelway::origin
