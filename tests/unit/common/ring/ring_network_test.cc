#include <gmock/gmock.h>

#include <cerrno>
#include <map>
#include <string>
#include <vector>

#include "tests/unit/common/ring/ring_fixture.h"

namespace reelway::ring {
namespace {

// Echoes what each connection sends until it ends; one multishot accept, one multishot receive per connection.
class EchoServer {
 public:
  EchoServer(Ring& ring, int listen_fd) : ring_(ring) { ring_.accept_multishot(accept_, listen_fd); }

  std::size_t accepted() const { return accepted_; }
  std::size_t open() const { return connections_.size(); }
  void close_listener() { ring_.cancel(accept_); }

 private:
  struct Connection {
    Connection(EchoServer& the_server, int the_fd) : server(the_server), fd(the_fd) { arm(); }
    void arm() { server.ring_.receive_multishot(receive_, fd); }
    void on_received(std::int32_t result, std::uint32_t flags) {
      if (result == -ENOBUFS) return arm();
      const ReceivedBytes lease = server.ring_.received(result, flags);
      pending += as_text(lease.view());
      ended = ended || result <= 0;
      proceed();
    }
    void on_sent(std::int32_t result, std::uint32_t) {
      ASSERT_EQ(static_cast<std::size_t>(result), sending.size());
      sending.clear();
      proceed();
    }
    void proceed() {
      if (send_.in_flight()) return;
      if (!pending.empty()) {
        sending.swap(pending);
        server.ring_.send(send_, fd, as_bytes(sending), MSG_WAITALL);
      } else if (ended && !receive_.in_flight()) {
        server.ring_.close(fd);
        server.connections_.erase(fd);
      }
    }

    EchoServer& server;
    int fd;
    std::string pending;
    std::string sending;
    bool ended = false;
    Bound<Connection, &Connection::on_received> receive_{*this};
    Bound<Connection, &Connection::on_sent> send_{*this};
  };

  void on_accepted(std::int32_t result, std::uint32_t flags) {
    if (result == -ECANCELED) return;
    ASSERT_GE(result, 0);
    EXPECT_TRUE(Ring::more_follow(flags));
    ++accepted_;
    connections_.emplace(result, std::make_unique<Connection>(*this, result));
  }

  Ring& ring_;
  std::size_t accepted_ = 0;
  std::map<int, std::unique_ptr<Connection>> connections_;
  Bound<EchoServer, &EchoServer::on_accepted> accept_{*this};
};

// Connects, sends a message, reads it back in full, closes, tells.
class EchoClient {
 public:
  EchoClient(Ring& ring, const Listener& listener, std::string message, std::function<void()> done)
      : ring_(ring), message_(std::move(message)), answer_(message_.size(), '\0'), done_(std::move(done)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ring_.connect(step_, fd_, listener.generic(), sizeof listener.address);
  }
  bool right() const { return answer_ == message_; }

 private:
  void on_step(std::int32_t result, std::uint32_t) {
    ASSERT_GE(result, 0) << strerror(-result);
    switch (steps_++) {
      case 0: return ring_.send(step_, fd_, as_bytes(message_), MSG_WAITALL);
      case 1:
        return ring_.receive(step_, fd_, {reinterpret_cast<std::uint8_t*>(answer_.data()), answer_.size()},
                             MSG_WAITALL);
      default: ring_.close(fd_); done_();
    }
  }

