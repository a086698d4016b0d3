#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/config/settings.h"
#include "common/telemetry/log.h"
#include "origin/fleet/credentials.h"
#include "origin/hls/multivariant_playlist.h"
#include "origin/ingest/web_film.h"
#include "origin/jobs/ingest_jobs.h"
#include "origin/objects/object_request.h"
#include "origin/protection/protection_options.h"
#include "origin/quality/rules.h"
#include "origin/rights/rights_services.h"
#include "origin/storage/storage_options.h"
#include "origin/transcode/picture_options.h"
#include "origin/transcode/sound_plan.h"
#include "origin/transcode/transcoder.h"

namespace reelway::origin {

// Every option of reelway-origin, once: loading, --help, config/origin.yaml and docs/reference come from it.
std::span<const config::Option> origin_options();
inline constexpr std::string_view kOriginExampleTitle = "Reelway origin";

// The options of one origin as the program uses them, secrets read.
struct OriginConfig {
  std::string data_dir;
  config::Endpoint api_listen;
  std::string api_credential;
  config::Endpoint media_listen;
  EdgeCredentials edges;
  std::string seal_secret;
  std::vector<std::string> public_edges;  // base URLs without a slash at the end
  std::chrono::seconds token_lifetime{0};
  RightsOptions rights;  // without its public_edges, which are the ones above
  std::uint64_t upload_bytes_max = 0;
  std::uint64_t free_bytes_min = 0;
  std::vector<ObjectStoreConfig> object_stores;
  WebRules web_imports;
  std::size_t import_objects_at_once = 2;
  std::size_t import_parts_at_once = 4;
  std::uint64_t import_part_bytes = 0;
  std::uint64_t untaken_bytes_max = UINT64_MAX;
  std::size_t untaken_max = 1000;
  std::string watch_folder;  // empty for none
  std::chrono::milliseconds watch_settle{10'000};
  std::chrono::milliseconds unfinished_keep = std::chrono::hours(72);
  std::size_t transcode_jobs = 1;
  config::Endpoint workers_listen;
  std::chrono::milliseconds workers_lease{0};
  std::string workers_credential;  // empty: no other machine takes work
  TranscodeOptions transcode;
  PictureOptions picture;
  std::uint32_t units_per_segment = 3;
  hls::Steering steering;
  Approval approval = Approval::rule;
  QualityRules quality;
  SoundOptions sound;
  StorageOptions storage;  // without data_dir
  ProtectionOptions protection;
  telemetry::LogLevel log_level = telemetry::LogLevel::info;
};

// Errors as config::load(), and config_value_invalid for what only this program can check.
Result<OriginConfig> load_origin_config(const std::string& file);
Result<OriginConfig> origin_config(const config::Settings& settings);

}  // namespace reelway::origin
