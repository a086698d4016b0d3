#include "origin/protection/content_keys.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <condition_variable>
#include <filesystem>
#include <set>
#include <thread>

#include "common/base/encoding.h"
#include "origin/protection/local_keys.h"

namespace reelway::origin {
namespace {

const std::string kSecret(32, 's');

KeyScope scope_of(const std::string& version) {
  return {"film", version, "00ff"};
}

class LocalKeysTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/reelway-content-keys-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    store_ = open_rocksdb_store(folder_ + "/store").value();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  Result<VersionKeys> keys(const KeyScope& scope, const std::string& secret = kSecret) {
    auto local = LocalKeys::open(*store_, secret, clock_, random_).value();
    return local.keys(scope, patience_);
  }

  std::string folder_;
  std::unique_ptr<ControlStore> store_;
  SystemClock clock_;
  SystemRandom random_;
  Patience patience_;
};

TEST_F(LocalKeysTest, AVersionKeepsItsKeysAndNoTwoShareAny) {
  std::set<std::string> seen;
  for (const char* version : {"v1", "v2"}) {
    const auto made = keys(scope_of(version));
    ASSERT_TRUE(made.ok()) << describe(made.error());
    const auto again = keys(scope_of(version));
    ASSERT_TRUE(again.ok());
    for (const auto& [label, key] : *made) {
      EXPECT_EQ(key.key, again->at(label).key);
      EXPECT_EQ(key.id, again->at(label).id);
      seen.insert(hex(key.key));
      seen.insert(hex(key.id));
    }
  }
  EXPECT_EQ(seen.size(), 16u);
}

TEST_F(LocalKeysTest, ManyThatAskFirstGetTheSame) {
  std::vector<std::string> found(8);
  std::vector<std::thread> threads;
  for (std::string& one : found) {
    threads.emplace_back([&] { one = hex(keys(scope_of("v1"))->at(KeyLabel::hd).key); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& one : found) EXPECT_EQ(one, found.front());
}

TEST_F(LocalKeysTest, AreSealed) {
  const auto made = keys(scope_of("v1"));
  const std::string key = content_keys_key("film", "v1");
  const std::string text = store_->get(key).value()->value;
  for (const auto& [label, one] : *made) {
    EXPECT_EQ(text.find(hex(one.key)), std::string::npos);
    EXPECT_EQ(text.find(base64url(one.key)), std::string::npos);
  }
  const auto other = keys(scope_of("v1"), std::string(32, 't'));
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::stored_data_corrupt);
}

TEST_F(LocalKeysTest, CannotBePutInAnothersPlace) {
  ASSERT_TRUE(keys(scope_of("v1")).ok());
  const std::string text = store_->get(content_keys_key("film", "v1")).value()->value;
  Txn txn;
  txn.then_operations.push_back(Operation::put(content_keys_key("film", "v2"), text));
  ASSERT_TRUE(store_->txn(txn).ok());
  const auto moved = keys(scope_of("v2"));
  ASSERT_FALSE(moved.ok());
  EXPECT_EQ(moved.error().code, ErrorCode::stored_data_corrupt);
}

class MovedClock final : public Clock {
 public:
  Monotonic monotonic() const override { return now; }
  Wall wall() const override { return Wall(std::chrono::milliseconds(0)); }
  Monotonic now{};
};

// Answers when it is let to, and counts.
struct Provider final : KeyProvider {
  Result<VersionKeys> keys(const KeyScope& scope, Patience&) override {
    std::unique_lock hold(mutex);
    ++asked;
    changed.wait(hold, [this] { return open; });
    if (scope.version == "v9") return Error{ErrorCode::key_provider_unavailable, Side::upstream, true, "down"};
    VersionKeys made;
    for (std::size_t i = 0; i < kKeyLabels.size(); ++i) made[static_cast<KeyLabel>(i)].key[0] = 1;
    return made;
  }
  void let() {
    const std::lock_guard hold(mutex);
    open = true;
    changed.notify_all();
  }
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  int asked = 0;
};

// Tasks that wait for the test to run them, as the loop would.
struct Tasks {
  void post(std::function<void()> task) {
    const std::lock_guard hold(mutex);
    tasks.push_back(std::move(task));
    changed.notify_all();
  }
  void run_one() {
    std::function<void()> task;
    {
      std::unique_lock hold(mutex);
      changed.wait(hold, [this] { return !tasks.empty(); });
      task = std::move(tasks.front());
      tasks.erase(tasks.begin());
    }
    task();
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::function<void()>> tasks;
};

class ContentKeysTest : public ::testing::Test {
 protected:
  ContentKeysTest() : provider_(std::make_unique<Provider>()), kept_(provider_.get()) {
    ContentKeys::Options options;
    options.versions_max = 2;
    options.waiting_max = 2;
    keys_ = std::make_unique<ContentKeys>(std::move(provider_), clock_, options,
                                          [this](std::function<void()> task) { tasks_.post(std::move(task)); });
  }
  void find(const std::string& version) {
    keys_->find(scope_of(version), [this](Result<std::shared_ptr<const VersionKeys>> found) {
      answers_.push_back(found ? "keys" : std::string(found.error().info().name));
    });
  }

  MovedClock clock_;
  Tasks tasks_;
  std::unique_ptr<Provider> provider_;
  Provider* kept_;
  std::unique_ptr<ContentKeys> keys_;
  std::vector<std::string> answers_;
};

TEST_F(ContentKeysTest, ManyThatWaitAskOnce) {
  for (int i = 0; i < 5; ++i) find("v1");
  EXPECT_EQ(keys_->cached("film", "v1"), nullptr);
  kept_->let();
  tasks_.run_one();
  EXPECT_EQ(answers_, std::vector<std::string>(5, "keys"));
  EXPECT_EQ(kept_->asked, 1);
  EXPECT_NE(keys_->cached("film", "v1"), nullptr);
}

TEST_F(ContentKeysTest, KeysEnd) {
  kept_->let();
  find("v1");
  tasks_.run_one();
  clock_.now += std::chrono::hours(1);
  EXPECT_EQ(keys_->cached("film", "v1"), nullptr);
  find("v1");
  tasks_.run_one();
  EXPECT_EQ(kept_->asked, 2);
}

TEST_F(ContentKeysTest, AFailureIsRememberedForAWhile) {
  kept_->let();
  find("v9");
  tasks_.run_one();
  find("v9");
  tasks_.run_one();
  EXPECT_EQ(kept_->asked, 1);
  clock_.now += std::chrono::seconds(3);
  find("v9");
  tasks_.run_one();
  EXPECT_EQ(kept_->asked, 2);
  EXPECT_EQ(answers_, std::vector<std::string>(3, "key_provider_unavailable"));
}

TEST_F(ContentKeysTest, OnlySoManyWaitAndAreKept) {
  find("v1");
  find("v2");
  find("v3");
  tasks_.run_one();
  EXPECT_EQ(answers_, std::vector<std::string>{"overloaded"});
  kept_->let();
  tasks_.run_one();
  tasks_.run_one();
  clock_.now += std::chrono::seconds(1);
  find("v3");
  tasks_.run_one();
  EXPECT_EQ(answers_.size(), 4u);
  const int kept = (keys_->cached("film", "v1") ? 1 : 0) + (keys_->cached("film", "v2") ? 1 : 0);
  EXPECT_EQ(kept, 1);
  EXPECT_NE(keys_->cached("film", "v3"), nullptr);
}

TEST_F(ContentKeysTest, WhoWaitsAtTheEndIsTold) {
  find("v1");
  find("v2");
  kept_->let();
  keys_->stop();
  tasks_.run_one();
  tasks_.run_one();
  EXPECT_EQ(answers_.size(), 2u);
}

TEST(TrackKey, TheIvDiffersByTrackUnlessTheProviderStatesIt) {
  ProvidedKey provided;
  provided.id.fill(3);
  const auto first = track_key(provided, "video/720", 0), second = track_key(provided, "video/1080", 1);
  EXPECT_NE(first.iv, second.iv);
  EXPECT_EQ(first.iv, track_key(provided, "video/720", 0).iv);
  EXPECT_EQ(second.track, 1);
  provided.iv.emplace().fill(9);
  EXPECT_EQ(track_key(provided, "video/720", 0).iv, *provided.iv);
}

TEST(ClearKey, LicenceIsAKeySet) {
  hls::ContentKey key;
  key.id.fill(0xff);
  key.key.fill(0);
  EXPECT_EQ(
      clearkey_licence(key),
      R"({"keys":[{"kty":"oct","kid":"_____________________w","k":"AAAAAAAAAAAAAAAAAAAAAA"}],"type":"temporary"})");
}

TEST(KeyLabel, FollowsTheLines) {
  mp4::TrackIndex index;
  for (const auto& [height, label] :
       {std::pair{576u, KeyLabel::sd}, {577u, KeyLabel::hd}, {1080u, KeyLabel::hd}, {1081u, KeyLabel::uhd}}) {
    index.height = height;
    EXPECT_EQ(key_label(index), label) << height;
  }
  index.kind = mp4::TrackKind::audio;
  EXPECT_EQ(key_label(index), KeyLabel::audio);
}

}  // namespace
}  // namespace reelway::origin
