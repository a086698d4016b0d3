#include "origin/store/group_committer.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <semaphore>
#include <thread>

#include "origin/store/txn_rules.h"

// Model. A caller puts a Pending on the queue and sleeps on its semaphore; it owns the Pending, the writer only until
// it has released the semaphore. The writer thread alone evaluates and writes:
//
//   take a group -> evaluate each against (earlier members of the group, then the database) -> one synced write
//   -> tell the watches -> answer every member
//
// So a member's compares see every transaction before it, a revision is given out only by this thread, and nobody is
// told of anything that is not on the disk. When the write fails, members that wrote are store_unknown and members
// that only read are store_unavailable (they may have seen what is not there); before the next group the database is
// recovered as after a crash, which decides what is there.

namespace reelway::origin {
namespace {

struct Pending {
  const Txn* txn = nullptr;  // or else a compaction:
  Revision floor = 0;
  std::optional<Result<TxnReply>> answer;
  bool wrote = false;
  std::binary_semaphore answered{0};
};

std::size_t bytes_of(const Txn& txn) {
  std::size_t bytes = 0;
  for (const auto* branch : {&txn.then_operations, &txn.else_operations}) {
    for (const Operation& operation : *branch) bytes += operation.key.size() + operation.value.size();
  }
  return bytes;
}

bool puts(const Txn& txn) {
  for (const auto* branch : {&txn.then_operations, &txn.else_operations}) {
    for (const Operation& operation : *branch) {
      if (operation.kind == Operation::Kind::put) return true;
    }
  }
  return false;
}

using Entries = std::map<std::string, std::optional<KeyValue>, std::less<>>;

// One transaction against the group so far. Its changes join the group only when all of it has been evaluated.
class Evaluation {
 public:
  Evaluation(const Database& database, const GroupChange& group) : database_(database), group_(group) {}

  Result<TxnReply> run(const Txn& txn) {
    TxnReply reply;
    reply.succeeded = true;
    for (const Compare& compare : txn.compares) {
      Result<std::optional<KeyValue>> entry = find(compare.key);
      if (!entry.ok()) return std::move(entry).error();
      if (!holds(compare, *entry)) reply.succeeded = false;
    }
    for (const Operation& operation : reply.succeeded ? txn.then_operations : txn.else_operations) {
      reply.results.emplace_back();
      REELWAY_TRY(apply(operation, reply.results.back()));
    }
    reply.revision = done_.events.empty() ? group_.revision : group_.revision + 1;
    return reply;
  }

  bool wrote() const { return !done_.events.empty(); }

  void join(GroupChange& group) {
    if (!wrote()) return;
    done_.revision = ++group.revision;
    for (auto& [key, entry] : changed_) group.entries.insert_or_assign(key, std::move(entry));
    group.log.push_back(std::move(done_));
  }

 private:
  Result<std::optional<KeyValue>> find(const std::string& key) const {
    if (const auto mine = changed_.find(key); mine != changed_.end()) return mine->second;
    if (const auto earlier = group_.entries.find(key); earlier != group_.entries.end()) return earlier->second;
    return database_.get(key);
  }

  Result<void> apply(const Operation& operation, std::vector<KeyValue>& result) {
    Result<std::optional<KeyValue>> before = find(operation.key);
    if (!before.ok()) return std::move(before).error();
    const Revision revision = group_.revision + 1;
    switch (operation.kind) {
      case Operation::Kind::get:
        if (before->has_value()) result.push_back(**before);
        break;
      case Operation::Kind::put: {
        KeyValue after = after_put(operation, *before, revision);
        done_.events.push_back({false, after});
        changed_.insert_or_assign(operation.key, std::move(after));
        break;
      }
      case Operation::Kind::erase:
        if (!before->has_value()) break;
        KeyValue gone;
        gone.key = operation.key;
        gone.mod_revision = revision;
        done_.events.push_back({true, std::move(gone)});
        changed_.insert_or_assign(operation.key, std::nullopt);
        break;
    }
    return {};
  }

  const Database& database_;
  const GroupChange& group_;
  Entries changed_;
  WatchBatch done_;
};

}  // namespace

struct GroupCommitter::State {
  Database& database;
  const CommitLimits limits;
  const std::function<void(Revision)> committed;

  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<Pending*> queue;  // guarded by mutex
  bool closing = false;        // guarded by mutex

  bool distrusted = false;  // the writer's: a write has failed since the database was opened
  std::thread writer;

  State(Database& database_in, const CommitLimits& limits_in, std::function<void(Revision)> committed_in)
      : database(database_in), limits(limits_in), committed(std::move(committed_in)) {}

