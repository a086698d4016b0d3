#include "origin/net/stream_body.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "origin/net/server.h"
#include "tests/support/loop_thread.h"
#include "tests/support/plain_client.h"

// Bodies without a known end, through a real server. The test gives pieces to the body on the loop, one at a time.

namespace reelway::origin {
namespace {

using reelway::testing::LoopThread;
using reelway::testing::PlainClient;
using reelway::testing::PlainResponse;
using Piece = StreamBody::Piece;

class ScriptedBody final : public StreamBody {
 public:
  void begin(std::function<void()> more) override { more_ = std::move(more); }
  Piece take() override {
    ++takes;
    if (endless) return {Piece::Kind::bytes, std::make_shared<const std::string>(64 * 1024, 'x')};
    if (pieces_.empty()) return {};
    Piece piece = std::move(pieces_.front());
    pieces_.pop_front();
    return piece;
  }
  void leave() override {
    const std::lock_guard lock(mutex_);
    left_ = true;
    changed_.notify_all();
  }

  // On the loop.
  void give(std::string bytes) {
    pieces_.push_back({Piece::Kind::bytes, std::make_shared<const std::string>(std::move(bytes))});
    more_();
  }
  void finish(Piece::Kind kind) {
    pieces_.push_back({kind, nullptr});
    more_();
  }

  void wait_for_leave() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [this] { return left_; }));
  }

  bool endless = false;
  std::size_t takes = 0;

 private:
  std::function<void()> more_;
  std::deque<Piece> pieces_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool left_ = false;  // guarded by mutex_
};

class StreamHandler final : public RequestHandler {
 public:
  StreamHandler(Responder& responder, std::shared_ptr<ScriptedBody> body)
      : responder_(responder), body_(std::move(body)) {}
  void begin(const http::RequestHead& head) override {
    Response response;
    if (head.path() == "/stream") {
      response.stream = body_;
    } else {
      response.text = std::make_shared<const std::string>("text");
    }
    responder_.respond(std::move(response));
  }
  void body(ByteView) override {}
  void body_end() override {}
  void body_cut(const Error&) override {}
  void abandoned() override {}

 private:
  Responder& responder_;
  std::shared_ptr<ScriptedBody> body_;
};

class StreamBodyTest : public ::testing::Test {
 protected:
  void SetUp() override { start({}); }
  void TearDown() override {
    thread_.call([this] { server_.reset(); });
  }
  void start(const ServerLimits& limits) {
    thread_.call([&] {
      server_ = std::make_unique<HttpServer>(thread_.loop(), clock_, limits, [this](Responder& responder) {
        return std::make_shared<StreamHandler>(responder, body_);
      });
      ASSERT_TRUE(server_->listen("127.0.0.1", 0).ok());
      const std::string& address = server_->address();
      port_ = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    });
  }
  void give(const std::string& bytes) {
    thread_.call([&] { body_->give(bytes); });
  }
  void finish(Piece::Kind kind) {
    thread_.call([&] { body_->finish(kind); });
  }
  ConnectionCounters counters() {
    ConnectionCounters value;
    thread_.call([&] { value = server_->counters().connections; });
    return value;
  }

  SystemClock clock_;
  LoopThread thread_;
  std::shared_ptr<ScriptedBody> body_ = std::make_shared<ScriptedBody>();
  std::unique_ptr<HttpServer> server_;
  std::uint16_t port_ = 0;
};

