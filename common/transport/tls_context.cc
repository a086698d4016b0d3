#include "common/transport/tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <utility>

#include "common/base/check.h"

namespace reelway::transport {
namespace {

Error unusable(const std::string& ca_file, std::string_view why) {
  return {ErrorCode::config_value_invalid, Side::self, false, ca_file + ": " + std::string(why)};
}

std::string last_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "no certificate can be read" : reason;
}

bool is_ip_address(const std::string& host) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::create(const std::string& ca_file) {
  ERR_clear_error();
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  CHECK(context != nullptr);
  std::unique_ptr<TlsContext> made(new TlsContext(context));
  CHECK(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  // Sessions come through the callback, also the tickets of TLS 1.3 that follow the handshake.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* session) {
    static_cast<TlsPeer*>(SSL_get_app_data(ssl))->remember(session);
    return 1;
  });
  const bool loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                      : SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1;
  if (!loaded) return unusable(ca_file.empty() ? "the system's certificates" : ca_file, last_reason());
  return made;
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

TlsPeer::TlsPeer(const TlsContext& context, std::string host)
    : context_(context), host_(std::move(host)), is_address_(is_ip_address(host_)) {}

TlsPeer::~TlsPeer() {
  SSL_SESSION_free(session_);
}

ssl_st* TlsPeer::make() {
  SSL* ssl = SSL_new(context_.context_);
  CHECK(ssl != nullptr);
  SSL_set_app_data(ssl, this);
  SSL_set_connect_state(ssl);
  if (is_address_) {
    CHECK(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host_.c_str()) == 1);
  } else {
    // RFC 6125 section 6.4.3: "*" stands for a whole label, as certificates for public names have it.
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    CHECK(SSL_set1_host(ssl, host_.c_str()) == 1);
    CHECK(SSL_set_tlsext_host_name(ssl, host_.c_str()) == 1);
  }
  if (session_ != nullptr && SSL_SESSION_is_resumable(session_) == 1) SSL_set_session(ssl, session_);
  return ssl;
}

void TlsPeer::remember(ssl_session_st* session) {
  SSL_SESSION_free(std::exchange(session_, session));
}

}  // namespace reelway::transport
