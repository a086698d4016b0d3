#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/result.h"

// OpenSSL's own names, so that its headers stay in this folder.
struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

namespace reelway::transport {

// How this program does TLS as a client: TLS 1.2 or later, the server's chain verified, no renegotiation and no
// compression.
class TlsContext {
 public:
  // `ca_file`: certificates in PEM that servers are verified with; empty: the system's. Blocks: reads files.
  // config_value_invalid when there is no certificate to be read.
  static Result<std::unique_ptr<TlsContext>> create(const std::string& ca_file);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsPeer;
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* const context_;
};

struct TlsCounters {
  std::uint64_t handshakes = 0;  // that succeeded
  std::uint64_t resumed = 0;     // of them, with a session from before: no certificate, no signature
  std::uint64_t failed = 0;
};

// One server, by the name or IP address its certificate must bear, and the last session with it. Shared by all
// connections to it; lives longer than they do. One thread.
class TlsPeer {
 public:
  // `context` lives longer.
  TlsPeer(const TlsContext& context, std::string host);
  ~TlsPeer();
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  const TlsCounters& counters() const { return counters_; }

 private:
  friend class TlsStream;
  friend class TlsContext;
  // TLS of one connection, set up to verify this server.
  ssl_st* make();
  void remember(ssl_session_st* session);  // takes the reference

  const TlsContext& context_;
  const std::string host_;
  bool is_address_ = false;
  ssl_session_st* session_ = nullptr;
  TlsCounters counters_;
};

}  // namespace reelway::transport
