#include <unistd.h>

#include <random>

#include "tests/unit/edge/store/child_process.h"
#include "tests/unit/edge/store/store_fixture.h"

// A child process (this program again, with a filter and the directory in its environment) fills and loads objects
// without end in a store that is far smaller than what it fills, so that slots are reused all the time. It is killed
// at random points; after each death the store must open and whatever it finds must be right.

namespace reelway::edge {
namespace {

constexpr int kKeys = 64;

std::size_t size_of(int number) {
  return number % 4 == 0 ? 1 + static_cast<std::size_t>(number) * 251 % 16'384
                         : 16'385 + static_cast<std::size_t>(number) * 37'717 % 1'400'000;
}

class StoreKill : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    options_.memory_bytes = 8 << 20;
    options_.disk_bytes = 24 << 20;
  }

  [[noreturn]] void fill_until_killed(const char* directory);
};

void StoreKill::fill_until_killed(const char* directory) {
  options_.directory = directory;
  open();
  std::mt19937_64 random(std::random_device{}());
  if (!store_) ::_exit(5);
  ChildProcess::say_ready();
  for (;;) {
    const int number = static_cast<int>(random() % kKeys);
    const std::string key = "/" + std::to_string(number);
    if (random() % 16 == 0) {
      store_->erase(key);
      continue;
    }
    Loaded loaded = load(key);
    if (loaded.tier != Tier::none) {
      if (bytes_of(*loaded.object) != body_of(key, size_of(number))) ::_exit(3);
      continue;
    }
    if (!fill(std::move(*loaded.permit), body_of(key, size_of(number))).ok()) ::_exit(4);
    if (random() % 4 == 0) settle();
  }
}

TEST_F(StoreKill, SurvivesKills) {
  if (const char* directory = ChildProcess::directory()) fill_until_killed(directory);
  use_disk();
  std::mt19937_64 random(seed(13));
  std::uint64_t found = 0;
  std::uint64_t corrupt = 0;
  for (int round = 0; round < 20; ++round) {
    const ChildProcess child("StoreKill.SurvivesKills", options_.directory);
    ASSERT_TRUE(child.wait_until_ready());
    ::usleep(static_cast<useconds_t>(random() % 400'000));  // where the death strikes, nothing is waited for
    const int status = child.kill();
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself, code " << WEXITSTATUS(status);
    open();
    for (int i = 0; i < kKeys; ++i) {
      const std::string key = "/" + std::to_string(i);
      const Loaded loaded = load(key);
      if (loaded.tier == Tier::none) continue;
      ++found;
      ASSERT_EQ(bytes_of(*loaded.object), body_of(key, size_of(i))) << key << " in round " << round;
    }
    corrupt += store_->counters().disk_corrupt;
    close();
  }
  RecordProperty("objects_found", static_cast<int>(found));
  std::printf("20 kills: %llu objects found, all right; %llu dropped as damaged\n",
              static_cast<unsigned long long>(found), static_cast<unsigned long long>(corrupt));
  EXPECT_GT(found, 100u);
  EXPECT_EQ(corrupt, 0u) << "a process's death alone tears nothing: records follow their bytes";
}

}  // namespace
}  // namespace reelway::edge
