#include <gtest/gtest.h>

#include <map>
#include <random>

#include "origin/store/txn_rules.h"
#include "tests/unit/origin/store/rocksdb_backend.h"

// Random transactions against the store and against a model that is a map; every reply, the state after restarts and
// the watched log must agree. The seed is printed with a failure and can be given as REELWAY_SEED.

namespace reelway::origin {
namespace {

class Model {
 public:
  TxnReply apply(const Txn& txn) {
    TxnReply reply;
    reply.succeeded = true;
    for (const Compare& compare : txn.compares) reply.succeeded &= holds(compare, find(compare.key));
    WatchBatch batch;
    batch.revision = revision_ + 1;
    for (const Operation& operation : reply.succeeded ? txn.then_operations : txn.else_operations) {
      reply.results.emplace_back();
      const std::optional<KeyValue> before = find(operation.key);
      if (operation.kind == Operation::Kind::get) {
        if (before) reply.results.back().push_back(*before);
      } else if (operation.kind == Operation::Kind::put) {
        state_[operation.key] = after_put(operation, before, batch.revision);
        batch.events.push_back({false, state_[operation.key]});
      } else if (before) {
        state_.erase(operation.key);
        batch.events.push_back({true, {operation.key, "", 0, batch.revision, 0}});
      }
    }
    if (!batch.events.empty()) {
      ++revision_;
      log_.push_back(batch);
    }
    reply.revision = revision_;
    return reply;
  }

  std::optional<KeyValue> find(const std::string& key) const {
    const auto place = state_.find(key);
    return place == state_.end() ? std::nullopt : std::optional(place->second);
  }
  const std::map<std::string, KeyValue>& state() const { return state_; }
  const std::vector<WatchBatch>& log() const { return log_; }
  Revision revision() const { return revision_; }

 private:
  std::map<std::string, KeyValue> state_;
  std::vector<WatchBatch> log_;
  Revision revision_ = 0;
};

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t bound) { return engine_() % bound; }
  std::string key() { return "/k/" + std::to_string(below(12)); }

  Txn txn(const Model& model) {
    Txn txn;
    for (std::size_t n = below(3); n > 0; --n) txn.compares.push_back(compare(model));
    fill(txn.then_operations);
    fill(txn.else_operations);
    return txn;
  }

 private:
  Compare compare(const Model& model) {
    Compare compare;
    compare.key = key();
    compare.field = static_cast<Compare::Field>(below(4));
    compare.relation = static_cast<Compare::Relation>(below(4));
    const auto entry = model.find(compare.key);
    compare.number = compare.field == Compare::Field::version
                         ? static_cast<std::int64_t>(below(4))
                         : static_cast<std::int64_t>(below(static_cast<std::size_t>(model.revision()) + 2));
    if (entry && below(2) == 0) {
      compare.number = compare.field == Compare::Field::version ? entry->version : entry->mod_revision;
    }
    compare.value = entry && below(2) == 0 ? entry->value : std::to_string(below(100));
    return compare;
  }

  void fill(std::vector<Operation>& operations) {
    std::map<std::string, bool> written;
    for (std::size_t n = below(5); n > 0; --n) {
      Operation operation{static_cast<Operation::Kind>(below(3)), key(), std::to_string(below(100))};
      if (operation.kind != Operation::Kind::get && !written.emplace(operation.key, true).second) continue;
      operations.push_back(std::move(operation));
    }
  }

  std::mt19937_64 engine_;
};

bool same(const KeyValue& a, const KeyValue& b) {
  return a.key == b.key && a.value == b.value && a.create_revision == b.create_revision &&
         a.mod_revision == b.mod_revision && a.version == b.version;
}

void expect_same(const TxnReply& ours, const TxnReply& model) {
  ASSERT_EQ(ours.succeeded, model.succeeded);
  ASSERT_EQ(ours.revision, model.revision);
  ASSERT_EQ(ours.results.size(), model.results.size());
  for (std::size_t i = 0; i < ours.results.size(); ++i) {
    ASSERT_EQ(ours.results[i].size(), model.results[i].size());
    for (std::size_t j = 0; j < ours.results[i].size(); ++j) {
      ASSERT_TRUE(same(ours.results[i][j], model.results[i][j]));
    }
  }
}

void expect_same_state(ControlStore& store, const Model& model) {
  const Result<Page> page = store.range("", 1000);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->revision, model.revision());
  ASSERT_EQ(page->entries.size(), model.state().size());
  std::size_t i = 0;
  for (const auto& [key, entry] : model.state()) ASSERT_TRUE(same(page->entries[i++], entry)) << key;
}

void expect_same_log(ControlStore& store, const Model& model, Revision from) {
  std::vector<WatchBatch> expected;
  for (const WatchBatch& batch : model.log()) {
    if (batch.revision >= from) expected.push_back(batch);
  }
  WatchLog log;
  const auto watch = store.watch("", from, log.sink());
  const std::vector<WatchMessage> messages = log.wait_for(expected.size());
  ASSERT_EQ(messages.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const WatchBatch& batch = std::get<WatchBatch>(messages[i]);
    ASSERT_EQ(batch.revision, expected[i].revision);
    ASSERT_EQ(batch.events.size(), expected[i].events.size());
    for (std::size_t j = 0; j < batch.events.size(); ++j) {
      ASSERT_EQ(batch.events[j].erased, expected[i].events[j].erased);
      ASSERT_TRUE(same(batch.events[j].entry, expected[i].events[j].entry));
    }
  }
}

std::uint64_t first_seed() {
  const char* given = std::getenv("REELWAY_SEED");
  return given != nullptr ? std::stoull(given) : 20260101;
}

TEST(RandomHistory, StoreAndModelAgree) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 8; ++seed) {
    SCOPED_TRACE("REELWAY_SEED=" + std::to_string(seed));
    Dice dice(seed);
    Model model;
    RocksdbUnderTest under_test;
    for (int step = 0; step < 250 && !testing::Test::HasFatalFailure(); ++step) {
      const Txn txn = dice.txn(model);
      const Result<TxnReply> reply = under_test.store().txn(txn);
      ASSERT_TRUE(reply.ok()) << describe(reply.error());
      expect_same(*reply, model.apply(txn));
      const std::size_t act = dice.below(50);
      if (act == 0) under_test.restart();
      if (act <= 1) expect_same_state(under_test.store(), model);
      const Revision floor = under_test.store().status()->floor;
      const Revision span = model.revision() + 1 - floor;
      if (act == 2) expect_same_log(under_test.store(), model, floor + static_cast<Revision>(dice.below(span + 1)));
      if (act != 3) continue;
      ASSERT_TRUE(under_test.store().compact(floor + static_cast<Revision>(dice.below(span + 1))).ok());
    }
  }
}

}  // namespace
}  // namespace reelway::origin
