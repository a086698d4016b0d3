#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "origin/jobs/disk_room.h"
#include "origin/jobs/task.h"
#include "origin/store/control_store.h"

namespace reelway::origin {

// One worker's hold on one part of one job. The token (the claim's create revision) rises with every claim, so what a
// worker does after it has lost its claim is known by an old token and changes nothing.
struct ClaimId {
  std::string job;
  std::string part;
  Revision token = 0;
};

// What a part is made of: the film, or a file that was delivered with it.
struct SourceFile {
  std::string title, version;
  std::uint64_t bytes = 0;
  std::string sha256;
  std::string name{};  // of the delivered file; empty: the film
};

struct Assignment {
  ClaimId claim;
  SourceFile source;
  EncodePlan plan;  // without its paths
  EncodePart part;
  std::chrono::milliseconds lease{0};
};

struct TaskOutcome {
  std::vector<TaskFile> files;
  JobCost cost;
};

struct PartStatus {
  std::string name;
  bool done = false;
  std::string worker;   // who has it now, or made it; empty: waits
  double progress = 0;  // 0 to 1
  std::int64_t claims = 0, failures = 0;
  JobCost cost;
};

struct JobBoardOptions {
  std::chrono::milliseconds lease{30'000};       // a claim not renewed for that long is lost
  std::int64_t failures_max = 3;                 // of one part; then its job fails
  std::int64_t claims_max = 50;                  // of one part: a film that kills whoever touches it
  std::chrono::milliseconds retry_after{5'000};  // after a failure, times the failures so far
  std::string local_worker = "origin";           // whose claims cannot outlive this process
};

// The parts of all jobs that are being encoded: who works on which, and what is done. The control store has the truth
// (task.h); what is kept here beside it is only when each claim runs out and how far it says it is. After a restart
// every claim has its whole lease anew, so none ends too early. Blocking; thread-safe.
class JobBoard {
 public:
  // Called, on the caller's thread of whichever call settled it, once for a job: all its parts are done, or one has
  // failed for good.
  using OnSettled = std::function<void(const std::string& job, const std::optional<Error>& error)>;
  JobBoard(ControlStore& store, const Clock& clock, Random& random, const DiskRoom& room, JobBoardOptions options,
           OnSettled on_settled);
  ~JobBoard();

  // Offers a job's parts, as its records have left them. `sources` has the film first, and every file that the plan
  // names.
  Result<void> open(const JobRecord& job, std::vector<SourceFile> sources, const EncodePlan& plan);
  // Offers them no more; every claim on them is lost.
  void close(std::string_view job);

  // The first part that nobody has, of the job with the highest priority, then of the oldest. None while the disk has
  // no room for it.
  Result<std::optional<Assignment>> claim(const std::string& worker);
  // claim_lost: stop, nothing of this try will be used.
  Result<void> renew(const ClaimId& claim, double progress);
  // What the claim's holder is to make: title and version, and the names of the files. claim_lost.
  struct Held {
    SourceFile source;
    std::vector<std::string> files;
  };
  Result<Held> held(const ClaimId& claim) const;
  // The part's files are durable in the folder named by the claim. Repeated with the same claim it changes nothing.
  Result<void> complete(const ClaimId& claim, const TaskOutcome& outcome);
  // The part could not be made. A fault of the film fails the job at once, others after failures_max tries.
  Result<void> fail(const ClaimId& claim, const Error& error, const JobCost& cost);
  // Gives the part back unmade: no failure, and no claim counted. A store that cannot record it is asked again by
  // reap(), so this fails with claim_lost only.
  Result<void> release(const ClaimId& claim);
  // Takes back the claims whose lease has run out; to be called every second or so.
  void reap();

  std::vector<PartStatus> parts(std::string_view job) const;
  std::vector<TaskRecord> records(std::string_view job) const;  // of all parts, in the plan's order
  // Why nothing of the job is being made although parts of it wait: disk_full.
  std::optional<Error> lack(std::string_view job) const;
  // Of the job's frames, 0 to 1.
  double progress(std::string_view job) const;

  struct Counters {
    std::size_t waiting = 0, claimed = 0;
    std::uint64_t done = 0, failed = 0, lost = 0;
  };
  Counters counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reelway::origin
