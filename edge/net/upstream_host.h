#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/ring/ring.h"
#include "common/ring/side_workers.h"
#include "common/ring/timer.h"
#include "common/transport/tls_context.h"
#include "edge/net/socket_address.h"
#include "edge/net/upstream_url.h"

namespace reelway::edge {

// One configured upstream and the addresses that its name has now. The name is looked up again every 30 s beside the
// ring, and every 2 s while it has none; a look-up that fails leaves the addresses as they were. One ring thread.
class UpstreamHost {
 public:
  static constexpr std::chrono::milliseconds kInterval{30'000};
  static constexpr std::chrono::milliseconds kIntervalWithoutAddress{2'000};

  // Blocks; called on a side worker. Replaced by tests.
  using Lookup = std::function<Result<std::vector<SocketAddress>>(const std::string& host, std::uint16_t port)>;

  // `tls`: needed for https, and outlives the host.
  UpstreamHost(ring::Ring& ring, ring::SideWorkers& workers, UpstreamUrl url,
               const transport::TlsContext* tls = nullptr, Lookup lookup = resolve_all);
  ~UpstreamHost();

  // Blocks: for start-up. On an error the host has no address yet, and start() goes on trying.
  Result<void> look_up();
  void start();
  void stop();

  const UpstreamUrl& url() const { return url_; }
  const std::string& name() const { return name_; }  // "origin.example:8081"
  const std::vector<SocketAddress>& addresses() const { return addresses_; }
  transport::TlsPeer* tls() const { return tls_.get(); }  // null for http
  std::uint64_t revision() const { return revision_; }    // rises whenever addresses() changes

 private:
  void look_up_beside();
  void looked_up(Result<std::vector<SocketAddress>> found);

  ring::SideWorkers& workers_;
  const UpstreamUrl url_;
  const std::string name_;
  const Lookup lookup_;
  const std::unique_ptr<transport::TlsPeer> tls_;
  std::vector<SocketAddress> addresses_;
  std::uint64_t revision_ = 0;
  bool failing_ = false;  // so that a long outage of the names is logged once
  bool stopped_ = false;
  ring::Timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace reelway::edge
