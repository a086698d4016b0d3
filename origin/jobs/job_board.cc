#include "origin/jobs/job_board.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "common/telemetry/log.h"

// Model. A part waits -> is claimed -> is done; a claim that is lost, released or failed leads back to waiting. Each
// step is one transaction that compares the claim's create revision, so of two workers that believe to hold a part only
// the one whose claim stands can say anything about it. The mutex is held across a transaction: claims come and go by
// the minute, and what is in memory never differs from the store for anybody who looks.

namespace reelway::origin {
namespace {

using Monotonic = Clock::Monotonic;

struct Claim {
  Revision token = 0;
  std::string worker;
  Monotonic deadline;
  double progress = 0;
  bool is_released = false;  // its holder has given it back, and the store could not take it down yet
};

struct Part {
  EncodePart part;
  TaskRecord record;
  std::optional<Claim> claim;
  Monotonic not_before{};

  bool holds(Revision token) const { return claim && claim->token == token; }
};

struct OpenJob {
  JobRecord job;
  std::vector<SourceFile> sources;  // the film first
  EncodePlan plan;
  std::vector<Part> parts;
  bool settled = false;

  Part* find(std::string_view name) {
    const auto place =
        std::find_if(parts.begin(), parts.end(), [&](const Part& part) { return part.part.name == name; });
    return place == parts.end() ? nullptr : &*place;
  }
  // What a part is made of.
  const SourceFile& source_of(const EncodePart& part) const {
    const std::string name = part.audio ? plan.audio[*part.audio].source : "";
    const auto place =
        std::find_if(sources.begin(), sources.end(), [&](const SourceFile& file) { return file.name == name; });
    CHECK(place != sources.end());
    return *place;
  }
  bool all_done() const {
    return std::all_of(parts.begin(), parts.end(), [](const Part& part) { return part.record.done; });
  }
};

void add(JobCost& sum, const JobCost& more) {
  sum.cpu_s += more.cpu_s;
  sum.wall_s += more.wall_s;
  sum.bytes += more.bytes;
}

Error claim_lost(const ClaimId& claim) {
  return {ErrorCode::claim_lost, Side::client, false,
          "claim " + std::to_string(claim.token) + " on " + claim.part + " of job " + claim.job};
}

Compare claim_stands(const ClaimId& claim) {
  return {claim_key(claim.job, claim.part), Compare::Field::create_revision, Compare::Relation::equal, claim.token, {}};
}

}  // namespace

struct JobBoard::State {
  ControlStore& store;
  const Clock& clock;
  Random& random;
  const DiskRoom& room;
  const JobBoardOptions options;
  const OnSettled on_settled;

  mutable std::mutex mutex;
  std::map<std::string, OpenJob, std::less<>> jobs;  // guarded by mutex, as all below
  Counters counters;

  State(ControlStore& store_in, const Clock& clock_in, Random& random_in, const DiskRoom& room_in,
        JobBoardOptions options_in, OnSettled settled)
      : store(store_in),
        clock(clock_in),
        random(random_in),
        room(room_in),
        options(std::move(options_in)),
        on_settled(std::move(settled)) {}

  // Whether the transaction's compares held. A store that cannot say is asked again: a claim's transactions give the
  // same when they are repeated, but for the making of a claim, which its nonce tells.
  Result<bool> commit(const Txn& txn) {
    Result<TxnReply> reply = store.txn(txn);
    if (!reply.ok() && reply.error().code == ErrorCode::store_unknown) reply = store.txn(txn);
    if (!reply.ok()) return std::move(reply).error();
    return reply->succeeded;
  }

  OpenJob* find(std::string_view job) {
    const auto place = jobs.find(job);
    return place == jobs.end() || place->second.settled ? nullptr : &place->second;
  }

  // The part that this claim holds, or null.
  Part* held(const ClaimId& claim) {
    OpenJob* job = find(claim.job);
    Part* part = job == nullptr ? nullptr : job->find(claim.part);
    return part != nullptr && part->holds(claim.token) ? part : nullptr;
  }

  // Whether the part is done and this claim's work: what is said again about it changes nothing.
  bool was_made_by(const ClaimId& claim) {
    const auto job = jobs.find(claim.job);
    const Part* part = job == jobs.end() ? nullptr : job->second.find(claim.part);
    return part != nullptr && part->record.done && part->record.token == claim.token;
  }