  Ring& ring_;
  std::string message_;
  std::string answer_;
  std::function<void()> done_;
  int fd_ = -1;
  int steps_ = 0;
  Bound<EchoClient, &EchoClient::on_step> step_{*this};
};

void echo_with(const RingOptions& options, std::size_t clients, std::size_t message_bytes) {
  Listener listener;
  const auto ring = make_ring(options);
  EchoServer server(*ring, listener.fd.get());
  std::vector<std::unique_ptr<EchoClient>> all;
  std::size_t finished = 0;
  for (std::size_t i = 0; i < clients; ++i) {
    std::string message(message_bytes, static_cast<char>('a' + i % 26));
    message.replace(0, std::to_string(i).size(), std::to_string(i));
    all.push_back(std::make_unique<EchoClient>(*ring, listener, message, [&] {
      if (++finished == clients) server.close_listener();
    }));
  }
  std::function<void()> watch = [&] {
    if (finished == clients && server.open() == 0) return ring->stop();
    ring->post(watch);
  };
  ring->post(watch);
  ring->run();
  EXPECT_EQ(server.accepted(), clients);
  for (const auto& client : all) EXPECT_TRUE(client->right());
}

TEST(RingNetwork, EchoesForManyConnections) {
  echo_with({.entries = 256, .receive_buffers = 256}, 500, 100);
}

TEST(RingNetwork, EchoesLongMessages) {
  echo_with({.entries = 64, .receive_buffers = 16}, 8, 1 << 20);
}

TEST(RingNetwork, EchoesWithFewerBuffersThanConnections) {
  echo_with({.entries = 64, .receive_buffers = 2, .receive_buffer_bytes = 512}, 64, 8000);
}

TEST(RingNetwork, AReceiveWithoutABufferIsCountedAndWaitsForOne) {
  const auto ring = make_ring({.entries = 16, .receive_buffers = 2, .receive_buffer_bytes = 4});
  SocketPair pair;
  std::vector<ReceivedBytes> leases;
  std::string got;
  TestOperation receive;
  receive.on_completed([&](std::int32_t result, std::uint32_t flags) {
    if (result == -ENOBUFS) {
      EXPECT_FALSE(Ring::more_follow(flags));
      ring->receive_multishot(receive, pair.ours.get());  // held until a lease returns
      EXPECT_TRUE(receive.in_flight());
      ring->post([&] { ring->stop(); });
      return;
    }
    leases.push_back(ring->received(result, flags));
    got += as_text(leases.back().view());
    if (got.size() == 12) ring->stop();
  });
  ring->receive_multishot(receive, pair.ours.get());
  ASSERT_EQ(::send(pair.theirs.get(), "abcdefghijkl", 12, 0), 12);
  ring->run();
  EXPECT_EQ(got, "abcdefgh");
  EXPECT_EQ(ring->receive_stalls(), 1u);
  EXPECT_EQ(as_text(leases[0].view()), "abcd");  // still ours while all are leased
  leases.clear();
  ring->run();
  EXPECT_EQ(got, "abcdefghijkl");
  leases.clear();
  ring->cancel(receive);
  receive.on_completed([&](std::int32_t result, std::uint32_t) {
    EXPECT_EQ(result, -ECANCELED);
    ring->stop();
  });
  ring->run();
}

TEST(RingNetwork, AHeldReceiveCanBeCancelled) {
  const auto ring = make_ring({.entries = 16, .receive_buffers = 1, .receive_buffer_bytes = 4});
  SocketPair pair;
  ReceivedBytes lease;
  std::int32_t last = 0;
  TestOperation receive;
  receive.on_completed([&](std::int32_t result, std::uint32_t flags) {
    last = result;
    if (result == -ENOBUFS) {
      ring->receive_multishot(receive, pair.ours.get());
      ring->cancel(receive);
      EXPECT_TRUE(receive.in_flight());  // it completes in a later step, as all do
      return;
    }
    if (result < 0) return ring->stop();
    lease = ring->received(result, flags);
  });
  ring->receive_multishot(receive, pair.ours.get());
  ASSERT_EQ(::send(pair.theirs.get(), "abcdefgh", 8, 0), 8);
  ring->run();
  EXPECT_EQ(last, -ECANCELED);
  EXPECT_FALSE(receive.in_flight());
}

TEST(RingNetwork, ABufferThatNobodyTakesGoesBack) {
  const auto ring = make_ring({.entries = 16, .receive_buffers = 1, .receive_buffer_bytes = 1});
  SocketPair pair;
  int pieces = 0;
  TestOperation receive;
  receive.on_completed([&](std::int32_t result, std::uint32_t flags) {
    if (result == 1) ++pieces;
    if (result == 0) return ring->stop();
    if (!Ring::more_follow(flags)) ring->receive_multishot(receive, pair.ours.get());
  });
  ring->receive_multishot(receive, pair.ours.get());
  ASSERT_EQ(::send(pair.theirs.get(), "abcdefgh", 8, 0), 8);
  pair.theirs.reset();
  ring->run();
  EXPECT_EQ(pieces, 8);
}

TEST(RingNetwork, AMovedLeaseIsGivenBackOnce) {
  const auto ring = make_ring({.entries = 16, .receive_buffers = 2, .receive_buffer_bytes = 1});
  SocketPair pair;
  ReceivedBytes kept;
  int pieces = 0;
  TestOperation receive;
  receive.on_completed([&](std::int32_t result, std::uint32_t flags) {
    if (result > 0) {
      ++pieces;
      ReceivedBytes lease = ring->received(result, flags);
      kept = std::move(lease);
      EXPECT_TRUE(lease.view().empty());
      EXPECT_EQ(kept.view().size(), 1u);
    }
    if (result == 0) return ring->stop();
    if (!Ring::more_follow(flags)) ring->receive_multishot(receive, pair.ours.get());
  });
  ring->receive_multishot(receive, pair.ours.get());
  ASSERT_EQ(::send(pair.theirs.get(), "abcdefgh", 8, 0), 8);
  pair.theirs.reset();
  ring->run();
  EXPECT_EQ(pieces, 8);
}

TEST(RingNetwork, ConnectToAClosedPortIsRefused) {
  const auto ring = make_ring();
  auto listener = std::make_unique<Listener>();
  const sockaddr_in address = listener->address;
  listener.reset();
  UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  std::int32_t outcome = 0;
  TestOperation connect([&](std::int32_t result, std::uint32_t) {
    outcome = result;
    ring->stop();
  });
  ring->connect(connect, client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ring->run();
  EXPECT_EQ(outcome, -ECONNREFUSED);
}

TEST(RingNetwork, SendMessageGathersAndShutdownEndsTheStream) {
  const auto ring = make_ring();
  SocketPair pair;
  char head[] = "head ";
  char body[] = "body";
  iovec parts[] = {{head, 5}, {body, 4}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  TestOperation shut([&](std::int32_t result, std::uint32_t) {
    EXPECT_EQ(result, 0);
    ring->stop();
  });
  TestOperation send([&](std::int32_t result, std::uint32_t) {
    EXPECT_EQ(result, 9);
    ring->shutdown(shut, pair.ours.get(), SHUT_WR);
  });
  ring->send_message(send, pair.ours.get(), &message);
  ring->run();
  char got[16];
  EXPECT_EQ(::recv(pair.theirs.get(), got, sizeof got, MSG_WAITALL), 9);
  EXPECT_EQ(std::string(got, 9), "head body");
}

TEST(RingNetwork, SendToAClosedPeerIsAnErrorAndNoSignal) {
  const auto ring = make_ring();
  SocketPair pair;
  pair.theirs.reset();
  TestOperation send([&](std::int32_t result, std::uint32_t) {
    EXPECT_EQ(result, -EPIPE);
    ring->stop();
  });
  ring->send(send, pair.ours.get(), as_bytes("x"));
  ring->run();
}

TEST(RingNetwork, MsgTruncDiscardsInTheKernel) {
  const auto ring = make_ring();
  Listener listener;
  UniqueFd client = listener.connect_blocking();
  UniqueFd server(::accept(listener.fd.get(), nullptr, nullptr));
  std::vector<std::uint8_t> untouched(1000, 7);
  TestOperation receive([&](std::int32_t result, std::uint32_t) {
    EXPECT_EQ(result, 1000);
    ring->stop();
  });
  ASSERT_EQ(::send(server.get(), std::string(1000, 'x').data(), 1000, 0), 1000);
  ring->receive(receive, client.get(), untouched, MSG_TRUNC | MSG_WAITALL);
  ring->run();
  EXPECT_THAT(untouched, testing::Each(7));
}

}  // namespace
}  // namespace reelway::ring
