#include "edge/request/options.h"

#include <array>

#include "common/config/values.h"

namespace reelway::edge {
namespace {

using config::Kind;

constexpr std::size_t kUpstreamsMax = 16;
constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kGiB = 1 << 30;
constexpr std::size_t kDisksMax = 16;
constexpr std::uint64_t kSliceBytesMin = 64 * 1024;

constexpr auto kOptions = std::to_array<config::Option>({
    {"edge_id", Kind::text, "", true, 0, 0,
     "The name of this edge, as in the origin's edge list. It stands in Via and Cache-Status of every answer. A "
     "letter, "
     "then up to 63 letters, digits, '.', '_' or '-'."},
    {"public.listen", Kind::endpoint, "127.0.0.1:8090", false, 0, 0,
     "Where players connect. Port 0 picks a free one, which the ready line names."},
    {"rings", Kind::integer, "0", false, 0, 64,
     "How many threads serve viewers, each with a ring, connections and a part of the store of its own. 0: as many as "
     "the store was made for, and for a new one as many as this process may use cores. A store keeps the number that "
     "it was made for."},
    {"admin.listen", Kind::endpoint, "127.0.0.1:8091", false, 0, 0,
     "Where metrics, state, explain and drain are served. Never the public address; it needs the credential also on "
     "loopback."},
    {"admin.credential_file", Kind::path, "", true, 0, 0,
     "A file whose first line is the admin port's credential, readable by its owner only."},
    {"public.url", Kind::url, "", false, 0, 0,
     "The base URL by which players reach this edge, as https://edge-1.example. The origin hands it out with a "
     "playback; without it only the origin's own list names this edge."},
    {"upstream.url", Kind::url, "", true, 0, 0,
     "The origin's media port, as http://host:port or https://host:port. The name is looked up again every 30 seconds, "
     "and all of its "
     "addresses are used."},
    {"upstream.others", Kind::text_list, "", false, 0, 0,
     "Further origins of the same films, rentals and keys, 15 at most, as \"http://host:port priority=2\". Priority 1 "
     "to "
     "9, 2 if not said; upstream.url has 1. One of a larger priority is asked only while all of the smaller ones are "
     "out "
     "of use; those of the same are asked in turn."},
    {"upstream.ca_file", Kind::path, "", false, 0, 0,
     "Certificates in PEM that upstreams with https are verified with, their names as well as their chain. Empty: the "
     "system's. Read once, at the start."},
    {"upstream.secret_file", Kind::path, "", true, 0, 0,
     "A file whose first line is this edge's secret from the origin's edge list, readable by its owner only."},
    {"upstream.connections_max", Kind::integer, "64", false, 1, 4096,
     "Connections to one address of an upstream at once. Further fetches wait for one, 1024 at most, 10 seconds at "
     "most."},
    {"upstream.connect_timeout", Kind::duration, "2s", false, 10, kMinute,
     "How long a connection to the upstream may take to come about, TLS included."},
    {"upstream.first_byte_timeout", Kind::duration, "10s", false, 10, 10 * kMinute,
     "How long the upstream may take from a request to the head of its answer; then the viewer gets timed_out."},
    {"upstream.idle_timeout", Kind::duration, "10s", false, 10, 10 * kMinute,
     "The longest silence within an answer's body; then the fill fails with upstream_truncated. Also how long an "
     "unused "
     "connection is kept."},
    {"keys.poll_interval", Kind::duration, "1s", false, 100, 10 * kMinute,
     "How often the public keys that tokens are verified with are asked of the upstream. A retired key is refused "
     "within this time."},
    {"rights.origin_budget", Kind::duration, "50ms", false, 1, 5'000,
     "How long a request waits for the origin when its rental is not in the replica yet."},
    {"rights.staleness_max", Kind::duration, "24h", false, kMinute, 7 * 24 * 60 * kMinute,
     "For how long this edge goes on by its own copy of the rentals when it hears nothing of the origin; then it "
     "refuses every rental with rights_too_stale."},
    {"tokens.failures_burst", Kind::integer, "20", false, 1, 1'000'000,
     "Tokens with a bad signature that one address may send at once; then its new tokens are refused unchecked. "
     "Tokens that were found good before are not concerned."},
    {"tokens.failures_per_minute", Kind::integer, "60", false, 1, 1'000'000,
     "How many of them are forgiven each minute."},
    {"prefetch.segments", Kind::integer, "1", false, 0, 8,
     "How many segments are fetched ahead of a session that has met a miss: by the media playlist, or by what the "
     "player says (CMCD). 0: none."},
    {"prefetch.running_max", Kind::integer, "16", false, 1, 256,
     "How many such fetches run at once; none is begun while more than half of upstream.connections_max is busy."},
    {"site.upstreams", Kind::text_list, "", false, 0, 0,
     "The origins of a site, as \"http://host:port\" or \"https://host:port priority=2\" (1 if not said), 16 at most, "
     "for "
     "which this edge is a general shared cache: it answers all paths that do not begin with /t/. Empty: it serves "
     "films only."},
    {"site.content_bytes_max", Kind::bytes, "1MiB", false, 0, 64 * kMiB,
     "The longest content of a request to the site; it is held in memory until it is whole. More gets 413."},
    {"site.slice_bytes", Kind::bytes, "4MiB", false, 0, 64 * kMiB,
     "Objects of the site longer than four times this are fetched and stored in slices of it, if their origin takes "
     "ranges and gives them a strong ETag or a Last-Modified; at least 64KiB, and never more than a sixteenth of a "
     "ring's part of store.memory_bytes. 0: all are fetched whole."},
    {"site.stale_when_unreachable", Kind::duration, "10m", false, 0, 7 * 24 * 60 * kMinute,
     "For how long what is no longer fresh is answered still when the site's upstream gives no answer at all; unless "
     "its "
     "answer said must-revalidate or the like."},
    {"store.directory", Kind::path, "", true, 0, 0,
     "Where stored objects, the last known keys and the copy of the rentals are kept. Made if missing; one edge only "
     "may use it."},
    {"store.memory_bytes", Kind::bytes, "256MiB", false, 16 * kMiB, 1024 * kGiB,
     "The memory for bodies: the memory tier, fills under way and what is being sent. Never exceeded."},
    {"store.disk_bytes", Kind::bytes, "10GiB", false, 64 * kMiB, 1024 * 1024 * kGiB,
     "The disk space for bodies. The least valuable objects are dropped when it is used up."},
    {"store.directories", Kind::text_list, "", false, 0, 0,
     "Further disks for bodies, each as \"/mnt/disk2 800GiB\": a directory on it and the space that may be used there. "
     "One that fails is given up until the next start, and the others go on."},
    {"store.index_memory_bytes", Kind::bytes, "64MiB", false, 16 * kMiB, 64 * kGiB,
     "The memory for the indexes of all disks: what was read of them, and what is not yet written to their tables. "
     "More "
     "helps when there are many millions of objects. A ring gets its share, but 8MiB at least."},
    {"store.object_bytes_max", Kind::bytes, "256MiB", false, kMiB, 4 * kGiB, "A larger object is passed on, not kept."},
    {"cors.origins", Kind::text_list, "", false, 0, 0,
     "Origins of web pages that may read the answers, as https://player.example; matched exactly. \"*\" admits all."},
    {"limits.connections_max", Kind::integer, "10000", false, 1, 1'000'000,
     "Public connections at once. One more gets 503 overloaded. The limit of open files must be larger."},
    {"limits.idle_timeout", Kind::duration, "60s", false, 100, 60 * kMinute,
     "How long a connection may rest between requests, and how long a client may take no byte of its answer."},
    {"limits.header_timeout", Kind::duration, "10s", false, 100, 10 * kMinute,
     "How long a request's head may take from its first byte to its last."},
    {"drain.timeout", Kind::duration, "30s", false, 100, 60 * kMinute,
     "How long running answers may take to finish after SIGTERM; then they are cut."},
    {"access_log", Kind::path, "", false, 0, 0,
     "A file that gets one JSON line per request, without tokens. Empty: none. After rotation, restart the edge."},
    {"log.level", Kind::text, "info", false, 0, 0, "The least severe level logged: debug, info, warn or error."},
});

Error invalid(std::string detail) {
  return {ErrorCode::config_value_invalid, Side::self, false, std::move(detail)};
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// What RFC 9211 takes as a token, of the characters that are also safe in a file name and a metric's label.
bool is_edge_id(std::string_view text) {
  if (text.empty() || text.size() > 64 || !is_letter(text.front())) return false;
  for (char c : text) {
    if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

Result<UpstreamUrl> upstream_of(std::string_view option, std::string_view text, std::uint32_t default_priority) {
  auto url = parse_upstream(text, default_priority);
  if (!url.ok()) return invalid(std::string(option) + ": " + url.error().detail);
  return url;
}

Result<std::vector<UpstreamUrl>> upstreams_of(const config::Settings& settings, std::string_view option,
                                              std::uint32_t default_priority) {
  std::vector<UpstreamUrl> upstreams;
  for (const std::string& text : settings.list(option)) {
    auto url = upstream_of(option, text, default_priority);
    if (!url.ok()) return std::move(url).error();
    upstreams.push_back(std::move(url).value());
  }
  return upstreams;
}

Result<std::vector<UpstreamUrl>> film_upstreams(const config::Settings& settings) {
  auto first = upstream_of("upstream.url", settings.text("upstream.url"), 1);
  if (!first.ok()) return std::move(first).error();
  auto upstreams = upstreams_of(settings, "upstream.others", 2);
  if (upstreams.ok()) upstreams->insert(upstreams->begin(), std::move(first).value());
  return upstreams;
}

// "/mnt/disk2 800GiB"
Result<FurtherDisk> further_disk(const std::string& text) {
  const auto space = text.find_last_of(" \t");
  const auto bytes = space == std::string::npos ? std::nullopt : config::parse_bytes(text.substr(space + 1));
  const auto end = space == std::string::npos ? space : text.find_last_not_of(" \t", space);
  if (!bytes || *bytes < 64 * kMiB || end == std::string::npos) {
    return invalid(
        "store.directories: expected a directory and a size of at least 64MiB, as \"/mnt/disk2 800GiB\", not " + text);
  }
  return FurtherDisk{text.substr(0, end + 1), static_cast<std::uint64_t>(*bytes)};
}

Result<void> read_further_disks(const config::Settings& settings, EdgeConfig& config) {
  for (const std::string& text : settings.list("store.directories")) {
    auto disk = further_disk(text);
    if (!disk.ok()) return std::move(disk).error();
    for (const FurtherDisk& other : config.store_further_disks) {
      if (other.directory == disk->directory) return invalid("store.directories: " + other.directory + " stands twice");
    }
    if (disk->directory == config.store_directory) return invalid("store.directories: store.directory is one already");
    config.store_further_disks.push_back(std::move(disk).value());
  }
  if (config.store_further_disks.size() >= kDisksMax) return invalid("store.directories: at most 15");
  return {};
}

Result<void> read_secrets(const config::Settings& settings, EdgeConfig& config) {
  auto credential = config::read_secret(settings.text("admin.credential_file"));
  if (!credential.ok()) return std::move(credential).error();
  config.admin_credential = std::move(credential).value();
  auto secret = config::read_secret(settings.text("upstream.secret_file"));
  if (!secret.ok()) return std::move(secret).error();
  config.upstream_secret = std::move(secret).value();
  return {};
}

Result<void> check(const EdgeConfig& config) {
  if (!is_edge_id(config.edge_id)) {
    return invalid("edge_id: expected a letter, then up to 63 letters, digits, '.', '_' or '-'");
  }
  if (config.log_level != "debug" && config.log_level != "info" && config.log_level != "warn" &&
      config.log_level != "error") {
    return invalid("log.level: expected debug, info, warn or error");
  }
  if (config.upstreams.size() > kUpstreamsMax) return invalid("upstream.others: at most 15 can be named");
  if (config.site_upstreams.size() > kUpstreamsMax) return invalid("site.upstreams: at most 16 can be named");
  if (config.site_slice_bytes > 0 && config.site_slice_bytes < kSliceBytesMin) {
    return invalid("site.slice_bytes: 0, or at least 64KiB");
  }
  for (const std::string& origin : config.cors_origins) {
    if (origin != "*" && (origin.find("://") == std::string::npos || origin.ends_with('/'))) {
      return invalid("cors.origins: expected scheme://host[:port] without a path, or \"*\", not " + origin);
    }
  }
  return {};
}

}  // namespace

std::span<const config::Option> edge_options() {
  return kOptions;
}

Result<EdgeConfig> edge_config(const config::Settings& settings) {
  EdgeConfig config;
  config.edge_id = settings.text("edge_id");
  config.public_listen = settings.endpoint("public.listen");
  config.rings = static_cast<std::size_t>(settings.integer("rings"));
  config.admin_listen = settings.endpoint("admin.listen");
  auto upstreams = film_upstreams(settings);
  if (!upstreams.ok()) return std::move(upstreams).error();
  config.upstreams = std::move(upstreams).value();
  config.upstream_ca_file = settings.text("upstream.ca_file");
  config.upstream_connections_max = static_cast<std::size_t>(settings.integer("upstream.connections_max"));
  config.upstream_connect_timeout = settings.duration("upstream.connect_timeout");
  config.upstream_first_byte_timeout = settings.duration("upstream.first_byte_timeout");
  config.upstream_idle_timeout = settings.duration("upstream.idle_timeout");
  config.keys_poll_interval = settings.duration("keys.poll_interval");
  config.public_url = settings.text("public.url");
  config.rights_origin_budget = settings.duration("rights.origin_budget");
  config.rights_staleness_max = settings.duration("rights.staleness_max");
  config.token_failures_burst = static_cast<std::uint32_t>(settings.integer("tokens.failures_burst"));
  config.token_failures_per_minute = static_cast<std::uint32_t>(settings.integer("tokens.failures_per_minute"));
  config.prefetch_segments = static_cast<std::size_t>(settings.integer("prefetch.segments"));
  config.prefetch_running_max = static_cast<std::size_t>(settings.integer("prefetch.running_max"));
  auto site_upstreams = upstreams_of(settings, "site.upstreams", 1);
  if (!site_upstreams.ok()) return std::move(site_upstreams).error();
  config.site_upstreams = std::move(site_upstreams).value();
  config.site_content_bytes_max = settings.bytes("site.content_bytes_max");
  config.site_slice_bytes = settings.bytes("site.slice_bytes");
  config.site_stale_when_unreachable = settings.duration("site.stale_when_unreachable");
  config.store_directory = settings.text("store.directory");
  config.store_memory_bytes = settings.bytes("store.memory_bytes");
  config.store_disk_bytes = settings.bytes("store.disk_bytes");
  config.store_index_memory_bytes = settings.bytes("store.index_memory_bytes");
  config.store_object_bytes_max = settings.bytes("store.object_bytes_max");
  config.cors_origins = settings.list("cors.origins");
  config.connections_max = static_cast<std::size_t>(settings.integer("limits.connections_max"));
  config.idle_timeout = settings.duration("limits.idle_timeout");
  config.header_timeout = settings.duration("limits.header_timeout");
  config.drain_timeout = settings.duration("drain.timeout");
  config.access_log = settings.text("access_log");
  config.log_level = settings.text("log.level");
  REELWAY_TRY(read_further_disks(settings, config));
  REELWAY_TRY(check(config));
  REELWAY_TRY(read_secrets(settings, config));
  return config;
}

}  // namespace reelway::edge
