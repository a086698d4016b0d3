#include "origin/request/options.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <thread>

#include "origin/fleet/key_seal.h"
#include "origin/fleet/play_url.h"
#include "origin/rights/records.h"
#include "origin/transcode/picture_options.h"
#include "origin/transcode/sound_options.h"
#include "origin/transcode/transcode_options.h"

namespace reelway::origin {
namespace {

using config::Kind;

constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;
constexpr std::int64_t kGiB = 1024 * kMiB;
constexpr std::int64_t kSecondMs = 1000;
constexpr std::int64_t kDayMs = 24 * 3600 * kSecondMs;

constexpr std::array kOptions = {
    config::Option{
        "data_dir", Kind::path, "", true, 0, 0,
        "Folder for everything the origin keeps: the control store, originals, uploads and films. One origin "
        "may use it at a time. Put it on a local file system with room for the films."},
    config::Option{"api.listen", Kind::endpoint, "127.0.0.1:8080", false, 0, 0,
                   "Address and port of the API. Port 0 picks a free one, which the ready line names."},
    config::Option{
        "api.credential_file", Kind::path, "", true, 0, 0,
        "File whose first line is the credential of the API (Authorization: Bearer). Readable by its owner only, "
        "16 characters or more."},
    config::Option{"media.listen", Kind::endpoint, "127.0.0.1:8081", false, 0, 0,
                   "Address and port from which edges fetch media. It serves nobody else."},
    config::Option{
        "media.edges_file", Kind::path, "", true, 0, 0,
        "File that lists the edges, one a line: <edge-id> <secret>, the secret of 16 characters or more; a line "
        "that begins with # is a comment. Readable by its owner only. Read at start."},
    config::Option{"keys.seal_file", Kind::path, "", true, 0, 0,
                   "File whose first line, 32 characters or more, seals the private signing keys in the control store. "
                   "Without it they cannot be used again, so keep a copy apart from the backups of data_dir."},
    config::Option{
        "public_edges", Kind::text_list, "[]", false, 0, 0,
        "Base URLs of the edges that viewers reach, such as http://127.0.0.1:8090; play URLs name them in this "
        "order."},
    config::Option{"play.token_lifetime", Kind::duration, "24h", false, kSecondMs, 30 * kDayMs,
                   "How long a play URL is valid when its request names no lifetime."},
    config::Option{"rights.start_window", Kind::duration, "720h", false, kSecondMs, 3650 * kDayMs,
                   "How long after its order a rental may be started, where no stored offer says so."},
    config::Option{"rights.play_window", Kind::duration, "48h", false, kSecondMs, 3650 * kDayMs,
                   "How long a rental plays after it was started, where no stored offer says so."},
    config::Option{"rights.streams_max", Kind::integer, "2", false, 1, kSlotsMax,
                   "How many devices of one account may play at once, where no stored offer says so."},
    config::Option{"rights.session_renew", Kind::duration, "60s", false, kSecondMs, 3600 * kSecondMs,
                   "How often a player is told to send its heartbeat."},
    config::Option{"rights.session_free_after", Kind::duration, "150s", false, 2 * kSecondMs, kDayMs,
                   "How long after its last heartbeat a device still counts as playing. Longer than "
                   "rights.session_renew, so that one lost heartbeat stops nobody."},
    config::Option{"rights.token_lifetime_max", Kind::duration, "24h", false, 60 * kSecondMs, 7 * kDayMs,
                   "How long the token of a playback session lives at most; heartbeats renew it. It is also how long "
                   "started sessions play on at edges while no origin can be reached."},
    config::Option{"ingest.upload_bytes_max", Kind::bytes, "512GiB", false, 1, INT64_MAX,
                   "The largest film that may be uploaded. Larger ones are refused before their first byte."},
    config::Option{
        "ingest.free_bytes_min", Kind::bytes, "256MiB", false, 0, 0,
        "What must stay free on the disk of data_dir: an upload that would take more is refused, a job waits."},
    config::Option{"ingest.untaken_bytes_max", Kind::bytes, "4TiB", false, 1, INT64_MAX,
                   "The most bytes that uploads may have which no title has been made of yet, counted as announced."},
    config::Option{"ingest.untaken_max", Kind::integer, "1000", false, 1, 100'000,
                   "The most uploads that no title has been made of yet."},
    config::Option{"ingest.unfinished_keep", Kind::duration, "72h", false, kSecondMs, 365 * kDayMs,
                   "How long after its last byte an upload that is not whole is kept, to be resumed."},
    config::Option{
        "ingest.watch_folder", Kind::path, "", false, 0, 0,
        "Folder whose files become titles, each under the id that its name gives, and move to done/ or refused/ "
        "in it. Without it none is watched."},
    config::Option{"ingest.watch_settle", Kind::duration, "10s", false, kSecondMs, kDayMs,
                   "How long size and time of change of a file in ingest.watch_folder must have stood still."},
    config::Option{"object_stores.{}.endpoint", Kind::url, "", true, 0, 0,
                   "Address of an S3-compatible object store that films are imported from, such as "
                   "https://s3.eu-west-1.amazonaws.com. Use https:// unless the store is on this machine."},
    config::Option{"object_stores.{}.region", Kind::text, "us-east-1", false, 0, 0,
                   "The store's region, which is part of each request's signature. Stores without regions take any."},
    config::Option{"object_stores.{}.addressing", Kind::text, "path", false, 0, 0,
                   "path or host: where a request names its bucket. Amazon asks for host; most others know path."},
    config::Option{"object_stores.{}.access_key_id", Kind::text, "", true, 0, 0,
                   "The id of the access key. It needs the rights to list the buckets and to read their objects."},
    config::Option{"object_stores.{}.secret_file", Kind::path, "", true, 0, 0,
                   "File whose first line is the secret of the access key, at least 16 characters. Only its owner may "
                   "read it (mode 0600). Read at start."},
    config::Option{"object_stores.{}.session_token_file", Kind::path, "", false, 0, 0,
                   "File whose first line is the session token, for temporary credentials. Empty for lasting ones."},
    config::Option{"object_stores.{}.ca_file", Kind::path, "", false, 0, 0,
                   "Certificates of the authorities that may have signed the store's. Empty: the system's."},
    config::Option{
        "object_stores.{}.etag_is_md5", Kind::flag, "true", false, 0, 0,
        "Whether an ETag of 32 hexadecimal digits is the MD5 of its object, as with Amazon, MinIO and Ceph; "
        "then what was fetched is compared with it. Set it to false for a store that makes ETags otherwise."},
    config::Option{"imports.objects_at_once", Kind::integer, "2", false, 1, 16,
                   "How many objects are imported at once. More wait for their turn."},
    config::Option{"imports.parts_at_once", Kind::integer, "4", false, 1, 32,
                   "How many parts of one object are fetched at once, each over a connection of its own."},
    config::Option{"imports.part_bytes", Kind::bytes, "16MiB", false, 64 * kKiB, kGiB,
                   "The size of a part. A crash costs at most the parts in flight."},
    config::Option{
        "imports.url_hosts", Kind::text_list, "[]", false, 0, 0,
        "Hosts from which films may be fetched by URL: names, such as media.vendor.example, and *.vendor.example for "
        "every host below that one. With none, nothing is fetched by URL. Redirects to other hosts are not followed."},
    config::Option{
        "imports.url_private", Kind::flag, "false", false, 0, 0,
        "Whether these hosts may lead to addresses of this machine, of private networks and the like. Leave it at "
        "false unless films come from a server in your own network: with true, whoever may import can reach what "
        "those hosts lead to."},
    config::Option{"imports.url_ca_file", Kind::path, "", false, 0, 0,
                   "Certificates of the authorities that may have signed those of the hosts. Empty: the system's."},
    config::Option{"transcode.jobs", Kind::integer, "0", false, 0, 64,
                   "How many parts of films this process transcodes at once; each uses one processor. 0: one for each "
                   "processor that there is."},
    config::Option{"transcode.local", Kind::flag, "true", false, 0, 0,
                   "Whether this process transcodes itself. With false only workers on other machines do (see "
                   "workers.credential_file)."},
    config::Option{
        "workers.listen", Kind::endpoint, "127.0.0.1:8083", false, 0, 0,
        "Address and port at which reelway-worker of other machines takes work, reads films and brings what it "
        "made. Not for the open internet. Used only with workers.credential_file."},
    config::Option{
        "workers.credential_file", Kind::path, "", false, 0, 0,
        "File whose first line is the credential of the workers, 16 characters or more, readable by its owner "
        "only. Without it there is no port for workers."},
    config::Option{
        "workers.lease", Kind::duration, "30s", false, 2 * kSecondMs, 600 * kSecondMs,
        "How long a worker that is not heard of keeps the part it was making; then another one may take it."},
    config::Option{
        "publish.approval", Kind::text, "rule", false, 0, 0,
        "Who publishes a version that is made and verified. rule: it plays at once, unless findings of its quality "
        "block it. clean: the same when there is no warning that nobody has waived, else a person. person: it waits "
        "for `reelway approve`."},
    config::Option{"hls.steering_uri", Kind::text, "", false, 0, 0,
                   "Address of the server that tells players which edge to use (EXT-X-CONTENT-STEERING), absolute or "
                   "relative to the playlist. {$name} in it stands for the query parameter of that name in the play "
                   "URL, which must then be there. Empty: playlists name none."},
    config::Option{"hls.steering_pathway", Kind::text, "edge", false, 0, 0,
                   "Name of the pathway that playlists describe, the edge that they came from; the steering server's "
                   "answers name the others as clones of it."},
    config::Option{"hls.units_per_segment", Kind::integer, "3", false, 1, 30,
                   "How many units of 2 s make a segment, for versions ingested from now on."},
    config::Option{"log.level", Kind::text, "info", false, 0, 0, "debug, info, warn or error."},
};

Error invalid(std::string detail) {
  Error error;
  error.code = ErrorCode::config_value_invalid;
  error.detail = std::move(detail);
  return error;
}

Result<std::vector<std::string>> base_urls(const std::vector<std::string>& texts) {
  std::vector<std::string> urls;
  for (const std::string& text : texts) {
    auto url = edge_base_url(text);
    if (!url) return invalid("public_edges: expected http://host:port, found: " + text);
    urls.push_back(std::move(*url));
  }
  return urls;
}

std::int64_t seconds(const config::Settings& settings, std::string_view key) {
  return std::chrono::duration_cast<std::chrono::seconds>(settings.duration(key)).count();
}

Result<RightsOptions> rights_options(const config::Settings& settings) {
  RightsOptions out;
  out.standard.start_window_s = seconds(settings, "rights.start_window");
  out.standard.play_window_s = seconds(settings, "rights.play_window");
  out.standard.streams_max = static_cast<std::uint32_t>(settings.integer("rights.streams_max"));
  out.session_renew_s = seconds(settings, "rights.session_renew");
  out.session_free_after_s = seconds(settings, "rights.session_free_after");
  out.token_lifetime_max_s = seconds(settings, "rights.token_lifetime_max");
  if (out.session_free_after_s > out.session_renew_s) return out;
  return invalid("rights.session_free_after: expected more than rights.session_renew, found: " +
                 std::to_string(out.session_free_after_s) + "s");
}

// Parts of films that this process makes at once.
std::size_t slots_of(const config::Settings& settings) {
  if (!settings.flag("transcode.local")) return 0;
  const auto jobs = static_cast<std::size_t>(settings.integer("transcode.jobs"));
  return jobs > 0 ? jobs : std::max(1u, std::thread::hardware_concurrency());
}

Result<Approval> approval_of(const config::Settings& settings) {
  const std::string& text = settings.text("publish.approval");
  if (text == "rule") return Approval::rule;
  if (text == "clean") return Approval::clean;
  if (text == "person") return Approval::person;
  return invalid("publish.approval: expected rule, clean or person, found: " + text);
}

Result<ObjectStoreConfig> object_store(const config::Settings& settings, const std::string& name) {
  const std::string section = "object_stores." + name + ".";
  ObjectStoreConfig out;
  out.name = name;
  out.endpoint = settings.text(section + "endpoint");
  out.region = settings.text(section + "region");
  const std::string& addressing = settings.text(section + "addressing");
  if (addressing != "path" && addressing != "host") {
    return invalid(section + "addressing: expected path or host, found: " + addressing);
  }
  out.path_style = addressing == "path";
  out.credentials.access_key_id = settings.text(section + "access_key_id");
  // Both go into a header field, between slashes.
  for (const auto& [what, text] :
       {std::pair{"region", &out.region}, std::pair{"access_key_id", &out.credentials.access_key_id}}) {
    const bool fits =
        std::all_of(text->begin(), text->end(), [](char c) { return c > 0x20 && c < 0x7f && c != '/' && c != ','; });
    if (text->empty() || !fits) return invalid(section + what + ": expected printable characters without '/' and ','");
  }
  out.ca_file = settings.text(section + "ca_file");
  out.etag_is_md5 = settings.flag(section + "etag_is_md5");
  auto secret = config::read_secret(settings.text(section + "secret_file"));
  if (!secret) return secret.error();
  out.credentials.secret_access_key = std::move(secret).value();
  if (const std::string& file = settings.text(section + "session_token_file"); !file.empty()) {
    auto token = config::read_secret(file);
    if (!token) return token.error();
    out.credentials.session_token = std::move(token).value();
  }
  return out;
}

Result<std::vector<ObjectStoreConfig>> object_stores(const config::Settings& settings) {
  std::vector<ObjectStoreConfig> stores;
  for (const std::string& name : settings.names("object_stores")) {
    auto store = object_store(settings, name);
    if (!store) return store.error();
    stores.push_back(std::move(store).value());
  }
  return stores;
}

Result<WebRules> web_rules(const config::Settings& settings) {
  WebRules rules;
  rules.hosts = settings.list("imports.url_hosts");
  for (const std::string& host : rules.hosts) {
    if (!is_host_pattern(host)) {
      return invalid("imports.url_hosts: expected a host name in lower case or *.NAME, found: " + host);
    }
  }
  rules.private_addresses = settings.flag("imports.url_private");
  rules.ca_file = settings.text("imports.url_ca_file");
  return rules;
}

Result<void> read_secrets(const config::Settings& settings, OriginConfig& out) {
  auto credential = config::read_secret(settings.text("api.credential_file"));
  if (!credential) return credential.error();
  out.api_credential = std::move(credential).value();
  auto seal = config::read_secret(settings.text("keys.seal_file"));
  if (!seal) return seal.error();
  if (seal->size() < kSealSecretCharactersMin) {
    return invalid(settings.text("keys.seal_file") + ": the secret must have at least " +
                   std::to_string(kSealSecretCharactersMin) + " characters");
  }
  out.seal_secret = std::move(seal).value();
  if (const std::string& file = settings.text("workers.credential_file"); !file.empty()) {
    auto workers = config::read_secret(file);
    if (!workers) return workers.error();
    out.workers_credential = std::move(workers).value();
  }
  auto edges = EdgeCredentials::load(settings.text("media.edges_file"));
  if (!edges) return edges.error();
  out.edges = std::move(edges).value();
  auto protection = protection_options(settings);
  if (!protection) return protection.error();
  out.protection = std::move(protection).value();
  return {};
}

Result<void> read_steering(const config::Settings& settings, hls::Steering& steering) {
  steering = {settings.text("hls.steering_uri"), settings.text("hls.steering_pathway")};
  const auto checked = hls::check_steering(steering);
  if (checked) return {};
  return invalid("hls.steering_uri or hls.steering_pathway: " + checked.error().detail);
}

}  // namespace

std::span<const config::Option> origin_options() {
  static const std::vector<config::Option> all = [] {
    std::vector<config::Option> options(kOptions.begin(), kOptions.end());
    for (const std::span<const config::Option> more :
         {transcode_options(), picture_options(), thumbnail_options(), sound_options(), quality_options(),
          storage_options(), protection_options()}) {
      options.insert(options.end(), more.begin(), more.end());
    }
    return options;
  }();
  return all;
}

Result<OriginConfig> load_origin_config(const std::string& file) {
  const auto settings = config::load(origin_options(), file);
  if (!settings) return settings.error();
  return origin_config(*settings);
}

Result<OriginConfig> origin_config(const config::Settings& settings) {
  OriginConfig out;
  out.data_dir = settings.text("data_dir");
  while (out.data_dir.size() > 1 && out.data_dir.ends_with('/')) out.data_dir.pop_back();
  out.api_listen = settings.endpoint("api.listen");
  out.media_listen = settings.endpoint("media.listen");
  out.token_lifetime = std::chrono::duration_cast<std::chrono::seconds>(settings.duration("play.token_lifetime"));
  out.upload_bytes_max = settings.bytes("ingest.upload_bytes_max");
  out.free_bytes_min = settings.bytes("ingest.free_bytes_min");
  out.untaken_bytes_max = settings.bytes("ingest.untaken_bytes_max");
  out.untaken_max = static_cast<std::size_t>(settings.integer("ingest.untaken_max"));
  out.unfinished_keep =
      std::chrono::duration_cast<std::chrono::milliseconds>(settings.duration("ingest.unfinished_keep"));
  out.watch_folder = settings.text("ingest.watch_folder");
  out.watch_settle = std::chrono::duration_cast<std::chrono::milliseconds>(settings.duration("ingest.watch_settle"));
  auto stores = object_stores(settings);
  if (!stores) return stores.error();
  out.object_stores = std::move(stores).value();
  auto web = web_rules(settings);
  if (!web) return web.error();
  out.web_imports = std::move(web).value();
  out.import_objects_at_once = static_cast<std::size_t>(settings.integer("imports.objects_at_once"));
  out.import_parts_at_once = static_cast<std::size_t>(settings.integer("imports.parts_at_once"));
  out.import_part_bytes = settings.bytes("imports.part_bytes");
  out.transcode_jobs = slots_of(settings);
  out.workers_lease = settings.duration("workers.lease");
  out.workers_listen = settings.endpoint("workers.listen");
  out.units_per_segment = static_cast<std::uint32_t>(settings.integer("hls.units_per_segment"));
  REELWAY_TRY(read_steering(settings, out.steering));
  const auto approval = approval_of(settings);
  if (!approval) return approval.error();
  out.approval = *approval;
  auto urls = base_urls(settings.list("public_edges"));
  if (!urls) return urls.error();
  out.public_edges = std::move(urls).value();
  auto rights = rights_options(settings);
  if (!rights) return rights.error();
  out.rights = std::move(rights).value();
  auto transcode = transcode_options(settings);
  if (!transcode) return transcode.error();
  out.transcode = std::move(transcode).value();
  auto picture = picture_options(settings);
  if (!picture) return picture.error();
  out.picture = *picture;
  auto thumbnails = thumbnail_options(settings);
  if (!thumbnails) return thumbnails.error();
  out.picture.thumbnails = std::move(thumbnails).value();
  const auto level = telemetry::parse_log_level(settings.text("log.level"));
  if (!level) {
    return invalid("log.level: expected debug, info, warn or error, found: " + settings.text("log.level"));
  }
  out.log_level = *level;
  auto quality = quality_rules(settings);
  if (!quality) return quality.error();
  out.quality = std::move(quality).value();
  auto sound = sound_options(settings);
  if (!sound) return sound.error();
  out.sound = *sound;
  auto storage = storage_options(settings, out.object_stores);
  if (!storage) return storage.error();
  out.storage = std::move(storage).value();
  out.storage.free_bytes_min = out.free_bytes_min;
  out.storage.retention.sessions_max =
      std::max<std::chrono::milliseconds>(out.token_lifetime, std::chrono::seconds(out.rights.token_lifetime_max_s));
  REELWAY_TRY(read_secrets(settings, out));
  return out;
}

}  // namespace reelway::origin
