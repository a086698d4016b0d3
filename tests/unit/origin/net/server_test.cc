#include "origin/net/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "tests/support/loop_thread.h"
#include "tests/support/raw_http_client.h"

namespace reelway::origin {
namespace {

using reelway::testing::LoopThread;
using reelway::testing::RawHttpClient;

Response text_response(std::string text) {
  Response response;
  response.text = std::make_shared<const std::string>(std::move(text));
  return response;
}

// Answers by the path: what a handler can do to its connection, one path each.
class TestHandler final : public RequestHandler {
 public:
  struct Log {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::string> lines;
    std::function<void()> release;  // resumes the body of /slow

    void add(const std::string& line) {
      const std::lock_guard lock(mutex);
      lines.push_back(line);
      changed.notify_all();
    }
    void wait_for(const std::string& line) {
      std::unique_lock lock(mutex);
      const auto seen = [&] { return std::find(lines.begin(), lines.end(), line) != lines.end(); };
      EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), seen)) << line;
    }
  };

  TestHandler(EventLoop& loop, Responder& responder, Log& log) : loop_(loop), responder_(responder), log_(log) {}

  void begin(const http::RequestHead& head) override {
    path_ = head.path();
    if (path_ == "/now") responder_.respond(text_response("at once"));
    if (path_ == "/early") {
      Error error;
      error.code = ErrorCode::upload_too_large;
      responder_.respond(error_reply(error));
    }
    if (path_ == "/later") {
      const auto self = shared_from_this();
      ASSERT_TRUE(loop_.run_on_worker([] {}, [this, self] { responder_.respond(text_response("later")); }));
    }
    if (path_ == "/big") responder_.limit_body(1000);
    if (path_ == "/never") log_.add("begun");
  }
  void body(ByteView part) override {
    body_.append(as_text(part));
    if (path_ != "/slow" || paused_) return;
    paused_ = true;
    responder_.pause_body();
    const std::lock_guard lock(log_.mutex);
    log_.release = [this, self = shared_from_this()] { responder_.resume_body(); };
  }
  void body_end() override {
    if (path_ == "/echo" || path_ == "/slow" || path_ == "/big") responder_.respond(text_response(body_));
    if (path_ == "/slow") log_.add("slow body ended");
  }
  void body_cut(const Error& error) override { responder_.respond(error_reply(error)); }
  void abandoned() override { log_.add("abandoned " + path_); }

 private:
  EventLoop& loop_;
  Responder& responder_;
  Log& log_;
  std::string path_;
  std::string body_;
  bool paused_ = false;
};

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override { start({}); }
  void TearDown() override {
    thread_.call([this] { server_.reset(); });
  }

  void start(ServerLimits limits) {
    limits.connection.message.body_bytes_max = 1 << 20;
    thread_.call([&] {
      server_ = std::make_unique<HttpServer>(thread_.loop(), clock_, limits, [this](Responder& responder) {
        return std::make_shared<TestHandler>(thread_.loop(), responder, log_);
      });
      ASSERT_TRUE(server_->listen("127.0.0.1", 0).ok());
      address_ = server_->address();
    });
  }
  template <class T>
  T on_loop(const std::function<T()>& read) {
    T value{};
    thread_.call([&] { value = read(); });
    return value;
  }

  SystemClock clock_;
  TestHandler::Log log_;
  LoopThread thread_;
  std::unique_ptr<HttpServer> server_;
  std::string address_;
};

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  RawHttpClient client(address_);
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.ask("GET /now HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "at once");
    EXPECT_EQ(answer.header("content-length"), "7");
    EXPECT_NE(answer.header("date"), "");
    EXPECT_EQ(answer.header("connection"), "");
  }
}

