#include "origin/quality/quality_store.h"

#include <algorithm>

namespace reelway::origin {
namespace {

constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kNamedFindingsMax = 5;

struct Found {
  std::optional<QualityReport> report;
  Revision revision = 0;
};

Result<Found> find(ControlStore& store, std::string_view title, std::string_view version) {
  const std::string key = quality_key(title, version);
  const Result<std::optional<KeyValue>> entry = store.get(key);
  if (!entry.ok()) return entry.error();
  if (!entry->has_value()) return Found{};
  Result<QualityReport> report = parse_quality_report(key, (*entry)->value);
  if (!report.ok()) return std::move(report).error();
  return Found{std::move(report).value(), (*entry)->mod_revision};
}

// Only over the state that was decided on.
Result<void> put(ControlStore& store, const QualityReport& report, Revision revision) {
  const std::string key = quality_key(report.title, report.version);
  Txn txn;
  txn.compares.push_back(revision == 0 ? Compare::absent(key) : Compare::unchanged(key, revision));
  txn.then_operations.push_back(Operation::put(key, to_json(report)));
  const Result<TxnReply> reply = store.txn(txn);
  if (!reply.ok()) return reply.error();
  if (reply->succeeded) return {};
  return Error{ErrorCode::store_conflict, Side::client, true,
               "the quality report of " + report.title + " " + report.version};
}

std::string subject(std::string_view title, std::string_view version) {
  return "title " + std::string(title) + ", version " + std::string(version);
}

Error bad_request(std::string detail) {
  return {ErrorCode::http_bad_request, Side::client, false, std::move(detail)};
}

Result<void> check_waiver(const WaiveRequest& request) {
  if (request.by.empty() || request.by.size() > kNameBytesMax) {
    return bad_request("field \"by\": expected who waives it, in at most " + std::to_string(kNameBytesMax) + " bytes");
  }
  if (request.reason.find_first_not_of(" \t\r\n") == std::string::npos || request.reason.size() > kReasonBytesMax) {
    return bad_request("field \"reason\": expected why, in at most " + std::to_string(kReasonBytesMax) + " bytes");
  }
  return {};
}

}  // namespace

Result<QualityReport> save_report(ControlStore& store, const Clock& clock, QualityReport report) {
  const Result<Found> former = find(store, report.title, report.version);
  if (!former.ok()) return former.error();
  report.checked_at_ms = clock.wall_ms();
  if (former->report) keep_waivers(report, *former->report);
  REELWAY_TRY(put(store, report, former->revision));
  return report;
}

Result<QualityReport> load_report(ControlStore& store, std::string_view title, std::string_view version) {
  Result<Found> found = find(store, title, version);
  if (!found.ok()) return std::move(found).error();
  if (found->report) return std::move(*found->report);
  return Error{ErrorCode::quality_report_missing, Side::client, false, subject(title, version)};
}

Result<QualityReport> waive(ControlStore& store, const Clock& clock, const WaiveRequest& request) {
  REELWAY_TRY(check_waiver(request));
  Result<Found> found = find(store, request.title, request.version);
  if (!found.ok()) return std::move(found).error();
  if (!found->report) {
    return Error{ErrorCode::quality_report_missing, Side::client, false, subject(request.title, request.version)};
  }
  QualityReport report = std::move(*found->report);
  const auto finding = std::find_if(report.findings.begin(), report.findings.end(),
                                    [&](const Finding& one) { return one.id == request.finding; });
  if (finding == report.findings.end()) {
    return Error{ErrorCode::quality_finding_not_found, Side::client, false,
                 request.finding + " of " + subject(request.title, request.version)};
  }
  finding->waiver = Waiver{request.by, request.reason, clock.wall_ms()};
  REELWAY_TRY(put(store, report, found->revision));
  return report;
}

Result<void> check_publishable(ControlStore& store, std::string_view title, std::string_view version) {
  const Result<Found> found = find(store, title, version);
  if (!found.ok()) return found.error();
  if (!found->report || !verdict(*found->report).holds) return {};
  std::string named;
  std::size_t count = 0;
  for (const Finding& finding : found->report->findings) {
    if (finding.severity != Severity::block || finding.waiver) continue;
    if (++count <= kNamedFindingsMax) named.append(count == 1 ? "" : ", ").append(finding.id);
  }
  if (count > kNamedFindingsMax) named += " and " + std::to_string(count - kNamedFindingsMax) + " more";
  return Error{ErrorCode::quality_blocked, Side::client, false, subject(title, version) + ": " + named};
}

}  // namespace reelway::origin
