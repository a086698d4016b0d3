#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "common/access/token.h"
#include "common/base/clock.h"
#include "common/base/encoding.h"
#include "common/rights/replica_frames.h"
#include "common/ring/ring.h"
#include "edge/request/edge_rings.h"
#include "tests/support/fake_origin.h"
#include "tests/support/plain_client.h"
#include "tests/support/temporary_folder.h"

namespace reelway::edge {

inline constexpr std::int64_t kStartS = 1'800'000'000;

// Wall time that the test moves; monotonic time is the machine's.
class TestClock final : public Clock {
 public:
  Monotonic monotonic() const override { return std::chrono::steady_clock::now(); }
  Wall wall() const override { return Wall(std::chrono::milliseconds(now_ms_.load())); }
  void advance_s(std::int64_t seconds) { now_ms_ += seconds * 1000; }

 private:
  std::atomic<std::int64_t> now_ms_{kStartS * 1000};
};

// Signs tokens and keeps the key document that the fake origin serves.
class TestKeys {
 public:
  explicit TestKeys(testing::FakeOrigin& origin) : origin_(origin) { add(1); }

  void add(access::KeyId kid) {
    pairs_[kid] = std::move(access::generate_key_pair()).value();
    states_[kid] = "active";
    publish();
  }
  void retire(access::KeyId kid) {
    states_[kid] = "retired";
    publish();
  }
  std::string token(access::Token token) { return access::sign_token(token, pairs_[token.kid].private_key).value(); }
  std::string token(const std::string& title, access::KeyId kid = 1) {
    return token({kid, kStartS - 10, kStartS + 3600, {}, title, {}, {}});
  }
  // A key that the origin does not tell of yet.
  void make_unpublished(access::KeyId kid) { pairs_[kid] = std::move(access::generate_key_pair()).value(); }
  void announce(access::KeyId kid) {
    states_[kid] = "active";
    publish();
  }

 private:
  void publish() {
    std::string keys;
    for (const auto& [kid, state] : states_) {
      if (!keys.empty()) keys += ",";
      keys += R"({"kid":)" + std::to_string(kid) + R"(,"state":")" + state + R"(","public":")" +
              base64url(pairs_[kid].public_key) + R"("})";
    }
    testing::Script script;
    script.headers = "Cache-Control: no-store\r\n";
    script.body = R"({"revision":)" + std::to_string(++revision_) + R"(,"keys":[)" + keys + "]}";
    origin_.script("/.reelway/v1/keys", script);
  }

  testing::FakeOrigin& origin_;
  std::map<access::KeyId, access::KeyPair> pairs_;
  std::map<access::KeyId, std::string> states_;
  int revision_ = 0;
};

// The rentals that the fake origin tells of: a snapshot, then a stream that stays open with what follow() gave it.
class TestRights {
 public:
  static constexpr const char* kSnapshot = "/.reelway/v1/replica/snapshot?shard=0&format=2";
  static constexpr const char* kStream = "/.reelway/v1/replica/stream?shard=0&from=10&cluster=test&format=2";

  explicit TestRights(testing::FakeOrigin& origin) : origin_(origin) { publish({}); }
  ~TestRights() {
    held_->open();
    for (const auto& gate : gates_) gate->open();
  }

  // What a new edge finds. Before the edge starts.
  void publish(const std::vector<rights::ReplicaRecord>& records) {
    rights::StateDigest digest;
    for (const auto& record : records) digest.add(record.id, record.record, record.mod_revision);
    serve(kSnapshot, frame(rights::HelloFrame{"test", 0, 10}) + frame(rights::RecordsFrame{records}) +
                         frame(rights::EndFrame{records.size(), 10}));
    const rights::BeatFrame beat{10, 10, kStartS * 1000, 1, records.size(), digest.root()};
    hello_ = frame(rights::HelloFrame{"test", 0, 10}) + frame(beat);
    follow({});
  }

  // What comes on the stream after the first beat, once the gate that is returned opens.
  std::shared_ptr<testing::Latch> follow(const std::vector<rights::Frame>& frames) {
    auto gate = std::make_shared<testing::Latch>();
    gates_.push_back(gate);
    testing::Script script = of(hello_);
    script.bytes_before_gate = script.body.size();
    for (const auto& one : frames) script.body += frame(one);
    script.gate = gate;
    script.before_end = held_;
    origin_.script(kStream, script);
    return gate;
  }

  // What the origin answers when it is asked for one.
  void tell(const rights::ReplicaRecord& record) {
    serve("/.reelway/v1/entitlement?id=" + rights::id_text(record.id),
          frame(rights::RecordsFrame{{record}}) + frame(rights::EndFrame{1, record.mod_revision}));
  }
  void tell_none(const rights::EntitlementId& id) {
    serve("/.reelway/v1/entitlement?id=" + rights::id_text(id),
          frame(rights::RecordsFrame{}) + frame(rights::EndFrame{0, 12}));
  }

