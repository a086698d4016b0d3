#include "edge/store/purge_rules.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "common/base/check.h"

// Model: a key is "<path and query>|<view>" of a film, or "s|<host>|<path and query>" of a site, with a tab and more
// behind it for a variant (docs/formats/edge_store.md). A rule's path is compared with what follows the host.

namespace reelway::edge {
namespace {

struct KeyParts {
  std::string_view host;
  std::string_view rest;
  char path_end = '|';
};

KeyParts parts_of(std::string_view key) {
  constexpr std::string_view kSite = "s|";
  if (!key.starts_with(kSite)) return {{}, key};
  const std::size_t end = key.find('|', kSite.size());
  if (end == std::string_view::npos) return {{}, key};
  return {key.substr(kSite.size(), end - kSite.size()), key.substr(end + 1), '\t'};
}

// "https://www.example.org/a" -> host and path
std::optional<std::pair<std::string, std::string>> split_value(std::string_view value) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (value.starts_with(scheme)) value.remove_prefix(scheme.size());
  }
  const std::size_t slash = value.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::string host(value.substr(0, slash));
  std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::pair(std::move(host), std::string(value.substr(slash)));
}

void write_text(ByteWriter& out, std::string_view text) {
  out.u32(static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

}  // namespace

std::uint64_t tag_hash(std::string_view tag) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : tag) hash = (hash ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3;
  hash ^= hash >> 32;
  return hash * 0x9e3779b97f4a7c15;
}

bool PurgeRule::matches_key(std::string_view key) const {
  if (kind == PurgeRequest::Kind::tag) return false;
  const KeyParts parts = parts_of(key);
  if (!host.empty() && parts.host != host) return false;
  if (!parts.rest.starts_with(text)) return false;
  const bool ends_here = parts.rest.size() == text.size() || parts.rest[text.size()] == parts.path_end;
  return kind == PurgeRequest::Kind::prefix || ends_here;
}

bool PurgeRule::matches(std::string_view key, std::span<const std::string> tags) const {
  if (kind != PurgeRequest::Kind::tag) return matches_key(key);
  return std::find(tags.begin(), tags.end(), text) != tags.end();
}

bool PurgeRule::matches(std::string_view key, std::span<const std::uint64_t> tag_hashes) const {
  if (kind != PurgeRequest::Kind::tag) return matches_key(key);
  return std::find(tag_hashes.begin(), tag_hashes.end(), hash) != tag_hashes.end();
}

void PurgeRule::note(std::string_view key, bool in_memory, bool on_disk) {
  ++found.objects;
  if (in_memory) ++found.memory_objects;
  if (on_disk) ++found.disk_objects;
  found.is_truncated = found.keys.size() == PurgeResult::kKeysMax;
  if (!found.is_truncated) found.keys.emplace_back(key);
}

void PurgeRules::raise_epoch(std::uint64_t at_least) {
  epoch_ = std::max(epoch_, at_least);
}

Result<PurgeRule*> PurgeRules::add(const PurgeRequest& request, std::int64_t now_ms) {
  PurgeRule rule;
  rule.kind = request.kind;
  rule.soft = request.soft;
  rule.at_ms = now_ms;
  const auto refuse = [](std::string why) {
    return Error{ErrorCode::http_bad_request, Side::client, false, std::move(why)};
  };
  if (request.value.empty() || request.value.size() > PurgeRequest::kValueBytesMax) {
    return refuse("what to purge must have 1 to 4096 bytes");
  }
  if (request.kind == PurgeRequest::Kind::tag) {
    rule.text = request.value;
    rule.hash = tag_hash(rule.text);
  } else {
    auto parts = split_value(request.value);
    if (!parts) return refuse("a URL or prefix to purge must contain a path that begins with /");
    rule.host = std::move(parts->first);
    rule.text = std::move(parts->second);
  }
  raise_epoch(std::max(epoch_ + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(now_ms, 0))));
  rule.epoch = epoch_;
  return &rules_.emplace_back(std::move(rule));
}

Bytes PurgeRules::encode(const PurgeRule& rule) {
  ByteWriter out;
  out.u64(rule.epoch);
  out.i64(rule.at_ms);
  out.u8(rule.soft ? 1 : 0);
  out.u8(static_cast<std::uint8_t>(rule.kind));
  write_text(out, rule.host);
  write_text(out, rule.text);
  return out.take();
}

PurgeRule* PurgeRules::restore(ByteView stored) {
  ByteReader in(stored);
  PurgeRule rule;
  rule.epoch = in.u64();
  rule.at_ms = in.i64();
  rule.soft = in.u8() != 0;
  const std::uint8_t kind = in.u8();
  rule.host = as_text(in.take(in.u32()));
  rule.text = as_text(in.take(in.u32()));
  if (in.failed() || !in.at_end() || kind > static_cast<std::uint8_t>(PurgeRequest::Kind::tag)) return nullptr;
  rule.kind = static_cast<PurgeRequest::Kind>(kind);
  rule.hash = tag_hash(rule.text);
  raise_epoch(rule.epoch);
  // Each disk has it.
  for (PurgeRule& known : rules_) {
    if (known.epoch == rule.epoch) return &known;
  }
  return &rules_.emplace_back(std::move(rule));
}

void PurgeRules::retire(const PurgeRule& rule) {
  const auto at = std::find_if(rules_.begin(), rules_.end(), [&](const PurgeRule& other) { return &other == &rule; });
  CHECK(at != rules_.end());
  rules_.erase(at);
}

template <class Tags>
PurgeRule* PurgeRules::find_for(std::string_view key, std::uint64_t epoch, Tags tags) {
  PurgeRule* best = nullptr;
  for (PurgeRule& rule : rules_) {
    if (epoch >= rule.epoch || !rule.matches(key, tags)) continue;
    if (best == nullptr || (best->soft && !rule.soft) || (best->soft == rule.soft && best->epoch < rule.epoch)) {
      best = &rule;
    }
  }
  return best;
}

template PurgeRule* PurgeRules::find_for(std::string_view, std::uint64_t, std::span<const std::string>);
template PurgeRule* PurgeRules::find_for(std::string_view, std::uint64_t, std::span<const std::uint64_t>);

}  // namespace reelway::edge
