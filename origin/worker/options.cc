#include "origin/worker/options.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>
#include <vector>

#include "origin/jobs/work_messages.h"
#include "origin/transcode/transcode_options.h"

namespace reelway::origin {
namespace {

using config::Kind;

constexpr std::int64_t kMiB = 1024 * 1024;
constexpr std::int64_t kGiB = 1024 * kMiB;
constexpr std::size_t kNameMax = 64;

constexpr std::array kOptions = {
    config::Option{"origin.url", Kind::url, "", true, 0, 0,
                   "The origin's port for workers (workers.listen there), such as http://10.0.0.5:8083."},
    config::Option{
        "origin.credential_file", Kind::path, "", true, 0, 0,
        "File whose first line is the credential of the workers, as the origin has it. Readable by its owner "
        "only, 16 characters or more."},
    config::Option{
        "name", Kind::text, "", false, 0, 0,
        "What this worker is called in lists and logs: at most 64 letters, digits and - _ . Empty: the name of "
        "the machine."},
    config::Option{
        "work_dir", Kind::path, "/var/lib/reelway-worker", false, 0, 0,
        "Folder for the films that are fetched and the parts that are made. One worker may use it at a time."},
    config::Option{
        "slots", Kind::integer, "0", false, 0, 64,
        "How many parts of films are made at once; each uses one processor. 0: one for each processor that there "
        "is."},
    config::Option{
        "films_bytes_max", Kind::bytes, "200GiB", false, kMiB, 1024 * 1024 * kGiB,
        "How much of work_dir fetched films may take; the one not used for longest goes first. A film that is "
        "larger is refused."},
    config::Option{"log.level", Kind::text, "info", false, 0, 0, "debug, info, warn or error."},
};

Error invalid(std::string detail) {
  return {ErrorCode::config_value_invalid, Side::self, false, std::move(detail)};
}

std::string machine_name() {
  std::array<char, kNameMax + 1> name{};
  return ::gethostname(name.data(), kNameMax) == 0 ? name.data() : "worker";
}

}  // namespace

std::span<const config::Option> worker_options() {
  static const std::vector<config::Option> all = [] {
    std::vector<config::Option> options(kOptions.begin(), kOptions.end());
    const std::span<const config::Option> transcode = transcode_options();
    options.insert(options.end(), transcode.begin(), transcode.end());
    return options;
  }();
  return all;
}

Result<WorkerConfig> load_worker_config(const std::string& file) {
  const auto settings = config::load(worker_options(), file);
  if (!settings) return settings.error();
  WorkerConfig out;
  out.origin_url = settings->text("origin.url");
  out.name = settings->text("name").empty() ? machine_name() : settings->text("name");
  if (!is_plain_name(out.name))
    return invalid("name: expected at most 64 letters, digits and - _ ., found: " + out.name);
  out.work_dir = settings->text("work_dir");
  out.slots = static_cast<std::size_t>(settings->integer("slots"));
  if (out.slots == 0) out.slots = std::max(1u, std::thread::hardware_concurrency());
  out.films_bytes_max = settings->bytes("films_bytes_max");
  auto transcode = transcode_options(*settings);
  if (!transcode) return transcode.error();
  out.transcode = std::move(transcode).value();
  const auto level = telemetry::parse_log_level(settings->text("log.level"));
  if (!level) {
    return invalid("log.level: expected debug, info, warn or error, found: " + settings->text("log.level"));
  }
  out.log_level = *level;
  auto credential = config::read_secret(settings->text("origin.credential_file"));
  if (!credential) return credential.error();
  out.credential = std::move(credential).value();
  return out;
}

}  // namespace reelway::origin
