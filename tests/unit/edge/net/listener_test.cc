#include "edge/net/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "common/http/serialize.h"
#include "common/telemetry/log.h"
#include "tests/support/plain_client.h"

namespace reelway::edge {
namespace {

using testing::PlainClient;
using testing::PlainResponse;

// Answers with the request's target, at once; "/hold" is answered when release() is called.
// No two pages of it are alike.
std::string numbered(std::size_t bytes) {
  std::string text;
  for (std::size_t number = 0; text.size() < bytes; ++number) text += std::to_string(number) + ' ';
  text.resize(bytes);
  return text;
}

class EchoFactory final : public ExchangeFactory {
 public:
  class Echo final : public Exchange {
   public:
    Echo(EchoFactory& factory, ResponseStream& stream) : factory_(factory), stream_(stream) {}
    void begin() override {
      ++factory_.begun;
      if (stream_.request().target == "/hold") {
        factory_.held_.push_back(this);
      } else if (stream_.request().target == "/abort") {
        stream_.abort();
        EXPECT_EQ(stream_.request().target, "/abort");  // whoever aborts may still log the request
      } else {
        answer();
      }
    }
    void written() override { stream_.finish(keep_alive_); }
    void client_gone() override {
      ++factory_.gone;
      std::erase(factory_.held_, this);
    }
    void answer() {
      keep_alive_ = stream_.may_keep_alive();
      body_ = std::string(stream_.request().target);
      if (body_ == "/large" || body_ == "/lent") body_ = factory_.large;
      http::ResponseBuilder head(200);
      head.header("Content-Length", body_.size());
      ResponseStream::Piece piece{.head = head.finish(), .body = as_bytes(body_), .tail = {}, .owner = nullptr};
      piece.lent = stream_.request().target == "/lent";
      stream_.write(std::move(piece));
    }

   private:
    EchoFactory& factory_;
    ResponseStream& stream_;
    bool keep_alive_ = true;
    std::string body_;
  };

  std::unique_ptr<Exchange> make_exchange(ResponseStream& stream) override {
    return std::make_unique<Echo>(*this, stream);
  }
  void release() {
    for (Echo* echo : std::exchange(held_, {})) echo->answer();
  }

  std::string large;  // the body of "/large" and of "/lent", which is sent by reference
  std::atomic<int> begun = 0;
  std::atomic<int> gone = 0;

 private:
  std::vector<Echo*> held_;
};

class ListenerTest : public ::testing::Test {
 protected:
  void start(ListenerOptions options = {}) {
    const auto address = resolve("127.0.0.1", 0);
    listener_ = std::move(Listener::open(*ring_, clock_, *address, options, factory_)).value();
    listener_->start();
    port_ = listener_->port();
    thread_ = std::thread([this] { ring_->run(); });
  }
  void TearDown() override {
    if (!thread_.joinable()) return;
    ring_->post([this] {
      if (!listener_->draining()) listener_->drain([this] { ring_->stop(); });
      listener_->close_all();
    });
    thread_.join();
    ring_->abandon();
  }
  template <class Function>
  auto on_ring(Function function) {
    std::promise<decltype(function())> promise;
    ring_->post([&] { promise.set_value(function()); });
    return promise.get_future().get();
  }
  template <class Reader>
  void wait_for(Reader reader) {
    while (!on_ring(reader)) std::this_thread::yield();
  }