TEST_F(ServerTest, HeadHasTheLengthAndNoBody) {
  RawHttpClient client(address_);
  const auto answer = client.ask("HEAD /now HTTP/1.1\r\nHost: a\r\n\r\n", true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-length"), "7");
  EXPECT_EQ(client.ask("GET /now HTTP/1.1\r\nHost: a\r\n\r\n").body, "at once");
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  RawHttpClient client(address_);
  client.send(
      "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /now HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
      "GET /later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.read().body, "later");
  EXPECT_EQ(client.read().body, "at once");
  EXPECT_EQ(client.read().body, "abc");
  const auto last = client.read();
  EXPECT_EQ(last.body, "later");
  EXPECT_EQ(last.header("connection"), "close");
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(ServerTest, AHeadMayComeByteByByte) {
  RawHttpClient client(address_);
  for (const char c : std::string("GET /now HTTP/1.1\r\nHost: a\r\n\r\n")) client.send(std::string_view(&c, 1));
  EXPECT_EQ(client.read().body, "at once");
}

TEST_F(ServerTest, ChunkedBodiesArrive) {
  RawHttpClient client(address_);
  const auto answer = client.ask(
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
  EXPECT_EQ(answer.body, "abcdefg");
}

TEST_F(ServerTest, ContinueIsSentOnlyWhenTheBodyIsWanted) {
  RawHttpClient client(address_);
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read().status, 100);
  EXPECT_EQ(client.ask("hi").body, "hi");
  client.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read().status, 413);
}

TEST_F(ServerTest, AnEarlyAnswerReachesAClientThatIsStillSending) {
  RawHttpClient client(address_);
  client.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  client.send(std::string(400'000, 'x'));
  const auto answer = client.read();
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.header("reelway-error"), "upload_too_large");
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(ServerTest, ABodyOverTheLimitIsRefused) {
  RawHttpClient big(address_);
  EXPECT_EQ(big.ask("POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n").status, 413);
  RawHttpClient fits(address_);
  EXPECT_EQ(fits.ask("POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x')).status,
            200);
  // The limit of a request does not stay for the next one.
  EXPECT_EQ(
      fits.ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'x')).body.size(),
      2000u);
}

TEST_F(ServerTest, MalformedRequestsAreRefusedAndTheConnectionEnds) {
  for (const char* text : {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "\x16\x03\x01\x02 x\r\n\r\n",
                           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    RawHttpClient client(address_);
    const auto answer = client.ask(text);
    EXPECT_EQ(answer.status, 400) << text;
    EXPECT_EQ(answer.header("reelway-error"), "http_malformed");
    client.end_sending();
    EXPECT_TRUE(client.closed_by_server());
  }
  RawHttpClient client(address_);
  EXPECT_EQ(client.ask("GET /" + std::string(50'000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n").status, 431);
  EXPECT_EQ(on_loop<std::uint64_t>([&] { return server_->counters().connections.malformed; }), 4u);
}

TEST_F(ServerTest, APausedBodyIsNotReadUntilItIsResumed) {
  RawHttpClient client(address_);
  // More than the kernel's buffers and ours together hold, so that it cannot arrive while paused.
  const std::string body(1 << 20, 'b');
  std::thread sender([&] {
    client.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    client.send(body);
  });
  std::function<void()> release;
  while (!release) {
    thread_.call([&] {
      const std::lock_guard lock(log_.mutex);
      release = std::exchange(log_.release, nullptr);
    });
  }
  EXPECT_LT(on_loop<std::uint64_t>([&] { return server_->counters().connections.received_bytes; }), body.size());
  thread_.call(release);
  release = nullptr;
  log_.wait_for("slow body ended");
  sender.join();
  EXPECT_EQ(client.read().body.size(), body.size());
}

TEST_F(ServerTest, ABodyThatEndsEarlyIsToldAndMayStillBeAnswered) {
  RawHttpClient client(address_);
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nonly this");
  client.end_sending();
  const auto answer = client.read();
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.header("reelway-error"), "upload_incomplete");
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(ServerTest, ConnectionsOverTheLimitAreRefusedWithAnAnswer) {
  TearDown();
  ServerLimits limits;
  limits.connections_max = 1;
  start(limits);
  RawHttpClient first(address_);
  EXPECT_EQ(first.ask("GET /now HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  RawHttpClient second(address_);
  const auto answer = second.read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("reelway-error"), "overloaded");
  EXPECT_EQ(first.ask("GET /now HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
}

TEST_F(ServerTest, ASlowHeadAndASilentClientAreCutOff) {
  TearDown();
  ServerLimits limits;
  limits.connection.head_timeout = std::chrono::milliseconds(1);
  limits.connection.idle_timeout = std::chrono::milliseconds(1);
  start(limits);
  RawHttpClient slow(address_);
  slow.send("GET /now HT");
  EXPECT_TRUE(slow.closed_by_server());
  RawHttpClient idle(address_);
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_EQ(on_loop<std::uint64_t>([&] { return server_->counters().connections.timeouts; }), 2u);
}

TEST_F(ServerTest, DrainLetsTheRunningAnswerEnd) {
  RawHttpClient idle(address_);
  EXPECT_EQ(idle.ask("GET /now HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  RawHttpClient busy(address_);
  busy.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(busy.read().status, 100);
  std::promise<void> drained;
  thread_.call([&] { server_->drain([&] { drained.set_value(); }); });
  EXPECT_TRUE(idle.closed_by_server());
  const auto answer = busy.ask("last");
  EXPECT_EQ(answer.body, "last");
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(busy.closed_by_server());
  drained.get_future().wait();
}

TEST_F(ServerTest, ClosingTellsTheHandler) {
  RawHttpClient client(address_);
  client.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
  log_.wait_for("begun");
  thread_.call([&] { server_->close_all(); });
  log_.wait_for("abandoned /never");
  EXPECT_TRUE(client.closed_by_server());
}

TEST(Listener, SaysWhichAddressIsInUse) {
  EventLoop loop;
  const auto first = Listener::open(loop, "127.0.0.1", 0, [](UniqueFd) {});
  ASSERT_TRUE(first.ok());
  const std::string address = first.value()->address();
  const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  const auto second = Listener::open(loop, "127.0.0.1", port, [](UniqueFd) {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::port_in_use);
  EXPECT_NE(second.error().detail.find(address), std::string::npos);
}

TEST(Listener, SaysWhichHostIsNotOurs) {
  EventLoop loop;
  const auto listener = Listener::open(loop, "no such host", 0, [](UniqueFd) {});
  ASSERT_FALSE(listener.ok());
  EXPECT_EQ(listener.error().code, ErrorCode::config_value_invalid);
}

}  // namespace
}  // namespace reelway::origin
