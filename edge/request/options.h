#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/config/settings.h"
#include "edge/net/upstream_url.h"
#include "edge/store/store.h"

namespace reelway::edge {

// Every option of reelway-edge, once: loading, --help, config/edge.yaml and docs/reference come from it.
std::span<const config::Option> edge_options();

// The options of one edge as the program uses them, secrets read.
struct EdgeConfig {
  std::string edge_id;
  config::Endpoint public_listen;
  std::size_t rings = 1;  // 0: as the store says, or as there are cores
  config::Endpoint admin_listen;
  std::string admin_credential;

  std::vector<UpstreamUrl> upstreams;  // the first is upstream.url, and names the host for all
  std::string upstream_ca_file;        // empty: the system's
  std::string upstream_secret;
  std::size_t upstream_connections_max = 64;
  std::chrono::milliseconds upstream_connect_timeout{2'000};
  std::chrono::milliseconds upstream_first_byte_timeout{10'000};
  std::chrono::milliseconds upstream_idle_timeout{10'000};
  std::chrono::milliseconds keys_poll_interval{1'000};

  std::string public_url;  // empty: not known
  std::chrono::milliseconds rights_origin_budget{50};
  std::chrono::milliseconds rights_staleness_max{24 * 3'600'000};
  std::uint32_t token_failures_burst = 20;
  std::uint32_t token_failures_per_minute = 60;

  std::size_t prefetch_segments = 0;
  std::size_t prefetch_running_max = 0;

  std::vector<UpstreamUrl> site_upstreams;  // empty: only films are served
  std::uint64_t site_content_bytes_max = 0;
  std::uint64_t site_slice_bytes = 0;  // 0: no slices
  std::chrono::milliseconds site_stale_when_unreachable{0};

  std::string store_directory;         // keys, rentals and, of a single ring, bodies
  std::string store_bodies_directory;  // empty: store_directory
  std::uint64_t store_memory_bytes = 0;
  std::uint64_t store_disk_bytes = 0;
  std::vector<FurtherDisk> store_further_disks;
  std::uint64_t store_index_memory_bytes = 64 << 20;
  std::uint64_t store_object_bytes_max = 0;

  std::vector<std::string> cors_origins;
  std::size_t connections_max = 10'000;
  std::chrono::milliseconds idle_timeout{60'000};
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds drain_timeout{30'000};
  std::string access_log;  // empty: none
  std::string log_level;
};

// config_value_invalid for what the table cannot say by itself, and for an unreadable secret.
Result<EdgeConfig> edge_config(const config::Settings& settings);

}  // namespace reelway::edge