const std::string kRequest = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(StreamBodyTest, PiecesGoOutAsTheyComeAndTheConnectionLivesOn) {
  PlainClient client(port_);
  client.send(kRequest);
  PlainResponse response = client.receive_start();
  EXPECT_EQ(response.header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(response.header("Content-Length"), "");
  give("one");
  give("two two");
  finish(Piece::Kind::end);
  client.receive_rest(response);
  EXPECT_TRUE(response.whole);
  EXPECT_EQ(response.body, "onetwo two");
  body_->wait_for_leave();
  EXPECT_EQ(client.get("/text").body, "text");
}

TEST_F(StreamBodyTest, APieceIsNotHeldBackForTheNextOne) {
  PlainClient client(port_);
  client.send(kRequest);
  client.receive_start();
  give("alpha");
  EXPECT_EQ(client.receive_line(), "5");
  EXPECT_EQ(client.receive_line(), "alpha");
  give("beta");
  EXPECT_EQ(client.receive_line(), "4");
  EXPECT_EQ(client.receive_line(), "beta");
}

TEST_F(StreamBodyTest, ACutBodyIsNotWhole) {
  PlainClient client(port_);
  client.send(kRequest);
  PlainResponse response = client.receive_start();
  give("part");
  finish(Piece::Kind::cut);
  client.receive_rest(response);
  EXPECT_FALSE(response.whole);
  EXPECT_EQ(response.body, "part");
  body_->wait_for_leave();
  EXPECT_EQ(counters().aborted_responses, 1u);
}

TEST_F(StreamBodyTest, HeadHasNoBodyAndDoesNotBeginOne) {
  PlainClient client(port_);
  const PlainResponse response = client.get("/stream", "", "HEAD");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(body_->takes, 0u);
  EXPECT_EQ(client.get("/text").body, "text");
}

TEST_F(StreamBodyTest, TowardsHttp10TheConnectionsEndEndsTheBody) {
  PlainClient client(port_);
  client.send("GET /stream HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
  PlainResponse response = client.receive_start();
  EXPECT_EQ(response.header("Transfer-Encoding"), "");
  EXPECT_EQ(response.header("Connection"), "close");
  give("plain");
  finish(Piece::Kind::end);
  client.receive_rest(response);
  EXPECT_EQ(response.body, "plain");
}

TEST_F(StreamBodyTest, AClientThatLeavesWhileNothingIsSentIsNoticed) {
  {
    PlainClient client(port_);
    client.send(kRequest);
    client.receive_start();
  }
  body_->wait_for_leave();
  EXPECT_EQ(counters().left_streams, 1u);
  EXPECT_EQ(counters().aborted_responses, 0u);
}

TEST_F(StreamBodyTest, APipelinedRequestWaitsWithoutHarm) {
  PlainClient client(port_);
  client.send(kRequest + "GET /text HTTP/1.1\r\nHost: a\r\n\r\n");
  PlainResponse response = client.receive_start();
  give("a");
  finish(Piece::Kind::end);
  client.receive_rest(response);
  EXPECT_EQ(response.body, "a");
  EXPECT_EQ(client.receive().body, "text");
}

TEST_F(StreamBodyTest, ASilentStreamHasNoDeadlineAndAStuckClientHas) {
  TearDown();
  ServerLimits limits;
  limits.connection.write_timeout = std::chrono::milliseconds(1);
  start(limits);
  PlainClient quiet(port_);
  quiet.send(kRequest);
  PlainResponse response = quiet.receive_start();
  // The sweep that cuts the stuck one has looked at the quiet one too, for it is as old.
  const auto stuck_body = std::make_shared<ScriptedBody>();
  stuck_body->endless = true;
  const auto quiet_body = body_;
  thread_.call([&] { body_ = stuck_body; });
  PlainClient stuck(port_);
  stuck.send(kRequest);
  stuck.receive_start();
  stuck_body->wait_for_leave();
  thread_.call([&] { body_ = quiet_body; });
  give("still here");
  finish(Piece::Kind::end);
  quiet.receive_rest(response);
  EXPECT_TRUE(response.whole);
  EXPECT_EQ(counters().timeouts, 1u);
}

TEST_F(StreamBodyTest, ASlowClientHoldsOnePieceOnly) {
  body_->endless = true;
  PlainClient client(port_);
  client.send(kRequest);
  client.receive_start();
  // The loop turns; once the socket's buffers are full nothing more is taken.
  std::size_t before = 0;
  std::size_t now = 1;
  while (now != before) {
    before = now;
    for (int i = 0; i < 100; ++i) thread_.call([&] { now = body_->takes; });
  }
  EXPECT_LT(now, 1000u);
  client.close();
  body_->wait_for_leave();
}

TEST_F(StreamBodyTest, DrainEndsStreamsAtOnce) {
  PlainClient client(port_);
  client.send(kRequest);
  PlainResponse response = client.receive_start();
  give("so far");
  std::mutex mutex;
  std::condition_variable changed;
  bool empty = false;
  thread_.call([&] {
    server_->drain([&] {
      const std::lock_guard lock(mutex);
      empty = true;
      changed.notify_all();
    });
  });
  client.receive_rest(response);
  EXPECT_FALSE(response.whole);
  EXPECT_EQ(response.body, "so far");
  std::unique_lock lock(mutex);
  EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return empty; }));
  EXPECT_EQ(counters().drained_streams, 1u);
  EXPECT_EQ(counters().aborted_responses, 0u);
}

}  // namespace
}  // namespace reelway::origin
