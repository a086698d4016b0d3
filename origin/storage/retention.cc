#include "origin/storage/retention.h"

#include <algorithm>
#include <array>
#include <optional>

#include "common/config/values.h"

namespace reelway::origin {
namespace {

using std::chrono::milliseconds;

bool is_published(const VersionRecord& version) {
  return version.state == VersionState::published;
}

std::string text_of(milliseconds time) {
  return config::format_duration_ms(time.count());
}

std::uint64_t film_bytes(const VersionRecord& version) {
  std::uint64_t bytes = 0;
  for (const TrackRecord& track : version.tracks) bytes += track.bytes;
  for (const TextTrackRecord& text : version.texts) bytes += text.cues.bytes + (text.ttml ? text.ttml->bytes : 0);
  for (const ImageTrackRecord& image : version.images) bytes += image.sheets.bytes + image.bif.bytes;
  return bytes;
}

// Superseded versions whose films may go: the oldest first, without those that are kept to roll back to.
std::vector<Removal> old_films(const TitleHoldings& holdings, const UseRecord& use, const RetentionRules& rules,
                               std::int64_t now_ms) {
  std::vector<Removal> removals;
  if (!rules.versions_keep) return removals;
  const milliseconds keep = std::max(*rules.versions_keep, rules.sessions_max);
  std::vector<UseRecord::Superseded> superseded = use.superseded;
  std::sort(superseded.begin(), superseded.end(), [](const auto& a, const auto& b) {
    return std::pair(a.since_ms, version_number(a.version)) < std::pair(b.since_ms, version_number(b.version));
  });
  superseded.resize(superseded.size() - std::min(superseded.size(), rules.versions_kept_min));
  for (const UseRecord::Superseded& each : superseded) {
    const auto version = std::find_if(holdings.versions.begin(), holdings.versions.end(),
                                      [&](const VersionRecord& record) { return record.version == each.version; });
    if (version == holdings.versions.end() || !is_published(*version)) continue;
    if (each.version == current_of(holdings) || holdings.in_work.contains(each.version)) continue;
    if (now_ms - each.since_ms < keep.count()) continue;
    const auto held = holdings.held_until_ms.find(each.version);
    if (held != holdings.held_until_ms.end() && now_ms < held->second) continue;
    removals.push_back({Removal::Kind::film, holdings.title.title, each.version, "", film_bytes(*version),
                        "superseded for longer than " + text_of(keep)});
  }
  return removals;
}

// What came in for a version: names and sizes.
std::vector<std::pair<std::string, std::uint64_t>> originals_of(const VersionRecord& version) {
  std::vector<std::pair<std::string, std::uint64_t>> originals{{"original/source", version.source_bytes}};
  for (const DeliveredFile& file : version.files) originals.emplace_back("original/" + file.name, file.bytes);
  return originals;
}

// Why a version's original may go; nothing: it stays.
std::optional<std::string> original_reason(const VersionRecord& version, const RetentionRules& rules,
                                           std::int64_t now_ms) {
  const bool has_failed = version.state == VersionState::failed;
  const std::optional<milliseconds> keep = has_failed ? rules.failed_keep : rules.originals_keep;
  // When an ingest failed is not recorded; it was made before that.
  const std::int64_t since = has_failed ? version.created_at_ms : version.published_at_ms;
  const bool has_ended = has_failed || is_published(version) || version.state == VersionState::removed;
  if (!keep || !has_ended || now_ms - since < keep->count()) return std::nullopt;
  return std::string(has_failed ? "its ingest failed" : "published") + " more than " + text_of(*keep) + " ago";
}

}  // namespace

std::string_view name_of(Removal::Kind kind) {
  constexpr std::array<std::string_view, 3> kNames{"film", "original", "move"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string current_of(const TitleHoldings& holdings) {
  if (!holdings.title.current_version.empty()) return holdings.title.current_version;
  const auto newest = std::find_if(holdings.versions.rbegin(), holdings.versions.rend(), is_published);
  return newest == holdings.versions.rend() ? std::string() : newest->version;
}

UseRecord follow_use(const UseRecord& before, const TitleHoldings& holdings, std::int64_t now_ms) {
  const std::string current = current_of(holdings);
  UseRecord after{holdings.title.title, holdings.changes, current, {}};
  const std::int64_t changes = holdings.changes - before.changes;
  const bool may_know = changes == 0 || changes == 1;
  for (const VersionRecord& version : holdings.versions) {
    if (!is_published(version) || version.version == current) continue;
    const auto known = std::find_if(before.superseded.begin(), before.superseded.end(),
                                    [&](const auto& each) { return each.version == version.version; });
    const bool is_known = may_know && known != before.superseded.end();
    after.superseded.push_back({version.version, is_known ? known->since_ms : now_ms});
  }
  return after;
}

std::vector<Removal> removable(const TitleHoldings& holdings, const UseRecord& use, const RetentionRules& rules,
                               bool originals_in_bucket, std::int64_t now_ms) {
  std::vector<Removal> removals = old_films(holdings, use, rules, now_ms);
  for (const VersionRecord& version : holdings.versions) {
    if (holdings.in_work.contains(version.version)) continue;
    const auto reason = original_reason(version, rules, now_ms);
    const bool has_ended = is_published(version) || version.state == VersionState::removed;
    for (const auto& [name, bytes] : originals_of(version)) {
      const auto known = holdings.files.find({version.title, version.version, name});
      const FileRecord record = known == holdings.files.end() ? FileRecord{} : known->second;
      if (record.removed_at_ms != 0) continue;
      const std::uint64_t on_disk = record.moved_at_ms != 0 ? 0 : bytes;
      const bool is_sound = !record.finding || record.finding->mended_at_ms != 0;
      if (reason) {
        removals.push_back({Removal::Kind::original, version.title, version.version, name, on_disk, *reason});
      } else if (originals_in_bucket && has_ended && record.copy && is_sound && record.moved_at_ms == 0) {
        removals.push_back({Removal::Kind::move, version.title, version.version, name, bytes, "the bucket has it"});
      }
    }
  }
  return removals;
}

}  // namespace reelway::origin
