#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "common/ring/ring.h"
#include "edge/admin/state.h"
#include "edge/request/edge_server.h"
#include "origin/request/origin_server.h"
#include "tests/support/loop_thread.h"
#include "tests/support/plain_client.h"
#include "tests/support/raw_http_client.h"

// One origin and some edges in this process, on one clock that the test moves: what takes hours outside takes no time
// here. Everything else is real: loops, rings, sockets, stores, FFmpeg.

namespace reelway::scenario {

using nlohmann::json;

// Real time and what the test has added to it, for both kinds of time.
class MovedClock final : public Clock {
 public:
  Monotonic monotonic() const override { return std::chrono::steady_clock::now() + moved(); }
  Wall wall() const override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) + moved();
  }
  void advance(std::chrono::seconds by) { moved_s_ += by.count(); }

 private:
  std::chrono::seconds moved() const { return std::chrono::seconds(moved_s_.load()); }
  std::atomic<std::int64_t> moved_s_{0};
};

inline const std::string kCredential(24, 'c');
inline const std::string kEdgeSecret(24, 'e');

class OriginInHouse {
 public:
  OriginInHouse(std::string folder, const Clock& clock) : folder_(std::move(folder)), clock_(clock) {}
  ~OriginInHouse() { stop(); }

  // The second start takes the ports of the first, so that edges find it again.
  void start() {
    thread_ = std::make_unique<testing::LoopThread>();
    thread_->call([this] {
      auto started = origin::OriginServer::start(thread_->loop(), config(), clock_, random_);
      ASSERT_TRUE(started.ok()) << describe(started.error());
      server_ = std::move(started).value();
      api_ = server_->api_address();
      media_ = server_->media_address();
    });
  }
  void stop() {
    if (!thread_) return;
    std::promise<void> drained;
    thread_->call([&] { server_->drain([&] { drained.set_value(); }); });
    drained.get_future().wait();
    thread_->call([this] { server_.reset(); });
    thread_.reset();
  }

  testing::RawHttpClient::Answer ask(const std::string& method, const std::string& path, const std::string& body = {}) {
    return testing::RawHttpClient(api_).ask(method + " " + path + " HTTP/1.1\r\nHost: o\r\nAuthorization: Bearer " +
                                            kCredential + "\r\nContent-Length: " + std::to_string(body.size()) +
                                            "\r\n\r\n" + body);
  }
  json api(const std::string& method, const std::string& path, const json& body = {}) {
    const auto answer = ask(method, path, body.is_null() ? std::string{} : body.dump());
    return json::parse(answer.body, nullptr, false);
  }

  void ingest(const std::string& title, const std::string& film) {
    const json begun =
        api("POST", "/v1/uploads", {{"filename", "f.mp4"}, {"size_bytes", film.size()}, {"title", title}});
    ASSERT_TRUE(begun.contains("put")) << begun.dump();
    const std::string put = begun["put"];
    ASSERT_EQ(ask("PUT", put, film).status, 200);
    const json job = api("POST", "/v1/titles", {{"title", title}, {"upload", put.substr(put.rfind('/') + 1)}});
    ASSERT_TRUE(job.contains("job")) << job.dump();
    std::string state;
    do {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      state = api("GET", "/v1/jobs/" + job["job"].get<std::string>()).value("state", "");
    } while (state == "queued" || state == "running");
    ASSERT_EQ(state, "done");
  }

  const std::string& media_address() const { return media_; }

 private:
  static config::Endpoint endpoint(const std::string& address) {
    if (address.empty()) return {"127.0.0.1", 0};
    const auto colon = address.rfind(':');
    return {address.substr(0, colon), static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1)))};
  }
  origin::OriginConfig config() const {
    origin::OriginConfig made;
    made.data_dir = folder_ + "/origin";
    made.api_listen = endpoint(api_);
    made.media_listen = endpoint(media_);
    made.api_credential = kCredential;
    made.edges = origin::EdgeCredentials::parse("edge-1 " + kEdgeSecret + "\nedge-2 " + kEdgeSecret, "edges").value();
    made.seal_secret = std::string(32, 's');
    made.public_edges = {"http://127.0.0.1:1"};
    made.token_lifetime = std::chrono::hours(24);
    made.upload_bytes_max = 64 << 20;
    made.transcode.ffmpeg = "/usr/bin/ffmpeg";
    made.transcode.ffprobe = "/usr/bin/ffprobe";
    made.transcode.sandbox.required = false;
    made.transcode.sandbox.memory_bytes = 2ull << 30;
    made.units_per_segment = 1;
    return made;
  }

  const std::string folder_;
  const Clock& clock_;
  SystemRandom random_;
  std::unique_ptr<testing::LoopThread> thread_;
  std::unique_ptr<origin::OriginServer> server_;
  std::string api_;
  std::string media_;
};

class EdgeInHouse {
 public:
  EdgeInHouse(const std::string& name, const std::string& folder, const OriginInHouse& origin, const Clock& clock)
      : clock_(clock) {
    ring_ = std::move(ring::Ring::create({.entries = 256, .receive_buffers = 128, .receive_buffer_bytes = 16 * 1024}))
                .value();
    auto created = edge::EdgeServer::create(*ring_, clock, config(name, folder, origin.media_address()));
    EXPECT_TRUE(created.ok()) << describe(created.error());
    server_ = std::move(created).value();
    server_->start();
    port_ = server_->listener().port();
    thread_ = std::thread([this] { ring_->run(); });
  }
  ~EdgeInHouse() {
    ring_->post([this] { server_->drain([this] { ring_->stop(); }); });
    thread_.join();
    ring_->abandon();
  }

  testing::PlainResponse get(const std::string& path) { return testing::PlainClient(port_).get(path); }
  // "200", or a refusal's code.
  std::string answer(const std::string& path) {
    const testing::PlainResponse response = get(path);
    return response.status == 200 ? "200" : response.header("Reelway-Error");
  }
  json replica() {
    std::promise<std::string> text;
    ring_->post([&] {
      edge::StateTotals totals;
      totals.add(*server_);
      text.set_value(edge::state_json(*server_, totals, clock_));
    });
    return json::parse(text.get_future().get())["replica"];
  }
  bool ready() {
    std::promise<bool> ready;
    ring_->post([&] { ready.set_value(server_->ready()); });
    return ready.get_future().get();
  }

 private:
  static edge::EdgeConfig config(const std::string& name, const std::string& folder, const std::string& upstream) {
    const auto colon = upstream.rfind(':');
    edge::EdgeConfig config;
    config.edge_id = name;
    config.public_listen = {"127.0.0.1", 0};
    config.admin_listen = {"127.0.0.1", 0};
    config.admin_credential = "admin-credential-for-tests";
    config.upstreams = {
        {.host = upstream.substr(0, colon), .port = static_cast<std::uint16_t>(std::stoi(upstream.substr(colon + 1)))}};
    config.upstream_secret = kEdgeSecret;
    config.keys_poll_interval = std::chrono::milliseconds(100);
    config.store_directory = folder + "/" + name;
    config.store_memory_bytes = 64 << 20;
    config.store_disk_bytes = 256 << 20;
    config.store_object_bytes_max = 32 << 20;
    return config;
  }

  const Clock& clock_;
  std::unique_ptr<ring::Ring> ring_;
  std::unique_ptr<edge::EdgeServer> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

// For states that arrive by themselves. Gives up after a generous time, so that a fault fails a test and hangs nothing.
inline bool becomes(const std::function<bool()>& state) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!state()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace reelway::scenario
