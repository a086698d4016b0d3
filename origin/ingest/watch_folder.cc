#include "origin/ingest/watch_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include "common/access/title_name.h"
#include "common/base/unique_fd.h"
#include "common/telemetry/log.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/file_bytes.h"
#include "origin/ingest/sha256.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kFilesMax = 10'000;  // looked at; more wait until some have gone
constexpr std::string_view kDone = "done";
constexpr std::string_view kRefused = "refused";
constexpr std::array<std::string_view, 4> kUnderWay = {".part", ".tmp", ".filepart", ".crdownload"};

bool is_candidate(std::string_view name) {
  const bool under_way =
      std::any_of(kUnderWay.begin(), kUnderWay.end(), [&](std::string_view ending) { return name.ends_with(ending); });
  return !name.starts_with('.') && !under_way;
}

// Errors that say something of the file; after others it is tried again.
bool is_refusal(const Error& error) {
  return error.side == Side::client && !error.retry && error.code != ErrorCode::store_conflict;
}

std::string manifest_in(const std::filesystem::path& folder) {
  return (folder / kManifestName).string();
}

void count(const struct stat& info, std::uint64_t& bytes, std::int64_t& changed_ns) {
  bytes += static_cast<std::uint64_t>(info.st_size);
  changed_ns = std::max<std::int64_t>(changed_ns, info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec);
}

Error stopped() {
  return {ErrorCode::shutting_down, Side::self, true, "the origin is draining"};
}

// Until the origin drains.
Result<void> read_unless(const std::atomic<bool>& stopping, const std::string& path, std::uint64_t offset,
                         const std::function<Result<void>(ByteView)>& use) {
  return read_pieces(path, offset, [&](ByteView piece) { return stopping ? Result<void>(stopped()) : use(piece); });
}

}  // namespace

WatchFolder::WatchFolder(Uploads& uploads, Catalog& catalog, const Clock& clock, WatchFolderOptions options,
                         BeginTitle begin_title, BeginDelivery begin_delivery)
    : uploads_(uploads),
      catalog_(catalog),
      clock_(clock),
      options_(std::move(options)),
      begin_title_(std::move(begin_title)),
      begin_delivery_(std::move(begin_delivery)) {}

WatchFolder::~WatchFolder() {
  stop();
}

Result<void> WatchFolder::start() {
  if (options_.folder.empty()) return {};
  for (const std::string_view folder : {kDone, kRefused}) {
    REELWAY_TRY(make_folders(options_.folder + "/" + std::string(folder)));
  }
  thread_ = std::thread([this] { run(); });
  return {};
}