  Result<TxnReply> wait_for(Pending& pending) {
    {
      const std::lock_guard hold(mutex);
      if (closing) return Error{ErrorCode::store_unavailable, Side::self, false, "the control store is closing"};
      if (queue.size() >= limits.queue_max) {
        return Error{ErrorCode::overloaded, Side::self, true,
                     std::to_string(queue.size()) + " transactions wait for the control store"};
      }
      queue.push_back(&pending);
    }
    arrived.notify_one();
    pending.answered.acquire();
    return std::move(*pending.answer);
  }

  // A group is a run of transactions, or one compaction.
  std::vector<Pending*> take_group() {
    std::unique_lock hold(mutex);
    arrived.wait(hold, [&] { return closing || !queue.empty(); });
    std::vector<Pending*> group;
    std::size_t bytes = 0;
    while (!queue.empty() && group.size() < limits.group_max && bytes < limits.group_bytes_max) {
      Pending* next = queue.front();
      if (next->txn == nullptr && !group.empty()) break;
      group.push_back(next);
      queue.pop_front();
      if (next->txn == nullptr) break;
      bytes += bytes_of(*next->txn);
    }
    return group;
  }

  void run() {
    for (;;) {
      const std::vector<Pending*> group = take_group();
      if (group.empty()) return;
      if (const Result<void> ready = recover(); !ready.ok())
        refuse(group, ready.error());
      else if (group.front()->txn == nullptr)
        compact(*group.front());
      else
        commit(group);
      for (Pending* pending : group) pending->answered.release();
    }
  }

  Result<void> recover() {
    if (!distrusted) return {};
    if (const Result<void> reopened = database.reopen(); !reopened.ok()) {
      return Error{ErrorCode::store_unavailable, Side::disk, true, reopened.error().detail};
    }
    distrusted = false;
    committed(database.revision());
    return {};
  }

  static void refuse(const std::vector<Pending*>& group, const Error& error) {
    for (Pending* pending : group) pending->answer = error;
  }

  void compact(Pending& pending) {
    const Revision next = database.revision() + 1;
    if (pending.floor > next) {
      pending.answer =
          Error{ErrorCode::store_request_invalid, Side::client, false,
                "compaction to " + std::to_string(pending.floor) + ", the next revision is " + std::to_string(next)};
      return;
    }
    if (pending.floor > database.floor()) {
      if (Result<void> dropped = database.drop_log(pending.floor); !dropped.ok()) {
        distrusted = true;
        pending.answer = std::move(dropped).error();
        return;
      }
    }
    pending.answer = TxnReply{};
  }

  void commit(const std::vector<Pending*>& group) {
    GroupChange change;
    change.revision = database.revision();
    const bool full = database.free_bytes() < limits.free_bytes_min;
    for (Pending* pending : group) {
      if (full && puts(*pending->txn)) {
        pending->answer = Error{
            ErrorCode::disk_full, Side::disk, true,
            "the control store's disk has less than " + std::to_string(limits.free_bytes_min >> 20) + " MiB left"};
        continue;
      }
      Evaluation evaluation(database, change);
      pending->answer = evaluation.run(*pending->txn);
      if (!pending->answer->ok()) continue;
      pending->wrote = evaluation.wrote();
      evaluation.join(change);
    }
    if (change.log.empty()) return;
    if (const Result<void> written = database.write(change); !written.ok()) {
      distrust(group, written.error());
      return;
    }
    committed(change.revision);
  }

  void distrust(const std::vector<Pending*>& group, const Error& cause) {
    distrusted = true;
    for (Pending* pending : group) {
      if (!pending->answer->ok()) continue;
      const ErrorCode code = pending->wrote ? ErrorCode::store_unknown : ErrorCode::store_unavailable;
      pending->answer = Error{code, Side::disk, true, cause.detail};
    }
  }
};

GroupCommitter::GroupCommitter(Database& database, const CommitLimits& limits, std::function<void(Revision)> committed)
    : state_(std::make_unique<State>(database, limits, std::move(committed))) {
  state_->writer = std::thread([state = state_.get()] { state->run(); });
}

GroupCommitter::~GroupCommitter() {
  {
    const std::lock_guard hold(state_->mutex);
    state_->closing = true;
  }
  state_->arrived.notify_one();
  state_->writer.join();
}

Result<TxnReply> GroupCommitter::commit(const Txn& txn) {
  REELWAY_TRY(check_txn(txn));
  Pending pending;
  pending.txn = &txn;
  return state_->wait_for(pending);
}

Result<void> GroupCommitter::compact(Revision floor) {
  Pending pending;
  pending.floor = floor;
  Result<TxnReply> answer = state_->wait_for(pending);
  if (!answer.ok()) return std::move(answer).error();
  return {};
}

}  // namespace reelway::origin
