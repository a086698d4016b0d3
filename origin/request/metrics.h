#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "common/telemetry/metrics.h"

namespace reelway::origin {

// What the media port was asked for.
enum class MediaKind : std::uint8_t {
  multivariant,
  media_playlist,
  init,
  segment,
  text,
  image,
  keys,
  replica_stream,
  replica_snapshot,
  replica_repair,
  entitlement,
  heartbeat,
  content_key,
  other
};
inline constexpr std::size_t kMediaKinds = 14;
std::string_view name_of(MediaKind kind);

// Written on the loop only.
struct RequestCounters {
  std::array<std::uint64_t, kMediaKinds> media_requests{};    // every request that named such a thing
  std::array<std::uint64_t, kMediaKinds> media_body_bytes{};  // announced in 200 answers to GET: not of streams
  std::map<std::uint16_t, std::uint64_t> media_responses;     // by status
  std::map<std::pair<std::string_view, std::uint16_t>, std::uint64_t> api_responses;  // by route's name and status
  std::uint64_t not_an_edge = 0;
  std::uint64_t segments_packaged = 0;
  std::uint64_t playlists_rendered = 0;
  std::uint64_t rendered_hits = 0;
  std::uint64_t upload_bytes = 0;
  std::uint64_t uploads_completed = 0;
  std::uint64_t uploads_failed = 0;
};

// Every metric of reelway-origin, once.
std::span<const telemetry::MetricInfo> origin_metrics();
const telemetry::MetricInfo& origin_metric(std::string_view name);  // CHECKs that it is in the table

void add_request_metrics(telemetry::MetricPage& page, const RequestCounters& counters);

}  // namespace reelway::origin