  // It has asked for a lent body that is larger than any socket holds, and takes nothing yet.
  std::unique_ptr<PlainClient> client_with_a_full_socket() {
    factory_.large = numbered(16'000'000);
    start();
    auto client = std::make_unique<PlainClient>(port_);
    client->send("GET /lent HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for([this] { return listener_->client_counters().sent_bytes > 0; });
    return client;
  }

  SystemClock clock_;
  std::unique_ptr<ring::Ring> ring_ = std::move(ring::Ring::create({.entries = 64, .receive_buffers = 16})).value();
  EchoFactory factory_;
  std::unique_ptr<Listener> listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST_F(ListenerTest, AnAddressInUseIsSaidSo) {
  start();
  const auto second = Listener::open(*ring_, clock_, *resolve("127.0.0.1", port_), {}, factory_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::port_in_use);
}

TEST_F(ListenerTest, ARequestInSingleBytesAndAConnectionUsedAgain) {
  start();
  PlainClient client(port_);
  for (const char c : std::string("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")) client.send({&c, 1});
  EXPECT_EQ(client.receive().body, "/slow");
  EXPECT_EQ(client.get("/again").body, "/again");
  EXPECT_EQ(on_ring([this] { return listener_->counters().accepted; }), 1u);
}

TEST_F(ListenerTest, ALentBodyIsSentByReference) {
  factory_.large = numbered(200'000);
  start();
  PlainClient client(port_);
  for (int times = 1; times <= 3; ++times) {
    EXPECT_TRUE(client.get("/lent").body == factory_.large);
    EXPECT_EQ(on_ring([this] { return listener_->client_counters().lent_bytes; }), times * factory_.large.size());
  }
  EXPECT_EQ(client.get("/again").body, "/again");
}

TEST_F(ListenerTest, WhatOfALentBodyASlowClientDoesNotTakeAtOnceFollowsByReference) {
  const auto slow = client_with_a_full_socket();
  EXPECT_LT(on_ring([this] { return listener_->client_counters().sent_bytes; }), factory_.large.size());
  EXPECT_TRUE(slow->receive().body == factory_.large);
  EXPECT_EQ(on_ring([this] { return listener_->client_counters().lent_bytes; }), factory_.large.size());
  EXPECT_EQ(slow->get("/again").body, "/again");
}

TEST_F(ListenerTest, AClientMayLeaveWhileTheRestOfALentBodyWaitsForIt) {
  client_with_a_full_socket().reset();
  wait_for([this] { return factory_.gone > 0; });
  EXPECT_EQ(PlainClient(port_).get("/again").body, "/again");
}

TEST_F(ListenerTest, ContentOfARequestIsReadAndDropped) {
  start();
  PlainClient client(port_);
  EXPECT_EQ(client.get("/a", "Content-Length: 5\r\n\r\nhello", "POST").body, "/a");
  client.send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
  EXPECT_EQ(client.receive().status, 413);
}

TEST_F(ListenerTest, PipelinedInputIsHeldAndBounded) {
  ListenerOptions options;
  options.client.pending_bytes_pause = 1024;
  options.client.pending_bytes_max = 1024 * 1024;
  start(options);
  PlainClient client(port_);
  client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  while (factory_.begun == 0) std::this_thread::yield();
  std::string more;
  for (int i = 0; i < 2000; ++i) more += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  std::thread sender([&] { client.send(more); });
  on_ring([this] { return factory_.release(), true; });
  EXPECT_EQ(client.receive().body, "/hold");
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(client.receive().body, "/" + std::to_string(i));
  sender.join();
}

TEST_F(ListenerTest, AHeadThatDoesNotEndIsClosed) {
  ListenerOptions options;
  options.client.header_timeout = std::chrono::milliseconds(50);
  start(options);
  PlainClient client(port_);
  client.send("GET / HTTP/1.1\r\n");
  EXPECT_TRUE(client.closed_by_peer());
  EXPECT_EQ(on_ring([this] { return listener_->client_counters().header_timeouts; }), 1u);
}

TEST_F(ListenerTest, AnIdleConnectionIsClosed) {
  ListenerOptions options;
  options.client.idle_timeout = std::chrono::milliseconds(50);
  start(options);
  PlainClient client(port_);
  EXPECT_EQ(client.get("/a").status, 200);
  EXPECT_TRUE(client.closed_by_peer());
}

TEST_F(ListenerTest, EachOfManyRestingConnectionsIsClosedInItsTime) {
  ListenerOptions options;
  options.client.idle_timeout = std::chrono::milliseconds(100);
  start(options);
  std::vector<std::unique_ptr<PlainClient>> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(std::make_unique<PlainClient>(port_));
  // Used again, so that the order in which they rest is not the one in which they came.
  for (int i = 19; i >= 0; i -= 2) EXPECT_EQ(clients[i]->get("/a").status, 200);
  for (auto& client : clients) EXPECT_TRUE(client->closed_by_peer());
  wait_for([this] { return listener_->connections() == 0; });
}

// More than one turn of the ring begins, to clients that take them, and to some that leave in between.
TEST_F(ListenerTest, LargeBodiesAreSentATurnAtATime) {
  factory_.large.assign(3 * LargeSends::kTurnBytesMax, 'x');
  start();
  const std::string request = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n";
  std::vector<std::unique_ptr<PlainClient>> clients;
  for (int i = 0; i < 12; ++i) clients.push_back(std::make_unique<PlainClient>(port_));
  for (auto& client : clients) client->send(request);
  PlainClient small(port_);
  EXPECT_EQ(small.get("/small").body, "/small");
  for (int i = 1; i < 12; i += 2) clients[static_cast<std::size_t>(i)].reset();
  for (int i = 0; i < 12; i += 2) EXPECT_EQ(clients[static_cast<std::size_t>(i)]->receive().body, factory_.large);
  clients.clear();
  wait_for([this] { return listener_->connections() == 1 && listener_->turns().taken() == 0; });
}

TEST_F(ListenerTest, AConnectionHasATurnOnlyWhileARequestIsUnderWay) {
  start();
  PlainClient first(port_);
  PlainClient second(port_);
  EXPECT_EQ(first.get("/a").body, "/a");
  EXPECT_EQ(second.get("/b").body, "/b");
  wait_for([this] { return listener_->turns().taken() == 0; });
  EXPECT_EQ(on_ring([this] { return listener_->turns().kept(); }), 1u);
  first.send("GET /c HTTP/1.1\r\n");
  wait_for([this] { return listener_->turns().taken() == 1; });
  EXPECT_EQ(second.get("/d").body, "/d");
  first.send("Host: x\r\n\r\n");
  EXPECT_EQ(first.receive().body, "/c");
  wait_for([this] { return listener_->turns().taken() == 0; });
}

TEST_F(ListenerTest, TurnsBeyondThoseKeptAreFreed) {
  start();
  constexpr int kMany = ClientTurns::kKeptMax + 50;
  std::vector<std::unique_ptr<PlainClient>> clients;
  for (int i = 0; i < kMany; ++i) {
    clients.push_back(std::make_unique<PlainClient>(port_));
    clients.back()->send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  while (factory_.begun < kMany) std::this_thread::yield();
  on_ring([this] { return factory_.release(), true; });
  for (auto& client : clients) EXPECT_EQ(client->receive().body, "/hold");
  wait_for([this] { return listener_->turns().taken() == 0; });
  EXPECT_EQ(on_ring([this] { return listener_->turns().kept(); }), ClientTurns::kKeptMax);
  EXPECT_EQ(clients.front()->get("/again").body, "/again");
}

TEST_F(ListenerTest, AnAbortedAnswerResetsItsConnectionOnly) {
  start();
  PlainClient other(port_);
  PlainClient client(port_);
  client.send("GET /abort HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.closed_by_peer());
  EXPECT_EQ(other.get("/a").body, "/a");
  wait_for([this] { return listener_->connections() == 1 && listener_->turns().taken() == 0; });
}

TEST_F(ListenerTest, AClientThatResetsIsForgotten) {
  start();
  {
    PlainClient client(port_);
    client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    while (factory_.begun == 0) std::this_thread::yield();
    client.reset_on_close();
  }
  wait_for([this] { return factory_.gone == 1 && listener_->connections() == 0; });
}

TEST_F(ListenerTest, WithoutDescriptorsAcceptingRestsAndResumes) {
  // While there are descriptors: the log is started, as by a program, and the ring is asked once, because UBSan needs
  // a descriptor to look at a type that it meets for the first time.
  telemetry::start_log("test", telemetry::LogLevel::error);
  start();
  EXPECT_TRUE(on_ring([this] { return listener_->counters().accept_pauses == 0; }));
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  std::vector<UniqueFd> fillers;
  for (int fd = 0; (fd = ::dup(client.get())) >= 0;) fillers.emplace_back(fd);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  wait_for([this] { return listener_->counters().accept_pauses > 0; });
  fillers.clear();
  const std::string request = "GET /a HTTP/1.0\r\n\r\n";
  ASSERT_EQ(::send(client.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  char byte = 0;
  EXPECT_EQ(::read(client.get(), &byte, 1), 1);
  EXPECT_EQ(on_ring([this] { return listener_->counters().accepted; }), 1u);
}

}  // namespace
}  // namespace reelway::edge
