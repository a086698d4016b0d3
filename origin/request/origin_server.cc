#include "origin/request/origin_server.h"
#include "origin/jobs/delivery.h"
#include "origin/jobs/work_messages.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "common/telemetry/log.h"
#include "origin/fleet/beat_writer.h"
#include "origin/fleet/change_stream.h"
#include "origin/fleet/edge_registry.h"
#include "origin/fleet/rights_mirror.h"
#include "origin/ingest/watch_folder.h"
#include "origin/net/server.h"
#include "origin/request/api_request.h"
#include "origin/request/media_request.h"
#include "origin/request/replica_routes.h"
#include "origin/request/server_metrics.h"
#include "origin/request/work_request.h"
#include "origin/rights/records.h"
#include "origin/rights/rights_services.h"
#include "origin/rights/sweeper.h"
#include "origin/transcode/sandbox.h"

// Who owns what: Parts owns everything, in the order in which it is made; each part refers only to earlier ones, so it
// is destroyed before what it uses. Work on workers refers to parts too: the server may be destroyed only when
// drain() says that none is left.

namespace reelway::origin {
namespace {

constexpr std::chrono::milliseconds kSweepStepPeriod{1000};  // between the pages of the sweep of rights
constexpr std::chrono::milliseconds kExpiryPeriod{60'000};   // between looks for uploads that nobody finished
constexpr std::chrono::milliseconds kSettlePeriod{10};       // between looks at whether the last work has ended

Error data_dir_error(std::string_view call, const std::string& path, int reason) {
  Error error = system_error(call, path, reason);
  if (error.code != ErrorCode::disk_full) {
    error.code = ErrorCode::config_value_invalid;
    error.side = Side::self;
  }
  error.detail = "data_dir: " + error.detail + "; name a folder in which the user that runs the origin may write";
  return error;
}

Result<void> make_data_dir(const std::string& path) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (mkdir(part.c_str(), 0750) != 0 && errno != EEXIST) return data_dir_error("mkdir", part, errno);
    if (slash == std::string::npos) break;
  }
  if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0) return data_dir_error("write in", path, errno);
  return {};
}

ServerLimits api_limits() {
  ServerLimits limits;
  limits.connections_max = 512;
  limits.connection.message.body_bytes_max = kApiBodyBytesMax;
  return limits;
}

ServerLimits media_limits() {
  ServerLimits limits;
  limits.connections_max = 4096;
  limits.connection.message.body_bytes_max = 0;  // edges only fetch
  limits.connection.input_bytes = 8 * 1024;      // a request of an edge fits into one read
  return limits;
}

ServerLimits work_limits() {
  ServerLimits limits;
  limits.connections_max = 128;
  limits.connection.message.body_bytes_max = kFilePieceBytesMax;
  return limits;
}

RightsOptions rights_options(const OriginConfig& config) {
  RightsOptions options = config.rights;
  options.public_edges = config.public_edges;
  options.protected_packaging = config.protection.packaging;
  return options;
}

// What edges learn of an entitlement.
Result<rights::Record> deciding_part(const KeyValue& entry) {
  const auto stored = parse_entitlement(entry.key, entry.value);
  if (!stored) return stored.error();
  return stored->record;
}

CatalogOptions catalog_options(const OriginConfig& config) {
  CatalogOptions options;
  options.data_dir = config.data_dir;
  options.protect_new = config.protection.protect_new;
  return options;
}

UploadOptions upload_options(const OriginConfig& config) {
  UploadOptions options;
  options.data_dir = config.data_dir;
  options.upload_bytes_max = config.upload_bytes_max;
  options.free_bytes_min = config.free_bytes_min;
  options.untaken_bytes_max = config.untaken_bytes_max;
  options.untaken_max = config.untaken_max;
  options.unfinished_keep = config.unfinished_keep;
  return options;
}

ImportsOptions imports_options(const OriginConfig& config) {
  ImportsOptions options;
  options.data_dir = config.data_dir;
  options.stores = config.object_stores;
  options.web = config.web_imports;
  options.object_bytes_max = config.upload_bytes_max;
  options.free_bytes_min = config.free_bytes_min;
  options.objects_at_once = config.import_objects_at_once;
  options.parts_at_once = config.import_parts_at_once;
  options.part_bytes = config.import_part_bytes;
  return options;
}

WatchFolderOptions watch_options(const OriginConfig& config) {
  WatchFolderOptions options;
  options.folder = config.watch_folder;
  options.settle = config.watch_settle;
  return options;
}

// The watched folder's one tie to the jobs.
Result<void> begin_title(IngestJobs& jobs, const std::string& title, const std::string& upload) {
  IngestRequest request;
  request.title = title;
  request.upload = upload;
  const Result<JobRecord> job = jobs.enqueue(request);
  if (!job.ok()) return job.error();
  return {};
}

ContentKeys::Options content_keys_options(const OriginConfig& config) {
  ContentKeys::Options options;
  options.lifetime = config.protection.key_lifetime;
  return options;
}

