#include "origin/rights/protecting.h"

#include "common/telemetry/log.h"
#include "origin/hls/packaging.h"
#include "origin/rights/decide.h"

namespace reelway::origin {
namespace {

constexpr std::string_view kClear = "cmaf";  // asks for the packaging that has no folder

Error error_of(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

Result<std::optional<hls::Packaging>> asked_packaging(const std::optional<std::string>& asked) {
  if (!asked) return std::optional<hls::Packaging>();
  if (*asked == kClear) return std::optional(hls::Packaging::cmaf);
  const auto packaging = hls::packaging_of_folder(*asked);
  if (packaging) return packaging;
  return error_of(ErrorCode::http_bad_request,
                  "field \"packaging\": expected cmaf, aes, cbcs, cenc, ts, ts-aes or ts-sample-aes");
}

Result<std::optional<ProtectionOutcome>> attempt(const RightsServices& services, const ProtectionChange& change,
                                                 const std::string& name, bool& unknown) {
  Txn txn;
  auto found = find<VersionRecord>(services.store, version_key(change.title, name), parse_version_record, txn.compares);
  if (!found.ok()) return std::move(found).error();
  if (!found->value) return error_of(ErrorCode::version_not_found, change.title + " " + name);
  VersionRecord& version = *found->value;
  // Others are being made, and whoever makes them writes the whole record.
  if (version.state != VersionState::published && version.state != VersionState::ready) {
    return error_of(ErrorCode::version_not_ready,
                    change.title + " " + name + " is " + std::string(name_of(version.state)));
  }
  if (version.is_protected == change.is_protected) return std::optional(ProtectionOutcome{name, false});
  version.is_protected = change.is_protected;
  txn.then_operations.push_back(Operation::put(version_key(change.title, name), to_json(version)));
  const Result<TxnReply> reply = commit(services.store, txn, unknown);
  if (!reply.ok()) return reply.error();
  if (!reply->succeeded) return std::optional<ProtectionOutcome>();
  return std::optional(ProtectionOutcome{name, true});
}

}  // namespace

Result<ProtectionOutcome> set_protection(const RightsServices& services, const ProtectionChange& change) {
  std::string name = change.version;
  if (name.empty()) {
    auto current = services.catalog.current_version(change.title);
    if (!current.ok()) return std::move(current).error();
    name = std::move(current).value();
  }
  const auto outcome = decide<ProtectionOutcome>(
      services.turns, "title:" + change.title, [&](bool& unknown) { return attempt(services, change, name, unknown); });
  if (!outcome.ok()) return outcome.error();
  // What is in memory says what it was.
  services.catalog.forget(change.title, name);
  if (outcome->changed) {
    telemetry::log_info("{} {} is {} from now on", change.title, name,
                        change.is_protected ? "protected" : "in the clear");
  }
  return outcome;
}

Result<std::string> play_folder(const RightsServices& services, const std::string& title, const std::string& version,
                                const std::optional<std::string>& asked, bool is_clip) {
  const auto packaging = asked_packaging(asked);
  if (!packaging.ok()) return packaging.error();
  const auto record = services.catalog.version(title, version);
  if (!record.ok()) return record.error();
  if (record->is_protected && is_clip) {
    return error_of(ErrorCode::packaging_not_offered, title + " " + version + " is protected, and has no clips");
  }
  const hls::Packaging standard = record->is_protected ? services.options.protected_packaging : hls::Packaging::cmaf;
  const hls::PackagingTraits& chosen = hls::traits(packaging->value_or(standard));
  if (record->is_protected == (chosen.protection != hls::Protection::none)) return std::string(chosen.folder);
  return error_of(ErrorCode::packaging_not_offered,
                  title + " " + version + (record->is_protected ? " is protected" : " is in the clear"));
}

}  // namespace reelway::origin
