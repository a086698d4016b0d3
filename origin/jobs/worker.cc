#include "origin/jobs/worker.h"

#include <algorithm>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "common/telemetry/log.h"
#include "origin/jobs/make_part.h"

// Model. A slot's thread takes work, makes it, brings it, and takes the next. While it makes it, the work stands in
// `running`, where the renewing thread finds it: the slot's thread says how far it is, the renewing thread tells the
// source and hears whether the claim still stands.

namespace reelway::origin {
namespace {

// Renewals in the time of one lease: two may fail before the claim is lost.
constexpr int kRenewalsPerLease = 4;
// After the source could not be asked.
constexpr std::chrono::seconds kPause{1};
// After a part that the disk had no room for.
constexpr std::chrono::seconds kPauseWhenFull{5};

struct Running {
  const TaskSource::Work& work;
  StopSignal stop;
  double progress = 0;   // guarded by State::mutex
  bool is_lost = false;  // likewise: what is made is not wanted any more
};

}  // namespace

struct Worker::State {
  TaskSource& source;
  const Options options;
  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false;        // guarded by mutex
  std::list<Running*> running;  // likewise
  std::vector<std::thread> threads;

  State(TaskSource& source_in, Options options_in) : source(source_in), options(std::move(options_in)) {}

  bool pause(std::chrono::milliseconds time) {
    std::unique_lock hold(mutex);
    return changed.wait_for(hold, time, [&] { return stopping; });
  }

  void serve() {
    while (!pause(std::chrono::milliseconds(0))) {
      const Result<std::optional<TaskSource::Work>> work = source.next();
      if (!work.ok()) {
        telemetry::log_warn("no work could be taken: {}", describe(work.error()));
        pause(kPause);
      } else if (work->has_value()) {
        run(**work);
      }
    }
  }

  void run(const TaskSource::Work& work) {
    Running entry{work, {}, 0, false};
    {
      const std::lock_guard hold(mutex);
      if (stopping) entry.stop.stop();
      running.push_back(&entry);
    }
    EncodePlan plan = work.assignment.plan;
    plan.source = work.source;
    plan.output_folder = work.folder;
    JobCost cost;
    const Result<TaskOutcome> made = make_part(
        plan, work.assignment.part, options.transcode, entry.stop,
        [&](double part) {
          const std::lock_guard hold(mutex);
          entry.progress = part;
        },
        cost);
    bool is_lost = false;
    {
      const std::lock_guard hold(mutex);
      running.remove(&entry);
      is_lost = entry.is_lost;
    }
    if (const Result<void> told = tell(work, made, cost, is_lost); !told.ok()) {
      telemetry::log_warn("job {}: {} could not be brought: {}", work.assignment.claim.job, work.assignment.part.name,
                          describe(told.error()));
    }
  }

  Result<void> tell(const TaskSource::Work& work, const Result<TaskOutcome>& made, const JobCost& cost, bool is_lost) {
    if (is_lost) return source.release(work);
    if (made.ok()) return source.complete(work, *made);
    const ErrorCode code = made.error().code;
    if (code == ErrorCode::shutting_down) return source.release(work);
    if (code != ErrorCode::disk_full) return source.fail(work, made.error(), cost);
    // That says nothing of the part: it is made when there is room, or where there is.
    telemetry::log_warn("job {}: {}: {}", work.assignment.claim.job, work.assignment.part.name, describe(made.error()));
    const Result<void> released = source.release(work);
    pause(kPauseWhenFull);
    return released;
  }

  void keep_claims() {
    while (!pause(lease() / kRenewalsPerLease)) {
      std::unique_lock hold(mutex);
      for (Running* entry : std::vector<Running*>(running.begin(), running.end())) {
        const TaskSource::Work work = entry->work;
        const double progress = entry->progress;
        hold.unlock();
        const Result<void> renewed = source.renew(work, progress);
        hold.lock();
        if (renewed.ok() || !ends_work(renewed.error()) || !still_runs(entry, work)) continue;
        telemetry::log_warn("job {}: {} is given up: {}", work.assignment.claim.job, work.assignment.part.name,
                            describe(renewed.error()));
        entry->is_lost = true;
        entry->stop.stop();
      }
    }
  }

  // Other failures of a renewal are tried again before the lease runs out.
  static bool ends_work(const Error& error) {
    return error.code == ErrorCode::claim_lost || error.code == ErrorCode::disk_full;
  }

  // The entry lives on its slot's stack: another one may have come in its place.
  bool still_runs(const Running* entry, const TaskSource::Work& work) const {
    return std::find(running.begin(), running.end(), entry) != running.end() &&
           entry->work.assignment.claim.token == work.assignment.claim.token;
  }

  std::chrono::milliseconds lease() {
    const std::lock_guard hold(mutex);
    std::chrono::milliseconds shortest{4000};
    for (const Running* entry : running) shortest = std::min(shortest, entry->work.assignment.lease);
    return shortest;
  }
};

Worker::Worker(TaskSource& source, Options options) : state_(std::make_unique<State>(source, std::move(options))) {}
Worker::~Worker() {
  stop();
}

void Worker::start() {
  for (std::size_t i = 0; i < state_->options.slots; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->serve(); });
  }
  state_->threads.emplace_back([state = state_.get()] { state->keep_claims(); });
}

void Worker::stop() {
  {
    const std::lock_guard hold(state_->mutex);
    if (state_->stopping) return;
    state_->stopping = true;
    for (Running* entry : state_->running) entry->stop.stop();
  }
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
}

}  // namespace reelway::origin
