#pragma once

#include <condition_variable>
#include <mutex>
#include <string>

#include "origin/catalog/catalog.h"
#include "origin/jobs/task_source.h"
#include "origin/jobs/work_folders.h"

namespace reelway::origin {

// Where a source lies on the origin's disk.
std::string source_path(const Catalog& catalog, const SourceFile& source);

// The origin's own worker takes its work from the board beside it: the film and the folders are there already.
class LocalTasks final : public TaskSource {
 public:
  LocalTasks(JobBoard& board, const Catalog& catalog, WorkFolders folders, const DiskRoom& room, std::string worker)
      : board_(board), catalog_(catalog), folders_(std::move(folders)), room_(room), worker_(std::move(worker)) {}

  // There may be work: next() need not wait longer.
  void poke();

  Result<std::optional<Work>> next() override;
  Result<void> renew(const Work& work, double progress) override;
  Result<void> complete(const Work& work, const TaskOutcome& outcome) override;
  Result<void> fail(const Work& work, const Error& error, const JobCost& cost) override;
  Result<void> release(const Work& work) override;

 private:
  JobBoard& board_;
  const Catalog& catalog_;
  const WorkFolders folders_;
  const DiskRoom& room_;
  const std::string worker_;
  std::mutex mutex_;
  std::condition_variable poked_;
  std::uint64_t pokes_ = 0;  // guarded by mutex_
};

}  // namespace reelway::origin
