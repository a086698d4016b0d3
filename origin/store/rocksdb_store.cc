#include "origin/store/rocksdb_store.h"

#include <algorithm>

// Model. The embedded backend of the control store, of three parts: the files (Database), the one writer that orders
// every change (GroupCommitter), and the watches that follow the log (WatchHub). Reads go to the files directly: a
// change is visible there exactly when it is durable.

namespace reelway::origin {
namespace {

class RocksdbStore final : public ControlStore {
 public:
  RocksdbStore(std::unique_ptr<Database> database, const RocksdbStoreOptions& options)
      : database_(std::move(database)),
        watches_(*database_, options.watch),
        committer_(*database_, options.commit, [this](Revision revision) { watches_.committed(revision); }) {}

  Result<TxnReply> txn(const Txn& txn) override { return committer_.commit(txn); }

  Result<Page> range(std::string_view prefix, std::size_t limit, std::string_view after_key) override {
    return database_->range(prefix, std::clamp<std::size_t>(limit, 1, kRangeLimitMax), after_key);
  }

  std::unique_ptr<Watch> watch(std::string prefix, Revision from,
                               std::function<void(const WatchMessage&)> deliver) override {
    return watches_.add(std::move(prefix), from, std::move(deliver));
  }

  Result<void> compact(Revision floor) override { return committer_.compact(floor); }

  Result<StoreStatus> status() override {
    StoreStatus status;
    status.cluster_id = database_->cluster_id();
    status.revision = database_->revision();
    status.floor = database_->floor();
    status.size_bytes = database_->size_bytes();
    return status;
  }

 private:
  // Destroyed from the last to the first: the writer ends, then the watches, then the files are closed.
  std::unique_ptr<Database> database_;
  WatchHub watches_;
  GroupCommitter committer_;
};

}  // namespace

Result<std::unique_ptr<ControlStore>> open_rocksdb_store(const RocksdbStoreOptions& options) {
  Result<std::unique_ptr<Database>> database = Database::open(options.directory);
  if (!database.ok()) return std::move(database).error();
  return std::unique_ptr<ControlStore>(std::make_unique<RocksdbStore>(std::move(database).value(), options));
}

Result<std::unique_ptr<ControlStore>> open_rocksdb_store(const std::string& directory) {
  RocksdbStoreOptions options;
  options.directory = directory;
  return open_rocksdb_store(options);
}

}  // namespace reelway::origin