void WatchFolder::stop() {
  {
    const std::lock_guard hold(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void WatchFolder::run() {
  std::unique_lock hold(mutex_);
  while (!stopping_) {
    hold.unlock();
    look();
    hold.lock();
    changed_.wait_for(hold, options_.period, [this] { return stopping_.load(); });
  }
}

std::map<std::string, WatchFolder::Seen> WatchFolder::list() const {
  std::map<std::string, Seen> files;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder, failure)) {
    const std::string name = entry.path().filename().string();
    struct stat info {};
    if (!is_candidate(name) || ::lstat(entry.path().c_str(), &info) != 0) continue;
    Seen seen;
    seen.since = clock_.monotonic();
    seen.is_delivery = S_ISDIR(info.st_mode) && name != kDone && name != kRefused && exists(manifest_in(entry.path()));
    if (!seen.is_delivery && !S_ISREG(info.st_mode)) continue;
    count(info, seen.bytes, seen.changed_ns);
    if (seen.is_delivery) {
      for (const auto& within : std::filesystem::directory_iterator(entry.path(), failure)) {
        if (::lstat(within.path().c_str(), &info) == 0) count(info, seen.bytes, seen.changed_ns);
      }
    }
    files.emplace(name, seen);
    if (files.size() == kFilesMax) break;
  }
  if (failure) telemetry::log_error("watched folder {}: {}", options_.folder, failure.message());
  return files;
}

void WatchFolder::look() {
  std::map<std::string, Seen> files = list();
  for (auto& [name, file] : files) {
    const auto before = seen_.find(name);
    if (before != seen_.end() && before->second == file) file = before->second;
  }
  seen_ = std::move(files);
  for (auto& [name, file] : seen_) {
    if (stopping_) return;
    const auto now = clock_.monotonic();
    if (now - file.since >= options_.settle && now >= file.not_before) take(name, file);
  }
}

void WatchFolder::take(const std::string& name, Seen& seen) {
  const Result<void> taken = seen.is_delivery ? ingest_delivery(name) : ingest(name, seen);
  if (taken.ok()) {
    telemetry::log_info("watched folder: {} was taken in", name);
    return put_away(name, std::string(kDone), "");
  }
  if (is_refusal(taken.error())) {
    telemetry::log_warn("watched folder: {} is refused: {}", name, describe(taken.error()));
    return put_away(name, std::string(kRefused), describe(taken.error()));
  }
  if (taken.error().code == ErrorCode::shutting_down) return;
  telemetry::log_warn("watched folder: {} is tried again later: {}", name, describe(taken.error()));
  seen.not_before = clock_.monotonic() + options_.retry;
}

Result<void> WatchFolder::ingest(const std::string& name, const Seen& seen) {
  const std::string title = access::derive_title_id(name);
  const Result<UploadStatus> upload = open_upload(name, title, seen);
  if (!upload.ok() && upload.error().code == ErrorCode::title_exists) {
    const Result<bool> known = is_known(name, title);
    if (!known.ok()) return known.error();
    if (*known) return {};
  }
  if (!upload.ok()) return upload.error();
  Result<UploadStatus> whole = upload;
  if (upload->record.state == UploadState::waiting) whole = copy(name, *upload);
  if (!whole.ok()) return std::move(whole).error();
  return begin_title_(title, whole->record.upload);
}

// The upload of this file that was begun before, or a new one.
Result<UploadStatus> WatchFolder::open_upload(const std::string& name, const std::string& title, const Seen& seen) {
  if (!title.empty()) REELWAY_TRY(catalog_.check_new(title, false));
  const std::string fingerprint = "watched/" + std::to_string(seen.bytes) + "-" + std::to_string(seen.changed_ns) +
                                  "/" + (title.empty() ? name : title);
  const Result<std::vector<UploadStatus>> uploads = uploads_.list();
  if (!uploads.ok()) return uploads.error();
  for (const UploadStatus& upload : *uploads) {
    if (upload.record.fingerprint == fingerprint && upload.record.title == title) return upload;
  }
  UploadRequest request;
  request.filename = name;
  request.size_bytes = seen.bytes;
  request.title = title;
  request.resumable = true;
  request.fingerprint = fingerprint;
  const Result<UploadRecord> begun = uploads_.begin(request);
  if (!begun.ok()) return begun.error();
  return uploads_.status(begun->upload);
}

Result<UploadStatus> WatchFolder::copy(const std::string& name, const UploadStatus& upload) {
  auto writer = uploads_.resume({upload.record.upload, upload.offset, {}, {}});
  if (!writer.ok()) return std::move(writer).error();
  REELWAY_TRY(read_unless(stopping_, options_.folder + "/" + name, upload.offset,
                          [&](ByteView piece) { return (*writer)->append(piece); }));
  Result<UploadStatus> status = (*writer)->finish();
  if (!status.ok() || status->record.state == UploadState::complete) return status;
  return Error{ErrorCode::upload_incomplete, Side::client, true, name + " has become shorter"};
}

// Whether the title is of this file: it was begun before a crash, which kept the file from its place in done/.
Result<bool> WatchFolder::is_known(const std::string& name, const std::string& title) const {
  const Result<std::string> sha256 = sum_of(name);
  if (!sha256.ok()) return sha256.error();
  const Result<std::vector<VersionRecord>> versions = catalog_.versions(title);
  if (!versions.ok()) return versions.error();
  return std::any_of(versions->begin(), versions->end(),
                     [&](const VersionRecord& version) { return version.sha256 == *sha256; });
}

Result<std::string> WatchFolder::sum_of(const std::string& name) const {
  Sha256 sum;
  REELWAY_TRY(read_unless(stopping_, options_.folder + "/" + name, 0, [&](ByteView piece) {
    sum.add(piece);
    return Result<void>();
  }));
  return sum.finish();
}

// A name that is taken there gets a number before it: "2-film.mp4".
void WatchFolder::put_away(const std::string& name, const std::string& folder, const std::string& reason) {
  const std::string base = options_.folder + "/" + folder + "/";
  std::string place = base + name;
  for (int number = 2; exists(place); ++number) place = base + std::to_string(number) + "-" + name;
  Result<void> moved = move_durably(options_.folder + "/" + name, place);
  if (moved.ok() && !reason.empty()) {
    const std::string text = reason + "\n";
    moved = write_durably(place + ".txt", text.data(), text.size());
  }
  if (!moved.ok()) telemetry::log_error("watched folder: {}", describe(moved.error()));
}

}  // namespace reelway::origin
