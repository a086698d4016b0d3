#include "common/telemetry/access_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

namespace reelway::telemetry {
namespace {

using testing::HasSubstr;

AccessRecord example() {
  AccessRecord record;
  record.time_ms = 784111777'123;
  record.client = "127.0.0.1";
  record.method = "GET";
  record.target = "/t/SECRET/film/v1/master.m3u8?q=SECRET";
  record.status = 206;
  record.bytes = 1024;
  record.duration_us = 17;
  record.cache = "hit";
  record.user_agent = "player \"x\"\n\xff";
  return record;
}

std::string read_file(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

TEST(AccessLine, IsOneJsonLineWithoutTheToken) {
  EXPECT_EQ(
      format_access_line(example()),
      R"({"time":"1994-11-06T08:49:37.123Z","client":"127.0.0.1","method":"GET","path":"/t/-/film/v1/master.m3u8",)"
      R"("status":206,"bytes":1024,"duration_us":17,"cache":"hit","error":"",)"
      R"("agent":"player \"x\"\u000a\ufffd","cut":false})"
      "\n");
}

TEST(AccessLine, LongPartsAreCut) {
  AccessRecord record = example();
  const std::string target = "/t/x/" + std::string(4000, 'p');
  const std::string agent(4000, 'a');
  record.target = target;
  record.user_agent = agent;
  EXPECT_LT(format_access_line(record).size(), 1600u);
}

class AccessLogFile : public testing::Test {
 protected:
  AccessLogFile() {
    std::string name = testing::TempDir() + "reelway_access_XXXXXX";
    folder_ = mkdtemp(name.data());
    file_ = folder_ + "/access.log";
  }
  ~AccessLogFile() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  std::string file_;
};

TEST_F(AccessLogFile, WritesWhatIsRecorded) {
  auto log = AccessLog::open(file_);
  ASSERT_TRUE(log.ok());
  (*log)->record(example());
  (*log)->record(example());
  (*log)->flush();
  EXPECT_EQ(read_file(file_), format_access_line(example()) + format_access_line(example()));
  EXPECT_EQ((*log)->lines_written(), 2u);
  EXPECT_EQ((*log)->lines_dropped(), 0u);
}

TEST_F(AccessLogFile, EndWritesTheRest) {
  {
    auto log = AccessLog::open(file_);
    for (int i = 0; i < 10; ++i) (*log)->record(example());
  }
  EXPECT_EQ(read_file(file_).size(), 10 * format_access_line(example()).size());
}

TEST_F(AccessLogFile, AppendsToWhatIsThere) {
  std::ofstream(file_) << "before\n";
  {
    auto log = AccessLog::open(file_);
    (*log)->record(example());
  }
  EXPECT_EQ(read_file(file_), "before\n" + format_access_line(example()));
}

TEST_F(AccessLogFile, ReopenAfterRotation) {
  auto log = AccessLog::open(file_);
  (*log)->record(example());
  (*log)->flush();
  std::filesystem::rename(file_, file_ + ".1");
  (*log)->record(example());
  (*log)->reopen();
  (*log)->flush();
  EXPECT_EQ(read_file(file_ + ".1").size(), 2 * format_access_line(example()).size()) << "recorded before reopen()";
  (*log)->record(example());
  (*log)->flush();
  EXPECT_EQ(read_file(file_), format_access_line(example()));
}

TEST_F(AccessLogFile, FailedReopenKeepsTheOldFile) {
  auto log = AccessLog::open(file_);
  std::filesystem::rename(file_, file_ + ".1");
  std::filesystem::create_directory(file_);
  (*log)->reopen();
  (*log)->record(example());
  (*log)->flush();
  EXPECT_EQ(read_file(file_ + ".1"), format_access_line(example()));
}

TEST_F(AccessLogFile, DiskThatRefusesDropsAndCounts) {
  auto log = AccessLog::open("/dev/full");
  ASSERT_TRUE(log.ok());
  for (int i = 0; i < 3; ++i) (*log)->record(example());
  (*log)->flush();
  EXPECT_EQ((*log)->lines_written(), 0u);
  EXPECT_EQ((*log)->lines_dropped(), 3u);
}

TEST_F(AccessLogFile, FullBufferDropsAndCounts) {
  // A pipe that nobody reads holds the writing thread, so the buffer fills.
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const UniqueFd reader(open(pipe.c_str(), O_RDONLY | O_NONBLOCK));
  auto log = AccessLog::open(pipe);
  ASSERT_TRUE(log.ok());
  const std::size_t fits = 2 * AccessLog::kBufferBytes / format_access_line(example()).size();
  for (std::size_t i = 0; i < fits + 1000; ++i) (*log)->record(example());
  EXPECT_GT((*log)->lines_dropped(), 0u);
  std::thread drain([&] {
    char buffer[65536];
    fcntl(reader.get(), F_SETFL, 0);
    while (read(reader.get(), buffer, sizeof buffer) > 0) {
    }
  });
  log->reset();
  drain.join();
}

TEST_F(AccessLogFile, ManyThreads) {
  auto log = AccessLog::open(file_);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) (*log)->record(example());
    });
  }
  for (std::thread& thread : threads) thread.join();
  (*log)->flush();
  EXPECT_EQ((*log)->lines_written(), 2000u);
  EXPECT_EQ(read_file(file_).size(), 2000 * format_access_line(example()).size());
}

TEST_F(AccessLogFile, FolderThatIsMissingIsAnError) {
  auto log = AccessLog::open(folder_ + "/none/access.log");
  ASSERT_FALSE(log.ok());
  EXPECT_THAT(log.error().detail, HasSubstr("/none/access.log"));
}

}  // namespace
}  // namespace reelway::telemetry
