#include <gtest/gtest.h>

#include "common/transport/tls_context.h"
#include "edge/net/upstream_pool.h"
#include "tests/support/fake_origin.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tls_origin.h"
#include "tests/unit/edge/net/upstream_call_under_test.h"

// Calls over TLS, against OpenSSL's own server side.

namespace reelway::edge {
namespace {

using testing::Identity;
using testing::Latch;
using testing::make_identity;
using testing::RawConnection;
using testing::RawOrigin;
using testing::TlsServer;

std::string answer(std::string_view body, std::string_view fields = {}) {
  return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

class TlsUpstreamTest : public ::testing::Test {
 protected:
  using SessionScript = std::function<void(int number, TlsServer::Session& session)>;

  TlsUpstreamTest() {
    write_certificate(authority_, folder_.at("ca.pem"));
    context_ = std::move(transport::TlsContext::create(folder_.at("ca.pem"))).value();
  }

  // A server with this identity that runs the script on each connection whose handshake succeeded.
  void listen(Identity identity, SessionScript script, int version_max = TLS1_3_VERSION) {
    close();
    origin_.reset();
    identity_ = std::move(identity);
    server_ = std::make_unique<TlsServer>(identity_, version_max);
    origin_ = std::make_unique<RawOrigin>([this, script = std::move(script)](int number, RawConnection& connection) {
      TlsServer::Session session(*server_, connection);
      if (session.accepted()) script(number, session);
    });
    connect_to("origin.test");
  }
  void listen(SessionScript script) { listen(make_identity({}, &authority_), std::move(script)); }
  void connect_to(const std::string& host) {
    close();
    peer_ = std::make_unique<transport::TlsPeer>(*context_, host);
    UpstreamOptions options;
    options.address = *resolve("127.0.0.1", origin_->port());
    options.name = host;
    options.tls = peer_.get();
    options.timeouts = timeouts_;
    pool_ = std::make_unique<UpstreamPool>(*ring_, clock_, options);
  }
  void close() {
    if (pool_ == nullptr) return;
    pool_->close([this] { ring_->stop(); });
    ring_->run();
    pool_.reset();
  }
  // Before what a server's script has written is looked at: its thread has ended then.
  void end_server() {
    close();
    origin_.reset();
  }
  void TearDown() override {
    close();
    ring_->abandon();
  }
  void run(CallUnderTest& call) {
    call.told = [this] { ring_->stop(); };
    pool_->begin(call);
    ring_->run();
    call.told = nullptr;
  }
  std::string error_of(const std::string& host) {
    connect_to(host);
    CallUnderTest call("/a");
    run(call);
    return call.error ? std::string(error_info(call.code()).name) : "none";
  }

  reelway::origin::TemporaryFolder folder_;
  Identity authority_ = make_identity({.names = ""});
  UpstreamTimeouts timeouts_;
  Identity identity_;
  std::unique_ptr<TlsServer> server_;
  std::unique_ptr<RawOrigin> origin_;
  SystemClock clock_;
  std::unique_ptr<ring::Ring> ring_ = std::move(ring::Ring::create({.entries = 64, .receive_buffers = 8})).value();
  std::unique_ptr<transport::TlsContext> context_;
  std::unique_ptr<transport::TlsPeer> peer_;
  std::unique_ptr<UpstreamPool> pool_;
};

TEST_F(TlsUpstreamTest, LongBodiesOverAKeptConnection) {
  std::string body(3'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 + i / 1000);
  std::string server_name;
  listen([&](int, TlsServer::Session& session) {
    server_name = session.server_name();
    for (int i = 0; !session.read_head().empty(); ++i) {
      if (i == 1) session.change_keys();
      session.send(answer(body));
    }
  });
  for (int i = 0; i < 3; ++i) {
    CallUnderTest call("/a");
    run(call);
    EXPECT_FALSE(call.error) << call.error->detail;
    EXPECT_TRUE(call.body == body);
  }
  EXPECT_EQ(pool_->counters().connects, 1u);
  EXPECT_EQ(peer_->counters().handshakes, 1u);
  end_server();
  EXPECT_EQ(server_name, "origin.test");
}

TEST_F(TlsUpstreamTest, LongRequestsAreSentWhole) {
  std::size_t received = 0;
  listen([&](int, TlsServer::Session& session) {
    received = session.read_head().size();
    session.send(answer("ok"));
    session.read_head();
  });
  CallUnderTest call("/a");
  call.text = "GET /a HTTP/1.1\r\nHost: x\r\nA: " + std::string(200'000, 'x') + "\r\n\r\n";
  run(call);
  EXPECT_EQ(call.body, "ok");
  end_server();
  EXPECT_EQ(received, call.text.size());
}

TEST_F(TlsUpstreamTest, TheNextConnectionResumesTheSession) {
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    listen(
        make_identity({}, &authority_),
        [](int, TlsServer::Session& session) {
          session.read_head();
          session.send(answer("ok", "Connection: close\r\n"));
          session.say_goodbye();
        },
        version);
    for (int i = 0; i < 3; ++i) {
      CallUnderTest call("/a");
      run(call);
      EXPECT_EQ(call.body, "ok");
    }
    EXPECT_EQ(peer_->counters().handshakes, 3u);
    EXPECT_EQ(peer_->counters().resumed, 2u);
  }
}

TEST_F(TlsUpstreamTest, TheCertificateMustBearTheNameAndStandUpToTheAuthority) {
  const auto serve = [](int, TlsServer::Session& session) {
    session.read_head();
    session.send(answer("ok"));
    session.read_head();
  };
  listen(make_identity({.names = "DNS:origin.test,IP:127.0.0.1"}, &authority_), serve);
  EXPECT_EQ(error_of("origin.test"), "none");
  EXPECT_EQ(error_of("127.0.0.1"), "none");
  EXPECT_EQ(error_of("other.test"), "upstream_untrusted");
  EXPECT_EQ(error_of("127.0.0.2"), "upstream_untrusted");
  listen(make_identity({.names = "DNS:*.origin.test"}, &authority_), serve);
  EXPECT_EQ(error_of("a.origin.test"), "none");
  EXPECT_EQ(error_of("b.a.origin.test"), "upstream_untrusted");
  EXPECT_EQ(error_of("origin.test"), "upstream_untrusted");
  listen(make_identity({.names = "DNS:origin.test", .valid_until_s = -10}, &authority_), serve);
  EXPECT_EQ(error_of("origin.test"), "upstream_untrusted");
  listen(make_identity({.names = "DNS:origin.test", .valid_from_s = 1000}, &authority_), serve);
  EXPECT_EQ(error_of("origin.test"), "upstream_untrusted");
  listen(make_identity({}), serve);  // signed by itself
  EXPECT_EQ(error_of("origin.test"), "upstream_untrusted");
  const Identity other = make_identity({.names = ""});
  listen(make_identity({}, &other), serve);
  EXPECT_EQ(error_of("origin.test"), "upstream_untrusted");
}

TEST_F(TlsUpstreamTest, OldVersionsAreRefused) {
  listen(
      make_identity({}, &authority_), [](int, TlsServer::Session&) {}, TLS1_1_VERSION);
  EXPECT_EQ(error_of("origin.test"), "upstream_unreachable");
  EXPECT_EQ(peer_->counters().failed, 1u);
}

TEST_F(TlsUpstreamTest, ACloseWithoutGoodbyeIsNoEndOfABody) {
  listen([](int number, TlsServer::Session& session) {
    session.read_head();
    session.send("HTTP/1.1 200 OK\r\n\r\nabc");
    if (number == 1) session.say_goodbye();
  });
  CallUnderTest whole("/a");
  run(whole);
  EXPECT_EQ(whole.body, "abc");
  EXPECT_FALSE(whole.error);
  CallUnderTest cut("/a");
  run(cut);
  EXPECT_EQ(cut.code(), ErrorCode::upstream_truncated);
}

TEST_F(TlsUpstreamTest, BytesBehindAnAnswerAreMetBeforeItCounts) {
  listen([](int, TlsServer::Session& session) {
    session.read_head();
    session.send(answer(std::string(3000, 'a')) + answer("evil"));
    session.read_head();
  });
  CallUnderTest call("/a");
  run(call);
  EXPECT_EQ(call.code(), ErrorCode::upstream_failed);
}

TEST_F(TlsUpstreamTest, GarbageSilenceAndAPlainServerEndTheHandshake) {
  timeouts_.connect = std::chrono::milliseconds(100);
  const auto listen_plain = [this](RawOrigin::ConnectionScript script) {
    close();
    origin_ = std::make_unique<RawOrigin>(std::move(script));
  };
  listen_plain([](int, RawConnection& connection) {
    connection.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    connection.wait_for_close();
  });
  EXPECT_EQ(error_of("origin.test"), "upstream_unreachable");
  listen_plain([](int, RawConnection& connection) { connection.wait_for_close(); });
  EXPECT_EQ(error_of("origin.test"), "upstream_unreachable");
  listen_plain([](int, RawConnection&) {});
  EXPECT_EQ(error_of("origin.test"), "upstream_unreachable");
}

TEST_F(TlsUpstreamTest, AnUnusableAuthorityFileIsAnErrorOfTheConfiguration) {
  const auto none = transport::TlsContext::create(folder_.at("missing.pem"));
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::config_value_invalid);
}

}  // namespace
}  // namespace reelway::edge
