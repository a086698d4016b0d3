#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <map>
#include <random>
#include <thread>

#include "common/base/unique_fd.h"
#include "tests/unit/origin/store/rocksdb_backend.h"

// A child commits numbered transactions from several threads and reports each acknowledgement through a pipe; it is
// killed at a random moment, twenty times over one store. After each kill every acknowledged transaction must be
// there, at the revision that was told, and the log must be whole.

namespace reelway::origin {
namespace {

constexpr int kWriters = 4;
constexpr int kKills = 20;

struct Acknowledgement {
  std::int32_t writer = 0;
  std::int32_t number = 0;
  Revision revision = 0;
};

std::string number_key(int writer, int number) {
  return "/n/" + std::to_string(writer) + "/" + std::to_string(number);
}

// Not a test: what the killed child runs, in a process of its own because RocksDB's threads do not survive a fork.
TEST(ChildRoleCommits, CommitsUntilKilled) {
  const char* directory = std::getenv("REELWAY_KILL_DIRECTORY");
  ASSERT_NE(directory, nullptr);
  const int report = std::atoi(std::getenv("REELWAY_KILL_PIPE"));
  const auto store = open_rocksdb_store(std::string(directory));
  ASSERT_TRUE(store.ok()) << describe(store.error());
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      const std::string last_key = "/last/" + std::to_string(writer);
      const auto last = (*store)->get(last_key);
      ASSERT_TRUE(last.ok());
      for (int number = last->has_value() ? std::stoi((*last)->value) + 1 : 0;; ++number) {
        Txn txn = put_txn(number_key(writer, number), "value");
        txn.then_operations.push_back(Operation::put(last_key, std::to_string(number)));
        const Result<TxnReply> reply = (*store)->txn(txn);
        ASSERT_TRUE(reply.ok());
        const Acknowledgement told{writer, number, reply->revision};
        ASSERT_EQ(::write(report, &told, sizeof told), static_cast<ssize_t>(sizeof told));
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
}

pid_t start_child(const std::string& directory, int report) {
  const std::string pipe = std::to_string(report);
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::setenv("REELWAY_KILL_DIRECTORY", directory.c_str(), 1);
  ::setenv("REELWAY_KILL_PIPE", pipe.c_str(), 1);
  ::execl("/proc/self/exe", "kill_child", "--gtest_filter=ChildRoleCommits.*", nullptr);
  ::_exit(127);
}

// Runs a child, kills it after `acknowledgements_max` reports, and returns all that it reported.
std::vector<Acknowledgement> run_and_kill(const std::string& directory, std::size_t acknowledgements_max) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  UniqueFd reader(ends[0]), writer(ends[1]);
  ::fcntl(reader.get(), F_SETFD, FD_CLOEXEC);
  const pid_t child = start_child(directory, writer.get());
  writer.reset();
  std::vector<Acknowledgement> told;
  Acknowledgement one;
  bool killed = false;
  // After the kill the pipe still holds reports that were written before it.
  while (::read(reader.get(), &one, sizeof one) == static_cast<ssize_t>(sizeof one)) {
    told.push_back(one);
    if (!killed && told.size() >= acknowledgements_max) killed = ::kill(child, SIGKILL) == 0;
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  return told;
}

void verify(ControlStore& store, const std::map<Revision, Acknowledgement>& told) {
  const Result<StoreStatus> status = store.status();
  ASSERT_TRUE(status.ok());
  ASSERT_GE(status->revision, told.rbegin()->first);
  for (const auto& [revision, one] : told) {
    const auto entry = store.get(number_key(one.writer, one.number));
    ASSERT_TRUE(entry.ok() && entry->has_value()) << number_key(one.writer, one.number);
    ASSERT_EQ((*entry)->mod_revision, revision);
  }
  WatchLog log;
  const auto watch = store.watch("/n/", 1, log.sink());
  const auto messages = log.wait_for(static_cast<std::size_t>(status->revision));
  for (std::size_t i = 0; i < messages.size(); ++i) {
    ASSERT_EQ(std::get<WatchBatch>(messages[i]).revision, static_cast<Revision>(i) + 1);
  }
}

TEST(KilledStore, LosesNothingThatWasAcknowledged) {
  TemporaryFolder folder;
  const std::string directory = folder.at("store");
  std::mt19937 dice(7);
  std::map<Revision, Acknowledgement> told;
  for (int kill = 0; kill < kKills; ++kill) {
    for (const Acknowledgement& one : run_and_kill(directory, 1 + dice() % 120)) {
      ASSERT_TRUE(told.emplace(one.revision, one).second) << "revision " << one.revision << " was told twice";
    }
    const auto store = open_rocksdb_store(directory);
    ASSERT_TRUE(store.ok()) << describe(store.error());
    verify(**store, told);
    if (HasFatalFailure()) return;
  }
  RecordProperty("acknowledged", static_cast<int>(told.size()));
}

}  // namespace
}  // namespace reelway::origin