  Result<Part> restored(const JobRecord& job, EncodePart part) {
    Part result{std::move(part), {}, std::nullopt};
    const std::string task = task_key(job.job, result.part.name), claim = claim_key(job.job, result.part.name);
    const Result<std::optional<KeyValue>> record = store.get(task), held = store.get(claim);
    if (!record.ok()) return record.error();
    if (!held.ok()) return held.error();
    if (record->has_value()) {
      Result<TaskRecord> parsed = parse_task(task, (*record)->value);
      if (!parsed.ok()) return std::move(parsed).error();
      result.record = std::move(parsed).value();
    }
    if (!held->has_value()) return result;
    const Result<ClaimRecord> parsed = parse_claim(claim, (*held)->value);
    if (!parsed.ok()) return parsed.error();
    result.claim = Claim{(*held)->create_revision, parsed->worker, clock.monotonic() + options.lease, 0};
    return result;
  }

  // The next part to be claimed, and its job.
  std::pair<OpenJob*, Part*> next() {
    std::pair<OpenJob*, Part*> best{nullptr, nullptr};
    const Monotonic now = clock.monotonic();
    for (auto& [id, job] : jobs) {
      if (job.settled) continue;
      const auto comes_before = [&](const JobRecord& other) {
        if (job.job.priority != other.priority) return job.job.priority > other.priority;
        return job.job.created_at_ms < other.created_at_ms;
      };
      if (best.first != nullptr && !comes_before(best.first->job)) continue;
      const auto part = std::find_if(job.parts.begin(), job.parts.end(), [&](const Part& one) {
        return !one.record.done && !one.claim && one.not_before <= now;
      });
      if (part != job.parts.end()) best = {&job, &*part};
    }
    return best;
  }

  // The part is the worker's when this gives its token. A claim that stands there unknown to us (its transaction's
  // outcome was, and then the store was gone) is let run out like any other.
  Result<Revision> make_claim(const OpenJob& job, Part& part, const TaskRecord& begun, const std::string& worker) {
    const ClaimRecord record{worker, random.hex_id(), clock.wall_ms()};
    const std::string key = claim_key(job.job.job, part.part.name);
    Txn txn;
    txn.compares = {Compare::absent(key)};
    txn.then_operations = {Operation::put(key, to_json(record)),
                           Operation::put(task_key(job.job.job, part.part.name), to_json(begun))};
    const Result<bool> made = commit(txn);
    if (!made.ok()) return made.error();
    const Result<std::optional<KeyValue>> entry = store.get(key);
    if (!entry.ok()) return entry.error();
    if (!entry->has_value()) return Error{ErrorCode::store_conflict, Side::self, true, key + " is gone again"};
    const Revision token = (*entry)->create_revision;
    const Monotonic deadline = clock.monotonic() + options.lease;
    const bool ours = (*entry)->value == to_json(record);
    part.claim = Claim{token, ours ? worker : std::string("unknown"), deadline, 0};
    if (!ours) return Error{ErrorCode::store_conflict, Side::self, true, key + " is another's"};
    return token;
  }

  // Ends the claim with a new record of its part.
  Result<void> conclude(const ClaimId& claim, Part& part, TaskRecord record) {
    Txn txn;
    txn.compares = {claim_stands(claim)};
    txn.then_operations = {Operation::erase(claim_key(claim.job, claim.part)),
                           Operation::put(task_key(claim.job, claim.part), to_json(record))};
    const Result<bool> concluded = commit(txn);
    if (!concluded.ok()) return concluded.error();
    if (!*concluded) {
      // Repeated after an unknown outcome it finds its own work done.
      const Result<std::optional<KeyValue>> present = store.get(task_key(claim.job, claim.part));
      if (!present.ok()) return present.error();
      if (!present->has_value() || (*present)->value != to_json(record)) return claim_lost(claim);
    }
    part.record = std::move(record);
    part.claim.reset();
    return {};
  }

  // Frees a part whose claim ended without a word on what was made; one that was given back was never begun.
  Result<void> take_back(const ClaimId& claim, Part& part) {
    TaskRecord record = part.record;
    if (part.claim->is_released) --record.claims;
    return conclude(claim, part, std::move(record));
  }

