#include "origin/worker/remote_tasks.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/unique_fd.h"
#include "common/telemetry/log.h"
#include "origin/ingest/durable_files.h"
#include "origin/jobs/work_messages.h"

namespace reelway::origin {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::seconds kAskEvery{1};

}  // namespace

Result<void> RemoteTasks::open() {
  REELWAY_TRY(remove_all(options_.folder));
  return make_folders(options_.folder);
}

Result<std::optional<TaskSource::Work>> RemoteTasks::next() {
  const std::optional<Work> none;
  if (patience_.given_up()) return none;
  const Result<Json> answer = client_.post("/v1/work/claims", {{"worker", options_.worker}});
  if (!answer.ok()) return answer.error();
  if (answer->is_null()) {
    patience_.wait(kAskEvery);
    return none;
  }
  Result<Assignment> assignment = parse_assignment(*answer);
  if (!assignment.ok()) return std::move(assignment).error();
  Work work{std::move(assignment).value(), {}, {}};
  const ClaimId& claim = work.assignment.claim;
  work.folder = options_.folder + "/" + claim.job + "-" + claim.part + "-" + std::to_string(claim.token);
  const Result<void> ready = fetch(work);
  if (ready.ok()) return std::optional<Work>(std::move(work));
  // That this machine cannot get the film says nothing of the part: another one may make it.
  if (const Result<void> released = release(work); !released.ok()) {
    telemetry::log_warn("{}: {}", work.assignment.part.name, describe(released.error()));
  }
  if (ready.error().code == ErrorCode::shutting_down) return none;
  return ready.error();
}

Result<void> RemoteTasks::fetch(Work& work) {
  REELWAY_TRY(make_folders(work.folder));
  const ClaimId& claim = work.assignment.claim;
  // A long fetch outlives the lease, so it renews the claim itself.
  auto renewed = std::chrono::steady_clock::now();
  const auto renew_now_and_then = [&]() -> Result<void> {
    const auto now = std::chrono::steady_clock::now();
    if (now - renewed < work.assignment.lease / 4) return {};
    renewed = now;
    Result<void> still = renew(work, 0);
    if (!still.ok() && still.error().code == ErrorCode::claim_lost) return still;
    return {};
  };
  const auto film =
      films_.get(work.assignment.source, claim_path(claim) + "/source", client_, patience_, renew_now_and_then);
  if (!film.ok()) return film.error();
  work.source = **film;
  const std::lock_guard hold(mutex_);
  held_films_[claim.token] = *film;
  return {};
}

Result<Json> RemoteTasks::say(const Work& work, const char* what, const Json& body) const {
  return client_.post(claim_path(work.assignment.claim) + "/" + what, body);
}

Result<void> RemoteTasks::renew(const Work& work, double progress) {
  const Result<Json> answer = say(work, "renew", {{"progress", progress}});
  if (!answer.ok()) return answer.error();
  return {};
}

template <class Action>
Result<void> RemoteTasks::insist(const Work& work, Action action) const {
  const auto deadline = std::chrono::steady_clock::now() + 10 * work.assignment.lease;
  for (;;) {
    Result<void> done = action();
    if (done.ok() || done.error().code == ErrorCode::claim_lost || patience_.given_up()) return done;
    // The origin may be starting again: our claim then has its whole lease anew.
    if (std::chrono::steady_clock::now() > deadline) return done;
    telemetry::log_warn("{}: {}", work.assignment.part.name, describe(done.error()));
    patience_.wait(kAskEvery);
  }
}

Result<void> RemoteTasks::send_files(const Work& work, const TaskOutcome& outcome) const {
  Bytes piece(kFilePieceBytesMax);
  for (const TaskFile& made : outcome.files) {
    const std::string path = work.folder + "/" + made.name;
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return system_error("open", path, errno);
    for (std::uint64_t offset = 0; offset < made.bytes;) {
      const ssize_t count = ::pread(file.get(), piece.data(), piece.size(), static_cast<off_t>(offset));
      if (count <= 0) return system_error("read", path, count < 0 ? errno : EIO);
      const ByteView bytes = ByteView(piece).first(static_cast<std::size_t>(count));
      const std::string to = claim_path(work.assignment.claim) + "/files/" + made.name + "?offset=";
      REELWAY_TRY(insist(work, [&] { return client_.put(to + std::to_string(offset), bytes); }));
      offset += static_cast<std::uint64_t>(count);
    }
  }
  return {};
}

Result<void> RemoteTasks::complete(const Work& work, const TaskOutcome& outcome) {
  Result<void> done = send_files(work, outcome);
  if (done.ok()) {
    done = insist(work, [&]() -> Result<void> {
      const Result<Json> answer = say(work, "complete", to_message(outcome));
      if (!answer.ok()) return answer.error();
      return {};
    });
  }
  forget(work);
  return done;
}

Result<void> RemoteTasks::fail(const Work& work, const Error& error, const JobCost& cost) {
  const Result<void> told = insist(work, [&]() -> Result<void> {
    const Result<Json> answer = say(work, "fail", failure_message(error, cost));
    if (!answer.ok()) return answer.error();
    return {};
  });
  forget(work);
  return told;
}

Result<void> RemoteTasks::release(const Work& work) {
  const Result<Json> answer = say(work, "release", Json::object());
  forget(work);
  if (!answer.ok()) return answer.error();
  return {};
}

void RemoteTasks::forget(const Work& work) {
  if (const Result<void> removed = remove_all(work.folder); !removed.ok()) {
    telemetry::log_warn("{}", describe(removed.error()));
  }
  const std::lock_guard hold(mutex_);
  held_films_.erase(work.assignment.claim.token);
}

}  // namespace reelway::origin
