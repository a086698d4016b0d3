#include "origin/rights/publishing.h"

#include <algorithm>
#include <optional>

#include "common/telemetry/log.h"
#include "origin/catalog/title_history.h"
#include "origin/fleet/title_mark.h"
#include "origin/rights/decide.h"

// Model. What plays is said by the title's record alone: its state, and its current version. Taking a title off changes
// its record and its mark (title_mark.h) in one transaction; the mark is what edges follow. This process refuses the
// title itself from the moment at which the transaction is known to have been made.

namespace reelway::origin {
namespace {

constexpr std::size_t kNameBytesMax = 200, kReasonBytesMax = 500;

Error error_of(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

bool is_printable(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Result<void> check_decision(const PublishDecision& decision, bool needs_reason) {
  if (decision.by.empty() || decision.by.size() > kNameBytesMax || !is_printable(decision.by)) {
    return error_of(ErrorCode::http_bad_request,
                    "field \"by\": expected who decides, in at most " + std::to_string(kNameBytesMax) + " bytes");
  }
  const bool is_empty = decision.reason.find_first_not_of(" \t") == std::string::npos;
  if ((needs_reason && is_empty) || decision.reason.size() > kReasonBytesMax || !is_printable(decision.reason)) {
    return error_of(ErrorCode::http_bad_request,
                    "field \"reason\": expected why, in at most " + std::to_string(kReasonBytesMax) + " bytes");
  }
  return {};
}

// What one decision reads, and the transaction that it makes.
struct Attempt {
  const RightsServices& services;
  const PublishDecision& decision;
  std::int64_t now_ms = 0;
  TitleRecord title;
  std::vector<VersionRecord> versions;  // oldest first; read without compares
  Txn txn;

  Result<void> read() {
    const auto found = find<TitleRecord>(services.store, title_key(decision.title), parse_title, txn.compares);
    if (!found.ok()) return found.error();
    if (!found->value) return error_of(ErrorCode::title_not_found, decision.title);
    title = *found->value;
    auto all = services.catalog.versions(decision.title);
    if (!all.ok()) return std::move(all).error();
    versions = std::move(all).value();
    return {};
  }

  Result<VersionRecord> version(const std::string& name) {
    const auto found =
        find<VersionRecord>(services.store, version_key(decision.title, name), parse_version_record, txn.compares);
    if (!found.ok()) return found.error();
    if (!found->value) return error_of(ErrorCode::version_not_found, decision.title + " " + name);
    return *found->value;
  }

  void put(const VersionRecord& version) {
    txn.then_operations.push_back(Operation::put(version_key(version.title, version.version), to_json(version)));
  }

  void note_event(TitleAction action, const std::string& version) {
    note(title, {action, version, decision.by, decision.reason, now_ms});
  }

  // From here on `next` is what plays.
  Result<void> play(VersionRecord next) {
    if (title.current_version != next.version && !title.current_version.empty()) {
      Result<VersionRecord> former = version(title.current_version);
      if (!former.ok()) return std::move(former).error();
      former->replaced_at_ms = now_ms;
      put(*former);
    }
    next.replaced_at_ms = 0;
    title.current_version = next.version;
    put(next);
    return {};
  }

  void mark(bool withdrawn) {
    txn.then_operations.push_back(Operation::put(title_mark_key(decision.title), title_mark_json(withdrawn)));
  }

  // Nothing when what was read has changed meanwhile.
  Result<std::optional<PublishOutcome>> commit_change(std::string version, bool& unknown) {
    txn.then_operations.push_back(Operation::put(title_key(decision.title), to_json(title)));
    const Result<TxnReply> reply = commit(services.store, txn, unknown);
    if (!reply.ok()) return reply.error();
    if (!reply->succeeded) return std::optional<PublishOutcome>();
    return std::optional(PublishOutcome{title, std::move(version), true});
  }

  Result<std::optional<PublishOutcome>> no_change(std::string version) const {
    return std::optional(PublishOutcome{title, std::move(version), false});
  }
};

std::string subject(const VersionRecord& version) {
  return version.title + " " + version.version + " is " + std::string(name_of(version.state));
}

const VersionRecord* newest_ready(const std::vector<VersionRecord>& versions) {
  const auto found = std::find_if(versions.rbegin(), versions.rend(),
                                  [](const VersionRecord& version) { return version.state == VersionState::ready; });
  return found == versions.rend() ? nullptr : &*found;
}

Result<std::optional<PublishOutcome>> attempt_approval(Attempt& attempt, bool& unknown) {
  std::string name = attempt.decision.version;
  if (name.empty()) {
    const VersionRecord* ready = newest_ready(attempt.versions);
    if (ready == nullptr) {
      return error_of(ErrorCode::version_not_ready, "no version of " + attempt.title.title + " waits for approval");
    }
    name = ready->version;
  }
  Result<VersionRecord> version = attempt.version(name);
  if (!version.ok()) return std::move(version).error();
  if (version->state == VersionState::published) return attempt.no_change(name);
  if (version->state != VersionState::ready) return error_of(ErrorCode::version_not_ready, subject(*version));
  version->state = VersionState::published;
  version->published_at_ms = version->decided_at_ms = attempt.now_ms;
  version->decided_by = attempt.decision.by;
  version->decision_reason = attempt.decision.reason;
  REELWAY_TRY(attempt.play(*version));
  if (attempt.title.state != TitleState::unpublished) attempt.title.state = TitleState::published;
  attempt.title.error.reset();
  attempt.note_event(TitleAction::approve, name);
  return attempt.commit_change(name, unknown);
}

Result<std::optional<PublishOutcome>> attempt_rejection(Attempt& attempt, bool& unknown) {
  Result<VersionRecord> version = attempt.version(attempt.decision.version);
  if (!version.ok()) return std::move(version).error();
  if (version->state == VersionState::failed && !version->decided_by.empty())
    return attempt.no_change(version->version);
  if (version->state == VersionState::published) return error_of(ErrorCode::version_in_use, subject(*version));
  if (version->state != VersionState::ready) return error_of(ErrorCode::version_not_ready, subject(*version));
  version->state = VersionState::failed;
  version->decided_at_ms = attempt.now_ms;
  version->decided_by = attempt.decision.by;
  version->decision_reason = attempt.decision.reason;
  version->error =
      error_of(ErrorCode::version_not_ready, "rejected by " + attempt.decision.by + ": " + attempt.decision.reason);
  attempt.put(*version);
  if (attempt.title.current_version.empty()) {
    attempt.title.state = TitleState::failed;
    attempt.title.error = version->error;
  }
  return attempt.commit_change(version->version, unknown);
}

Result<std::optional<PublishOutcome>> attempt_publication(Attempt& attempt, bool& unknown) {
  TitleRecord& title = attempt.title;
  const std::string name = attempt.decision.version.empty() ? title.current_version : attempt.decision.version;
  if (name.empty()) {
    const VersionRecord* ready = newest_ready(attempt.versions);
    if (ready != nullptr) return error_of(ErrorCode::approval_needed, title.title + " " + ready->version);
    return error_of(ErrorCode::title_not_published, title.title + " is " + std::string(name_of(title.state)));
  }
  const Result<VersionRecord> version = attempt.version(name);
  if (!version.ok()) return version.error();
  if (version->state == VersionState::ready) return error_of(ErrorCode::approval_needed, title.title + " " + name);
  if (version->state != VersionState::published) return error_of(ErrorCode::version_not_ready, subject(*version));
  if (title.state == TitleState::published && title.current_version == name) return attempt.no_change(name);
  if (title.state == TitleState::unpublished) attempt.mark(false);
  REELWAY_TRY(attempt.play(*version));
  title.state = TitleState::published;
  attempt.note_event(TitleAction::publish, name);
  return attempt.commit_change(name, unknown);
}

// To itself a title cannot be rolled back, but to where it has been rolled back it can, as often as anybody likes.
Result<std::optional<PublishOutcome>> attempt_roll_back(Attempt& attempt, bool& unknown) {
  TitleRecord& title = attempt.title;
  if (title.current_version.empty()) {
    return error_of(ErrorCode::title_not_published, title.title + " is " + std::string(name_of(title.state)));
  }
  std::string to = attempt.decision.version;
  const bool is_rolled_back = !title.history.empty() && title.history.back().action == TitleAction::roll_back;
  if (to.empty() && is_rolled_back) return attempt.no_change(title.current_version);
  if (to.empty()) {
    const auto former = former_version(title, attempt.versions);
    if (!former) {
      return error_of(ErrorCode::version_not_ready,
                      "no published version of " + title.title + " played before " + title.current_version);
    }
    to = *former;
  }
  if (to == title.current_version) return attempt.no_change(to);
  const Result<VersionRecord> version = attempt.version(to);
  if (!version.ok()) return version.error();
  if (version->state != VersionState::published) return error_of(ErrorCode::version_not_ready, subject(*version));
  REELWAY_TRY(attempt.play(*version));
  attempt.note_event(TitleAction::roll_back, to);
  return attempt.commit_change(to, unknown);
}

Result<std::optional<PublishOutcome>> attempt_withdrawal(Attempt& attempt, bool& unknown) {
  TitleRecord& title = attempt.title;
  if (title.state == TitleState::unpublished) return attempt.no_change(title.current_version);
  if (title.state != TitleState::published) {
    return error_of(ErrorCode::title_not_published, title.title + " is " + std::string(name_of(title.state)));
  }
  title.state = TitleState::unpublished;
  attempt.mark(true);
  attempt.note_event(TitleAction::unpublish, title.current_version);
  return attempt.commit_change(title.current_version, unknown);
}

using Attempting = Result<std::optional<PublishOutcome>> (*)(Attempt& attempt, bool& unknown);

// What has been decided about a title's being on counts in this process at once. The turn keeps two decisions about one
// title from being told in another order than the store has them in.
Result<PublishOutcome> decide_about(const RightsServices& services, const PublishDecision& decision,
                                    Attempting attempting) {
  const std::unique_lock<std::mutex> turn = services.turns.take("title " + decision.title);
  const auto try_once = [&](bool& unknown) -> Result<std::optional<PublishOutcome>> {
    Attempt attempt{services, decision, services.time.now_ms(), {}, {}, {}};
    REELWAY_TRY(attempt.read());
    return attempting(attempt, unknown);
  };
  bool unknown = false;
  for (int count = 0; count < kDecisionAttemptsMax; ++count) {
    Result<std::optional<PublishOutcome>> outcome = try_once(unknown);
    if (!outcome.ok()) return after_unknown(std::move(outcome).error(), unknown);
    if (!outcome->has_value()) continue;
    const PublishOutcome& made = **outcome;
    services.catalog.set_withdrawn(decision.title, made.title.state == TitleState::unpublished);
    if (made.changed) {
      telemetry::log_info("{}: {}, version {}, by {}", decision.title, name_of(made.title.state), made.version,
                          decision.by);
    }
    return made;
  }
  return Error{ErrorCode::store_conflict, Side::client, true, "title " + decision.title + " changes all the time"};
}

}  // namespace

Result<PublishOutcome> approve_version(const RightsServices& services, const PublishDecision& decision) {
  REELWAY_TRY(check_decision(decision, false));
  return decide_about(services, decision, attempt_approval);
}

Result<PublishOutcome> reject_version(const RightsServices& services, const PublishDecision& decision) {
  REELWAY_TRY(check_decision(decision, true));
  if (decision.version.empty()) return error_of(ErrorCode::http_bad_request, "field \"version\": expected which one");
  Result<PublishOutcome> outcome = decide_about(services, decision, attempt_rejection);
  if (outcome.ok()) services.catalog.drop_preview(decision.title, outcome->version);
  return outcome;
}

Result<PublishOutcome> publish_title(const RightsServices& services, const PublishDecision& decision) {
  REELWAY_TRY(check_decision(decision, false));
  return decide_about(services, decision, attempt_publication);
}

Result<PublishOutcome> roll_back_title(const RightsServices& services, const PublishDecision& decision) {
  REELWAY_TRY(check_decision(decision, false));
  return decide_about(services, decision, attempt_roll_back);
}

Result<PublishOutcome> unpublish_title(const RightsServices& services, const PublishDecision& decision) {
  REELWAY_TRY(check_decision(decision, true));
  return decide_about(services, decision, attempt_withdrawal);
}

}  // namespace reelway::origin
