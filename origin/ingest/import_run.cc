#include "origin/ingest/import_run.h"

#include <algorithm>
#include <thread>

#include "common/base/crc32c.h"
#include "common/base/encoding.h"
#include "common/telemetry/log.h"

namespace reelway::origin {
namespace {

constexpr int kRereadsMax = 3;

}  // namespace

ImportRun::ImportRun(ImportSource& source, const ImportRecord& record, ImportFile& file, Patience& patience,
                     std::atomic<std::uint64_t>& received)
    : source_(source), record_(record), file_(file), patience_(patience), received_(received) {}

Result<std::string> ImportRun::run(std::size_t parts_at_once) {
  for (std::size_t part = 0; part < file_.parts(); ++part) {
    if (!file_.holds(part)) missing_.insert(part);
  }
  received_ = file_.bytes_held();
  std::vector<std::thread> fetchers;
  for (std::size_t i = 0; i < std::min(parts_at_once, file_.parts()); ++i) fetchers.emplace_back([this] { fetch(); });
  Result<std::string> sum = sum_all();
  {
    const std::lock_guard hold(mutex_);
    summed_ = true;
  }
  changed_.notify_all();
  for (std::thread& fetcher : fetchers) fetcher.join();
  return sum;
}

void ImportRun::fail(const Error& error) {
  {
    const std::lock_guard hold(mutex_);
    if (!error_) error_ = error;
  }
  changed_.notify_all();
}

std::optional<std::size_t> ImportRun::next_part() {
  std::unique_lock hold(mutex_);
  // A part that came back wrong from the disk is missing again, so fetchers stay until all is summed.
  changed_.wait(hold, [this] { return summed_ || error_ || !missing_.empty(); });
  if (summed_ || error_) return std::nullopt;
  const std::size_t part = *missing_.begin();
  missing_.erase(missing_.begin());
  return part;
}

void ImportRun::fetch() {
  while (const auto part = next_part()) {
    if (const Result<void> fetched = fetch_part(*part); !fetched.ok()) return fail(fetched.error());
    {
      // The part is held by now, which wait_for() asks under this mutex: it either sees that or hears of it.
      const std::lock_guard hold(mutex_);
    }
    changed_.notify_all();
  }
}

Result<void> ImportRun::fetch_part(std::size_t part) {
  std::uint64_t at = file_.offset_of(part);
  std::uint32_t crc = 0;
  const auto take = [&](ByteView bytes) -> Result<void> {
    REELWAY_TRY(file_.write(at, bytes));
    crc = crc32c(bytes, crc);
    at += bytes.size();
    received_ += bytes.size();
    return {};
  };
  REELWAY_TRY(source_.read(at, file_.bytes_of(part), take, patience_));
  return file_.keep(part, crc);
}

bool ImportRun::wait_for(std::size_t part) {
  std::unique_lock hold(mutex_);
  changed_.wait(hold, [&] { return error_ || file_.holds(part); });
  return !error_;
}

Result<void> ImportRun::sum_part(std::size_t part, ContentChecksum& sha256, std::optional<ContentChecksum>& expected) {
  for (int attempt = 0; attempt < kRereadsMax; ++attempt) {
    if (!wait_for(part)) return *error_;
    const Result<bool> right = file_.read(part, [&](ByteView bytes) {
      sha256.add(bytes);
      if (expected) expected->add(bytes);
    });
    if (!right.ok()) return right.error();
    if (*right) return {};
    telemetry::log_warn("import {}: part {} is not on the disk as it was written; it is fetched again", record_.import,
                        part);
    received_ -= file_.bytes_of(part);
    {
      const std::lock_guard hold(mutex_);
      missing_.insert(part);
    }
    changed_.notify_all();
  }
  return Error{ErrorCode::stored_data_corrupt, Side::disk, false,
               file_.bytes_path() + ": part " + std::to_string(part) + " does not keep what is written"};
}

Result<std::string> ImportRun::sum_all() {
  ContentChecksum sha256(ChecksumKind::sha256);
  std::optional<ContentChecksum> expected;
  if (record_.checksum) expected.emplace(record_.checksum->kind);
  for (std::size_t part = 0; part < file_.parts(); ++part) {
    if (const Result<void> summed = sum_part(part, sha256, expected); !summed.ok()) {
      fail(summed.error());
      return summed.error();
    }
    if (patience_.given_up()) {
      const Error stopped{ErrorCode::shutting_down, Side::self, true, "the import was stopped"};
      fail(stopped);
      return stopped;
    }
  }
  if (expected && expected->finish() != record_.checksum->value) {
    return Error{ErrorCode::object_corrupt, Side::upstream, false,
                 source_of(record_) + ": its " + std::string(name_of(record_.checksum->kind)) + " is not " +
                     hex(record_.checksum->value)};
  }
  return hex(sha256.finish());
}

}  // namespace reelway::origin
