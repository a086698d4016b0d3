#include "tests/unit/origin/store/conformance.h"

#include <atomic>

namespace reelway::origin {
namespace {

TEST_P(ControlStoreConformance, RevisionRisesByOneWithEveryWritingTransaction) {
  const Revision first = put("/a", "1");
  EXPECT_EQ(put("/b", "2"), first + 1);
  Txn read;
  read.then_operations.push_back(Operation::get("/a"));
  EXPECT_EQ(store().txn(read)->revision, first + 1);
  EXPECT_EQ(put("/a", "3"), first + 2);
}

TEST_P(ControlStoreConformance, MetadataFollowsCreationChangeAndDeletion) {
  const Revision created = put("/k", "1");
  const Revision changed = put("/k", "2");
  KeyValue entry = get("/k");
  EXPECT_EQ(entry.value, "2");
  EXPECT_EQ(entry.create_revision, created);
  EXPECT_EQ(entry.mod_revision, changed);
  EXPECT_EQ(entry.version, 2);

  Txn erase;
  erase.then_operations.push_back(Operation::erase("/k"));
  EXPECT_EQ(store().txn(erase)->revision, changed + 1);
  EXPECT_FALSE(store().get("/k")->has_value());
  const Revision again = put("/k", "3");
  entry = get("/k");
  EXPECT_EQ(entry.version, 1);
  EXPECT_EQ(entry.create_revision, again);
}

TEST_P(ControlStoreConformance, ErasingWhatIsAbsentWritesNothing) {
  const Revision before = put("/a", "1");
  Txn erase;
  erase.then_operations.push_back(Operation::erase("/none"));
  EXPECT_EQ(store().txn(erase)->revision, before);
  EXPECT_EQ(store().status()->revision, before);
}

TEST_P(ControlStoreConformance, ComparesChooseTheBranch) {
  const Revision at = put("/k", "m");
  const auto chosen = [&](Compare compare) {
    Txn txn;
    txn.compares.push_back(std::move(compare));
    return store().txn(txn)->succeeded;
  };
  using Field = Compare::Field;
  using Relation = Compare::Relation;
  EXPECT_TRUE(chosen(Compare::unchanged("/k", at)));
  EXPECT_FALSE(chosen(Compare::unchanged("/k", at - 1)));
  EXPECT_TRUE(chosen(Compare::absent("/none")));
  EXPECT_FALSE(chosen(Compare::absent("/k")));
  EXPECT_TRUE(chosen({"/k", Field::value, Relation::equal, 0, "m"}));
  EXPECT_TRUE(chosen({"/k", Field::value, Relation::less, 0, "n"}));
  EXPECT_TRUE(chosen({"/k", Field::value, Relation::greater, 0, "a"}));
  EXPECT_TRUE(chosen({"/k", Field::value, Relation::not_equal, 0, "x"}));
  EXPECT_TRUE(chosen({"/k", Field::version, Relation::greater, 0, ""}));
  EXPECT_TRUE(chosen({"/k", Field::create_revision, Relation::equal, at, ""}));
  EXPECT_TRUE(chosen({"/none", Field::mod_revision, Relation::less, 1, ""}));
  // A key that is absent has no value, so nothing said of its value is true.
  EXPECT_FALSE(chosen({"/none", Field::value, Relation::not_equal, 0, "x"}));
}

TEST_P(ControlStoreConformance, ElseBranchRunsAndReadsItsOwnWrites) {
  put("/k", "old");
  Txn txn;
  txn.compares.push_back(Compare::absent("/k"));
  txn.then_operations.push_back(Operation::put("/k", "then"));
  txn.else_operations.push_back(Operation::get("/k"));
  txn.else_operations.push_back(Operation::put("/k", "else"));
  txn.else_operations.push_back(Operation::get("/k"));
  txn.else_operations.push_back(Operation::get("/none"));
  const Result<TxnReply> reply = store().txn(txn);
  ASSERT_TRUE(reply.ok());
  EXPECT_FALSE(reply->succeeded);
  ASSERT_EQ(reply->results.size(), 4u);
  EXPECT_EQ(reply->results[0].at(0).value, "old");
  EXPECT_TRUE(reply->results[1].empty());
  EXPECT_EQ(reply->results[2].at(0).value, "else");
  EXPECT_EQ(reply->results[2].at(0).mod_revision, reply->revision);
  EXPECT_TRUE(reply->results[3].empty());
}

TEST_P(ControlStoreConformance, OneTransactionHasOneRevision) {
  Txn txn;
  for (int i = 0; i < 3; ++i) txn.then_operations.push_back(Operation::put("/k" + std::to_string(i), "v"));
  const Revision at = store().txn(txn)->revision;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/k" + std::to_string(i)).mod_revision, at);
}

TEST_P(ControlStoreConformance, LimitsAreEtcds) {
  const auto refusal = [&](const Txn& txn) {
    const Result<TxnReply> reply = store().txn(txn);
    return reply.ok() ? ErrorCode::internal : reply.error().code;
  };
  Txn many;
  for (std::size_t i = 0; i < kTxnOperationsMax; ++i) {
    many.then_operations.push_back(Operation::put("/k" + std::to_string(i), "v"));
  }
  EXPECT_TRUE(store().txn(many).ok());
  many.then_operations.push_back(Operation::put("/one-more", "v"));
  EXPECT_EQ(refusal(many), ErrorCode::store_too_large);
  EXPECT_FALSE(store().get("/one-more")->has_value());

  EXPECT_EQ(refusal(put_txn("/big", std::string(kTxnBytesMax, 'x'))), ErrorCode::store_too_large);
  EXPECT_EQ(refusal(put_txn("", "v")), ErrorCode::store_request_invalid);

  Txn twice = put_txn("/k", "1");
  twice.then_operations.push_back(Operation::put("/k", "2"));
  EXPECT_EQ(refusal(twice), ErrorCode::store_request_invalid);
  Txn both = put_txn("/k", "1");
  both.then_operations.push_back(Operation::erase("/k"));
  EXPECT_EQ(refusal(both), ErrorCode::store_request_invalid);
}

TEST_P(ControlStoreConformance, RangePagesInByteOrderWithinThePrefix) {
  for (const char* key : {"/p/b", "/p/a", "/p/c", "/p", "/q", "/o", "/p0"}) put(key, key);
  const auto keys = [](const Page& page) {
    std::vector<std::string> list;
    for (const KeyValue& entry : page.entries) list.push_back(entry.key);
    return list;
  };
  const Result<Page> first = store().range("/p/", 2);
  ASSERT_TRUE(first.ok());
  EXPECT_THAT(keys(*first), testing::ElementsAre("/p/a", "/p/b"));
  EXPECT_TRUE(first->more);
  EXPECT_EQ(first->revision, store().status()->revision);
  const Result<Page> second = store().range("/p/", 2, "/p/b");
  ASSERT_TRUE(second.ok());
  EXPECT_THAT(keys(*second), testing::ElementsAre("/p/c"));
  EXPECT_FALSE(second->more);
  EXPECT_TRUE(store().range("/none", 10)->entries.empty());
  EXPECT_EQ(store().range("", 100)->entries.size(), 7u);
}

TEST_P(ControlStoreConformance, ValuesAreBytes) {
  const std::string value("\0\xff\n\x80", 4);
  put("/k", value);
  EXPECT_EQ(get("/k").value, value);
}

TEST_P(ControlStoreConformance, WatchReplaysThenFollowsWithoutAGap) {
  const Revision first = put("/w/1", "a");
  put("/other", "x");
  put("/w/2", "b");
  WatchLog log;
  const auto watch = store().watch("/w/", first, log.sink());
  log.wait_for(2);
  put("/other", "y");
  Txn txn = put_txn("/w/1", "c");
  txn.then_operations.push_back(Operation::erase("/w/2"));
  txn.then_operations.push_back(Operation::put("/other", "z"));
  const Revision last = store().txn(txn)->revision;
  const std::vector<WatchMessage> messages = log.wait_for(3);
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(std::get<WatchBatch>(messages[0]).revision, first);
  EXPECT_EQ(std::get<WatchBatch>(messages[1]).revision, first + 2);
  const WatchBatch& batch = std::get<WatchBatch>(messages[2]);
  EXPECT_EQ(batch.revision, last);
  ASSERT_EQ(batch.events.size(), 2u);
  EXPECT_EQ(batch.events[0].entry.value, "c");
  EXPECT_EQ(batch.events[0].entry.version, 2);
  EXPECT_TRUE(batch.events[1].erased);
  EXPECT_EQ(batch.events[1].entry.key, "/w/2");
}

TEST_P(ControlStoreConformance, WatchFromTheFutureWaitsForIt) {
  const Revision now = put("/w", "a");
  WatchLog log;
  const auto watch = store().watch("/w", now + 2, log.sink());
  put("/w", "b");
  put("/w", "c");
  EXPECT_EQ(std::get<WatchBatch>(log.wait_for(1)[0]).revision, now + 2);
}

TEST_P(ControlStoreConformance, NothingIsDeliveredAfterAWatchEnds) {
  WatchLog log;
  auto watch = store().watch("/w", 1, log.sink());
  put("/w", "a");
  log.wait_for(1);
  watch.reset();
  const std::size_t delivered = log.count();
  WatchLog other;
  const auto still = store().watch("/w", store().status()->revision + 1, other.sink());
  put("/w", "b");
  other.wait_for(1);
  EXPECT_EQ(log.count(), delivered);
}

TEST_P(ControlStoreConformance, CompactionDropsHistoryAndKeepsValues) {
  put("/k", "1");
  const Revision second = put("/k", "2");
  put("/k", "3");
  ASSERT_TRUE(store().compact(second).ok());
  EXPECT_EQ(store().status()->floor, second);
  EXPECT_EQ(get("/k").value, "3");
  EXPECT_EQ(get("/k").version, 3);

  WatchLog below;
  const auto too_old = store().watch("/k", second - 1, below.sink());
  EXPECT_EQ(std::get<WatchCompacted>(below.wait_for(1)[0]).floor, second);
  WatchLog exact;
  const auto at_floor = store().watch("/k", second, exact.sink());
  EXPECT_EQ(std::get<WatchBatch>(exact.wait_for(2)[0]).revision, second);

  EXPECT_TRUE(store().compact(second - 1).ok());
  EXPECT_EQ(store().status()->floor, second);
  EXPECT_FALSE(store().compact(store().status()->revision + 2).ok());
}

TEST_P(ControlStoreConformance, AllSurvivesARestart) {
  put("/a", "1");
  const Revision last = put("/a", "2");
  const std::string cluster = store().status()->cluster_id;
  EXPECT_EQ(cluster.size(), 32u);
  restart();
  EXPECT_EQ(store().status()->cluster_id, cluster);
  EXPECT_EQ(store().status()->revision, last);
  EXPECT_EQ(get("/a").version, 2);
  EXPECT_EQ(put("/a", "3"), last + 1);
  WatchLog log;
  const auto watch = store().watch("/a", 1, log.sink());
  EXPECT_EQ(log.wait_for(3).size(), 3u);
}

TEST_P(ControlStoreConformance, RevisionIsNotReusedWhenAllHistoryIsCompacted) {
  const Revision last = put("/a", "1");
  ASSERT_TRUE(store().compact(last + 1).ok());
  restart();
  EXPECT_EQ(put("/a", "2"), last + 1);
}

TEST_P(ControlStoreConformance, ClosingTheStoreEndsItsWatches) {
  WatchLog log;
  const auto watch = store().watch("/w", 1, log.sink());
  restart();
  EXPECT_TRUE(std::holds_alternative<WatchLost>(log.wait_for(1)[0]));
}

TEST_P(ControlStoreConformance, OneOfManyRacersWins) {
  constexpr int kRacers = 8, kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<int> winners = 0;
    std::vector<std::thread> racers;
    for (int i = 0; i < kRacers; ++i) {
      racers.emplace_back([&, i] {
        Txn txn = put_txn("/claim/" + std::to_string(round), std::to_string(i));
        txn.compares.push_back(Compare::absent("/claim/" + std::to_string(round)));
        if (store().txn(txn)->succeeded) ++winners;
      });
    }
    for (std::thread& racer : racers) racer.join();
    EXPECT_EQ(winners, 1);
  }
}

TEST_P(ControlStoreConformance, NoIncrementIsLostAmongThreads) {
  constexpr int kThreads = 4, kIncrements = 25;
  put("/n", "0");
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int done = 0; done < kIncrements;) {
        const KeyValue now = get("/n");
        Txn txn = put_txn("/n", std::to_string(std::stoi(now.value) + 1));
        txn.compares.push_back(Compare::unchanged("/n", now.mod_revision));
        if (store().txn(txn)->succeeded) ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(get("/n").value, std::to_string(kThreads * kIncrements));
  EXPECT_EQ(get("/n").version, kThreads * kIncrements + 1);
}

}  // namespace
}  // namespace reelway::origin