StorageOptions storage_options(const OriginConfig& config) {
  StorageOptions options = config.storage;
  options.data_dir = config.data_dir;
  return options;
}

Result<void> begin_delivered(IngestJobs& jobs, Uploads& uploads, const DeliveryRequest& request) {
  const Result<JobRecord> job = begin_delivery(jobs, uploads, request);
  if (!job.ok()) return job.error();
  return {};
}

IngestJobsOptions jobs_options(const OriginConfig& config) {
  IngestJobsOptions options;
  options.data_dir = config.data_dir;
  options.free_bytes_min = config.free_bytes_min;
  options.slots = config.transcode_jobs;
  options.board.lease = config.workers_lease;
  options.quality = config.quality;
  options.sound = config.sound;
  options.units_per_segment = config.units_per_segment;
  options.approval = config.approval;
  options.transcode = config.transcode;
  options.picture = config.picture;
  return options;
}

}  // namespace

struct OriginServer::Parts {
  Parts(EventLoop& event_loop, OriginConfig&& origin_config, const Clock& system_clock, Random& system_random,
        std::unique_ptr<ControlStore> control_store, std::unique_ptr<SigningKeys> signing_keys,
        std::unique_ptr<KeyProvider> key_provider)
      : loop(event_loop),
        config(std::move(origin_config)),
        store(std::move(control_store)),
        keys(std::move(signing_keys)),
        catalog(*store, system_clock, catalog_options(config)),
        uploads(*store, catalog, system_clock, system_random, upload_options(config)),
        imports(*store, catalog, uploads, system_clock, system_random, imports_options(config)),
        jobs(*store, catalog, uploads, system_clock, system_random, jobs_options(config)),
        watch(
            uploads, catalog, system_clock, watch_options(config),
            [this](const std::string& title, const std::string& upload) { return begin_title(jobs, title, upload); },
            [this](const std::string& manifest, const std::string& name,
                   const std::map<std::string, std::string>& sent) {
              return begin_delivered(jobs, uploads, {manifest, name, sent, 0});
            }),
        time(system_clock),
        registry(system_clock),
        rights{*store,
               catalog,
               *keys,
               time,
               system_random,
               turns,
               rights_options(config),
               [this] { return registry.healthy_urls(); }},
        sweeper(*store, time),
        beats(*store, {[this] { return time.now_ms(); }, [this](std::int64_t stored_ms) { time.observe(stored_ms); }}),
        mirror(*store, loop, deciding_part),
        replica_services{*store, mirror, replica_counters, deciding_part,
                         [this](const Heartbeat& beat) { return heartbeat(rights, beat); }},
        files(loop),
        content_keys(std::move(key_provider), system_clock, content_keys_options(config),
                     [this](std::function<void()> task) { loop.post(std::move(task)); }),
        storage(*store, catalog, system_clock, system_random, storage_options(config),
                [this](const std::string& path) { loop.post([this, path] { files.replaced(path); }); }),
        api_services{loop,
                     *store,
                     catalog,
                     uploads,
                     imports,
                     jobs,
                     storage,
                     *keys,
                     rights,
                     mirror,
                     registry,
                     system_clock,
                     system_random,
                     config,
                     counters,
                     active_uploads,
                     system_clock.monotonic(),
                     [this] { return metrics(); }},
        desk(jobs.board(), catalog, jobs.folders(), jobs.room()),
        work_services{loop, desk, config.workers_credential},
        media_services{loop,  catalog,         files,    *keys,    config.edges,     rendered,    segment_facts,
                       clips, config.steering, counters, registry, replica_services, content_keys},
        api(loop, system_clock, api_limits(),
            [this](Responder& responder) { return std::make_shared<ApiRequest>(api_services, responder); }),
        media(loop, system_clock, media_limits(),
              [this](Responder& responder) { return std::make_shared<MediaRequest>(media_services, responder); }),
        work(loop, system_clock, work_limits(),
             [this](Responder& responder) { return std::make_shared<WorkRequest>(work_services, responder); }),
        sweep_timer(loop, [this] { sweep(); }),
        expiry_timer(loop, [this] { remove_expired_uploads(); }),
        settle_timer(loop, [this] { settle(); }),
        drain_timer(loop, [this] { abort(); }) {}

  std::string metrics() const {
    return metrics_page({loop, api, media, files, imports, jobs, storage.counters(), *keys, mirror, beats,
                         replica_counters, registry, counters});
  }

  Result<void> open() {
    // First what can be wrong with the configuration: a job that starts only to be stopped again costs it an attempt.
    // Nothing is accepted before the loop runs.
    REELWAY_TRY(api.listen(config.api_listen.host, config.api_listen.port));
    REELWAY_TRY(media.listen(config.media_listen.host, config.media_listen.port));
    if (!config.workers_credential.empty()) {
      REELWAY_TRY(work.listen(config.workers_listen.host, config.workers_listen.port));
    }
    // Nothing may be decided by a time before the one that was known already.
    REELWAY_TRY(beats.recover());
    REELWAY_TRY(uploads.recover());
    beats.start();
    mirror.start();
    sweep_timer.start_every(kSweepStepPeriod);
    REELWAY_TRY(imports.start());
    expiry_timer.start_every(kExpiryPeriod);
    REELWAY_TRY(jobs.start());
    REELWAY_TRY(storage.start());
    return watch.start();
  }