 private:
  static std::string frame(const rights::Frame& frame) { return rights::encode_frame(frame); }
  static testing::Script of(std::string body) {
    testing::Script script;
    script.headers = "Cache-Control: no-store\r\nContent-Type: application/vnd.reelway.replica\r\n";
    script.body = std::move(body);
    script.with_length = false;
    script.with_digest = false;
    return script;
  }
  void serve(const std::string& path, std::string body) { origin_.script(path, of(std::move(body))); }

  testing::FakeOrigin& origin_;
  std::string hello_;
  std::shared_ptr<testing::Latch> held_ = std::make_shared<testing::Latch>();
  std::vector<std::shared_ptr<testing::Latch>> gates_;
};

// An edge whose first ring runs on a thread of its own, with a store in a folder of the test.
class RunningEdge {
 public:
  RunningEdge(EdgeConfig config, const Clock& clock) {
    ring_ = std::move(ring::Ring::create({.entries = 256, .receive_buffers = 128, .receive_buffer_bytes = 16 * 1024}))
                .value();
    auto created = EdgeRings::create(*ring_, clock, clock, config);
    if (!created.ok()) std::fprintf(stderr, "%s\n", describe(created.error()).c_str());
    rings_ = std::move(created).value();
    rings_->start();
    port_ = server().listener().port();
    thread_ = std::thread([this] { ring_->run(); });
  }
  ~RunningEdge() { stop(); }

  void stop() {
    if (rings_ == nullptr) return;
    if (thread_.joinable()) {
      begin_drain();
      join();
    }
    rings_.reset();
  }
  // After a drain that the test began by itself.
  void join() {
    if (!thread_.joinable()) return;
    thread_.join();
    ring_->abandon();
  }
  void begin_drain() {
    ring_->post([this] { rings_->drain([this] { ring_->stop(); }); });
  }

  std::uint16_t port() const { return port_; }
  EdgeServer& server() { return rings_->first(); }
  EdgeRings& rings() { return *rings_; }
  ring::Ring& ring() { return *ring_; }

  // Runs on the ring's thread and hands the result back.
  template <class Function>
  auto on_ring(Function function) {
    std::promise<decltype(function(std::declval<EdgeServer&>()))> promise;
    ring_->post([&] { promise.set_value(function(server())); });
    return promise.get_future().get();
  }

  // Its replica is there: before, it plays nothing.
  void wait_until_ready() {
    while (!on_ring([](EdgeServer& server) { return server.origin().replica().ready(); })) std::this_thread::yield();
  }

 private:
  std::unique_ptr<ring::Ring> ring_;
  std::unique_ptr<EdgeRings> rings_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

inline EdgeConfig test_config(const testing::FakeOrigin& origin, const std::string& folder) {
  EdgeConfig config;
  config.edge_id = "edge-a";
  config.public_listen = {"127.0.0.1", 0};
  config.admin_listen = {"127.0.0.1", 0};
  config.admin_credential = "admin-credential-for-tests";
  config.upstreams = {UpstreamUrl{.host = "127.0.0.1", .port = origin.port()}};
  config.upstream_secret = "edge-secret-for-tests";
  config.keys_poll_interval = std::chrono::milliseconds(50);
  config.site_content_bytes_max = 1 << 20;
  config.site_slice_bytes = 64 << 10;
  config.site_stale_when_unreachable = std::chrono::minutes(10);
  config.store_directory = folder;
  config.store_memory_bytes = 64 << 20;
  config.store_disk_bytes = 256 << 20;
  config.store_object_bytes_max = 32 << 20;
  config.cors_origins = {"https://player.example"};
  return config;
}

// A rental that has been started and plays, and the same one taken back.
inline rights::Record active_rental() {
  return rights::started(rights::ordered(rights::Kind::rental, {}, kStartS - 100), {}, kStartS - 50);
}
inline rights::Record revoked_rental() {
  rights::Record record = active_rental();
  record.state = rights::State::revoked;
  return record;
}

// A whole edge and what it lives with; each case starts it when it has set what it wants.
class EdgeTest : public ::testing::Test {
 protected:
  void start() {
    edge_ = std::make_unique<RunningEdge>(config_, clock_);
    edge_->wait_until_ready();
  }
  void restart() {
    edge_.reset();
    start();
  }
  template <class Reader>
  void wait_for(Reader reader) {  // a state of the edge that the test has no event for
    while (!edge_->on_ring(reader)) std::this_thread::yield();
  }

  TestClock clock_;
  testing::FakeOrigin origin_;
  TestKeys keys_{origin_};
  TestRights rights_{origin_};
  reelway::origin::TemporaryFolder folder_;
  EdgeConfig config_ = test_config(origin_, folder_.path());
  std::unique_ptr<RunningEdge> edge_;
};

}  // namespace reelway::edge