  // Why the job cannot be made any more, after a failure of this part.
  std::optional<Error> exhausted(const ClaimId& claim, const Part& part, const Error& error) const {
    if (error.side == Side::client) return error;
    if (part.record.failures >= options.failures_max) {
      Error last = error;
      last.detail = claim.part + " failed " + std::to_string(part.record.failures) + " times: " + error.detail;
      return last;
    }
    return std::nullopt;
  }
};

JobBoard::JobBoard(ControlStore& store, const Clock& clock, Random& random, const DiskRoom& room,
                   JobBoardOptions options, OnSettled on_settled)
    : state_(std::make_unique<State>(store, clock, random, room, std::move(options), std::move(on_settled))) {}
JobBoard::~JobBoard() = default;

Result<void> JobBoard::open(const JobRecord& job, std::vector<SourceFile> sources, const EncodePlan& plan) {
  OpenJob opened{job, std::move(sources), plan, {}};
  for (EncodePart& part : encode_parts(plan)) {
    Result<Part> restored = state_->restored(job, std::move(part));
    if (!restored.ok()) return std::move(restored).error();
    opened.parts.push_back(std::move(restored).value());
  }
  bool all_done = opened.all_done();
  {
    const std::lock_guard hold(state_->mutex);
    opened.settled = all_done;
    OpenJob& kept = state_->jobs.insert_or_assign(job.job, std::move(opened)).first->second;
    for (Part& part : kept.parts) {
      if (!part.claim || part.claim->worker != state_->options.local_worker) continue;
      REELWAY_TRY(state_->conclude({job.job, part.part.name, part.claim->token}, part, part.record));
    }
  }
  if (all_done) state_->on_settled(job.job, std::nullopt);
  return {};
}

void JobBoard::close(std::string_view job) {
  const std::lock_guard hold(state_->mutex);
  if (const auto place = state_->jobs.find(job); place != state_->jobs.end()) state_->jobs.erase(place);
}

Result<std::optional<Assignment>> JobBoard::claim(const std::string& worker) {
  const std::lock_guard hold(state_->mutex);
  const auto [job, part] = state_->next();
  if (part == nullptr || !state_->room.check(expected_bytes(job->plan, part->part)).ok()) {
    return std::optional<Assignment>();
  }
  TaskRecord begun = part->record;
  ++begun.claims;
  begun.worker = worker;
  const Result<Revision> token = state_->make_claim(*job, *part, begun, worker);
  if (!token.ok()) return token.error();
  part->record = std::move(begun);
  return std::optional<Assignment>(Assignment{{job->job.job, part->part.name, *token},
                                              job->source_of(part->part),
                                              job->plan,
                                              part->part,
                                              state_->options.lease});
}

Result<void> JobBoard::renew(const ClaimId& claim, double progress) {
  const std::lock_guard hold(state_->mutex);
  Part* part = state_->held(claim);
  if (part == nullptr) return claim_lost(claim);
  part->claim->deadline = state_->clock.monotonic() + state_->options.lease;
  part->claim->progress = std::clamp(progress, 0.0, 1.0);
  return {};
}

Result<JobBoard::Held> JobBoard::held(const ClaimId& claim) const {
  const std::lock_guard hold(state_->mutex);
  const Part* part = state_->held(claim);
  if (part == nullptr) return claim_lost(claim);
  const OpenJob& job = *state_->find(claim.job);
  return Held{job.source_of(part->part), part_files(job.plan, part->part)};
}

Result<void> JobBoard::complete(const ClaimId& claim, const TaskOutcome& outcome) {
  bool all_done = false;
  {
    const std::lock_guard hold(state_->mutex);
    if (state_->was_made_by(claim)) return {};
    Part* part = state_->held(claim);
    if (part == nullptr) return claim_lost(claim);
    TaskRecord done = part->record;
    done.done = true;
    done.token = claim.token;
    done.files = outcome.files;
    add(done.cost, outcome.cost);
    REELWAY_TRY(state_->conclude(claim, *part, std::move(done)));
    ++state_->counters.done;
    OpenJob& job = *state_->find(claim.job);
    all_done = job.all_done();
    job.settled = all_done;
  }
  if (all_done) state_->on_settled(claim.job, std::nullopt);
  return {};
}

Result<void> JobBoard::fail(const ClaimId& claim, const Error& error, const JobCost& cost) {
  std::optional<Error> last;
  {
    const std::lock_guard hold(state_->mutex);
    Part* part = state_->held(claim);
    if (part == nullptr) return claim_lost(claim);
    telemetry::log_warn("job {}: {} failed at {}: {}", claim.job, claim.part, part->claim->worker, describe(error));
    TaskRecord failed = part->record;
    ++failed.failures;
    add(failed.cost, cost);
    REELWAY_TRY(state_->conclude(claim, *part, std::move(failed)));
    part->not_before = state_->clock.monotonic() + state_->options.retry_after * part->record.failures;
    ++state_->counters.failed;
    last = state_->exhausted(claim, *part, error);
    if (last) state_->find(claim.job)->settled = true;
  }
  if (last) state_->on_settled(claim.job, last);
  return {};
}

Result<void> JobBoard::release(const ClaimId& claim) {
  const std::lock_guard hold(state_->mutex);
  Part* part = state_->held(claim);
  if (part == nullptr) return claim_lost(claim);
  part->claim->is_released = true;
  part->claim->deadline = state_->clock.monotonic();
  if (const Result<void> taken = state_->take_back(claim, *part); !taken.ok()) {
    telemetry::log_warn("job {}: {} is given back, to be recorded later: {}", claim.job, claim.part,
                        describe(taken.error()));
  }
  return {};
}

void JobBoard::reap() {
  std::vector<std::pair<std::string, Error>> hopeless;
  {
    const std::lock_guard hold(state_->mutex);
    const Monotonic now = state_->clock.monotonic();
    for (auto& [id, job] : state_->jobs) {
      for (Part& part : job.parts) {
        if (job.settled || !part.claim || part.claim->deadline > now) continue;
        const ClaimId claim{id, part.part.name, part.claim->token};
        const std::string worker = part.claim->worker;
        const bool is_released = part.claim->is_released;
        // What cannot be taken back now is taken back at the next look.
        if (!state_->take_back(claim, part).ok() || is_released) continue;
        ++state_->counters.lost;
        telemetry::log_warn("job {}: {} was not heard of, {} is free again", id, worker, part.part.name);
        if (part.record.claims < state_->options.claims_max) continue;
        job.settled = true;
        hopeless.emplace_back(id, Error{ErrorCode::transcode_failed, Side::self, false,
                                        part.part.name + " was begun " + std::to_string(part.record.claims) +
                                            " times, and each worker was lost over it"});
      }
    }
  }
  for (const auto& [job, error] : hopeless) state_->on_settled(job, error);
}

std::vector<PartStatus> JobBoard::parts(std::string_view job) const {
  const std::lock_guard hold(state_->mutex);
  std::vector<PartStatus> list;
  const auto place = state_->jobs.find(job);
  if (place == state_->jobs.end()) return list;
  for (const Part& part : place->second.parts) {
    PartStatus status{part.part.name,       part.record.done, {}, part.record.done ? 1.0 : 0.0, part.record.claims,
                      part.record.failures, part.record.cost};
    if (part.record.done) status.worker = part.record.worker;
    if (part.claim) status.worker = part.claim->worker, status.progress = part.claim->progress;
    list.push_back(std::move(status));
  }
  return list;
}

std::vector<TaskRecord> JobBoard::records(std::string_view job) const {
  const std::lock_guard hold(state_->mutex);
  std::vector<TaskRecord> list;
  const auto place = state_->jobs.find(job);
  if (place == state_->jobs.end()) return list;
  for (const Part& part : place->second.parts) list.push_back(part.record);
  return list;
}

std::optional<Error> JobBoard::lack(std::string_view job) const {
  const std::lock_guard hold(state_->mutex);
  const auto place = state_->jobs.find(job);
  if (place == state_->jobs.end() || place->second.settled) return std::nullopt;
  const Part* waiting = nullptr;
  const Monotonic now = state_->clock.monotonic();
  for (const Part& part : place->second.parts) {
    if (part.claim && part.claim->deadline > now) return std::nullopt;
    if (!part.record.done && waiting == nullptr) waiting = &part;
  }
  if (waiting == nullptr) return std::nullopt;
  const Result<void> room = state_->room.check(expected_bytes(place->second.plan, waiting->part));
  if (room.ok()) return std::nullopt;
  return room.error();
}

double JobBoard::progress(std::string_view job) const {
  const std::lock_guard hold(state_->mutex);
  const auto place = state_->jobs.find(job);
  if (place == state_->jobs.end()) return 0;
  double made = 0, all = 0;
  for (const Part& part : place->second.parts) {
    // A second of sound takes about a fiftieth of the work of a second of picture in all renditions.
    const double weight = static_cast<double>(part.part.frames) * (part.part.audio ? 0.02 : 1);
    made += weight * (part.record.done ? 1 : part.claim ? part.claim->progress : 0);
    all += weight;
  }
  return all > 0 ? made / all : 0;
}

JobBoard::Counters JobBoard::counters() const {
  const std::lock_guard hold(state_->mutex);
  Counters counters = state_->counters;
  for (const auto& [id, job] : state_->jobs) {
    for (const Part& part : job.parts) {
      if (part.claim) ++counters.claimed;
      if (!part.claim && !part.record.done) ++counters.waiting;
    }
  }
  return counters;
}

}  // namespace reelway::origin
