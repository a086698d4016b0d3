#include "origin/jobs/local_tasks.h"

#include "origin/ingest/durable_files.h"

namespace reelway::origin {
namespace {

constexpr std::chrono::seconds kWait{1};

}  // namespace

std::string source_path(const Catalog& catalog, const SourceFile& source) {
  return source.name.empty() ? catalog.original_path(source.title, source.version)
                             : catalog.delivered_path(source.title, source.version, source.name);
}

void LocalTasks::poke() {
  {
    const std::lock_guard hold(mutex_);
    ++pokes_;
  }
  poked_.notify_all();
}

Result<std::optional<TaskSource::Work>> LocalTasks::next() {
  std::unique_lock hold(mutex_);
  const std::uint64_t seen = pokes_;
  hold.unlock();
  const Result<std::optional<Assignment>> assignment = board_.claim(worker_);
  if (!assignment.ok()) return assignment.error();
  if (!assignment->has_value()) {
    hold.lock();
    poked_.wait_for(hold, kWait, [&] { return pokes_ != seen; });
    return std::optional<Work>();
  }
  const Assignment& found = **assignment;
  Work work{found, source_path(catalog_, found.source), folders_.part(found.claim)};
  if (const Result<void> made = make_folders(work.folder); !made.ok()) {
    if (made.error().code != ErrorCode::disk_full)
      REELWAY_TRY(fail(work, made.error(), {}));
    else
      REELWAY_TRY(release(work));
    return std::optional<Work>();
  }
  return std::optional<Work>(std::move(work));
}

Result<void> LocalTasks::renew(const Work& work, double progress) {
  REELWAY_TRY(room_.check_reserve());
  return board_.renew(work.assignment.claim, progress);
}

Result<void> LocalTasks::complete(const Work& work, const TaskOutcome& outcome) {
  return board_.complete(work.assignment.claim, outcome);
}

Result<void> LocalTasks::fail(const Work& work, const Error& error, const JobCost& cost) {
  REELWAY_TRY(remove_all(work.folder));
  return board_.fail(work.assignment.claim, error, cost);
}

Result<void> LocalTasks::release(const Work& work) {
  REELWAY_TRY(remove_all(work.folder));
  return board_.release(work.assignment.claim);
}

}  // namespace reelway::origin