  // One page at a time, so that the sweep never holds a worker for long.
  void sweep() {
    if (sweeping) return;
    sweeping = loop.run_on_worker(
        [this] {
          const Result<bool> swept = sweeper.step();
          if (!swept.ok()) telemetry::log_error("sweep of rights: {}", describe(swept.error()));
        },
        [this] { sweeping = false; });
  }

  void remove_expired_uploads() {
    if (removing_expired) return;
    removing_expired = loop.run_on_worker(
        [this] {
          const Result<void> removed = uploads.remove_expired();
          if (!removed.ok()) telemetry::log_error("expired uploads: {}", describe(removed.error()));
        },
        [this] { removing_expired = false; });
  }

  void drain(std::function<void()> done) {
    when_settled = std::move(done);
    drain_timer.start_once(kDrainTimeout);
    sweep_timer.stop();
    expiry_timer.stop();
    api.drain([this] { api_empty = true; });
    media.drain([this] { media_empty = true; });
    work.drain([this] { work_empty = true; });
    // Child processes are killed, transfers broken off and their threads joined there: not on the loop.
    loop.run_cleanup(
        [this] {
          imports.stop();
          watch.stop();
          jobs.stop();
          storage.stop();
          content_keys.stop();
        },
        [this] { jobs_stopped = true; });
    settle_timer.start_every(kSettlePeriod);
  }

  void abort() {
    api.close_all();
    media.close_all();
    work.close_all();
  }

  void settle() {
    if (!api_empty || !media_empty || !work_empty || !jobs_stopped || loop.work_count() > 0) return;
    settle_timer.stop();
    drain_timer.stop();
    const auto done = std::move(when_settled);
    when_settled = nullptr;
    if (done) done();
  }

  EventLoop& loop;
  OriginConfig config;
  std::unique_ptr<ControlStore> store;
  std::unique_ptr<SigningKeys> keys;
  Catalog catalog;
  Uploads uploads;
  Imports imports;
  IngestJobs jobs;
  WatchFolder watch;
  OriginTime time;
  EdgeRegistry registry;
  AccountTurns turns;
  RightsServices rights;
  Sweeper sweeper;
  BeatWriter beats;
  RightsMirror mirror;
  ReplicaCounters replica_counters;
  ReplicaServices replica_services;
  FileReader files;
  ContentKeys content_keys;
  FilmStorage storage;
  RenderedCache rendered;
  SegmentFactsCache segment_facts;
  ClipVersions clips;
  RequestCounters counters;
  ActiveUploads active_uploads;
  ApiServices api_services;
  WorkDesk desk;
  WorkServices work_services;
  MediaServices media_services;
  HttpServer api;
  HttpServer media;
  HttpServer work;
  Timer sweep_timer;
  Timer expiry_timer;
  Timer settle_timer;
  Timer drain_timer;
  std::function<void()> when_settled;
  bool api_empty = false;
  bool media_empty = false;
  bool work_empty = false;
  bool jobs_stopped = false;
  bool sweeping = false;
  bool removing_expired = false;
};

OriginServer::OriginServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
OriginServer::~OriginServer() = default;

Result<std::unique_ptr<OriginServer>> OriginServer::start(EventLoop& loop, OriginConfig config, const Clock& clock,
                                                          Random& random) {
  REELWAY_TRY(make_data_dir(config.data_dir));
  if (config.transcode.sandbox.required) REELWAY_TRY(check_sandbox(config.transcode.sandbox));
  auto store = open_rocksdb_store(config.data_dir + "/store");
  if (!store) return store.error();
  auto seal = KeySeal::from_secret(config.seal_secret);
  if (!seal) return seal.error();
  auto keys = SigningKeys::open(**store, std::move(seal).value(), clock, random);
  if (!keys) return keys.error();
  auto provider = make_key_provider(config.protection, **store, config.seal_secret, clock, random);
  if (!provider) return provider.error();
  auto parts = std::make_unique<Parts>(loop, std::move(config), clock, random, std::move(store).value(),
                                       std::move(keys).value(), std::move(provider).value());
  if (const auto opened = parts->open(); !opened) {
    parts->imports.stop();
    parts->watch.stop();
    parts->jobs.stop();
    parts->storage.stop();
    parts->content_keys.stop();
    return opened.error();
  }
  return std::unique_ptr<OriginServer>(new OriginServer(std::move(parts)));
}

const std::string& OriginServer::api_address() const {
  return parts_->api.address();
}
const std::string& OriginServer::media_address() const {
  return parts_->media.address();
}
const std::string& OriginServer::work_address() const {
  return parts_->work.address();
}
void OriginServer::drain(std::function<void()> done) {
  parts_->drain(std::move(done));
}
void OriginServer::abort() {
  parts_->abort();
}

}  // namespace reelway::origin
