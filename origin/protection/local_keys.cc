#include "origin/protection/local_keys.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/encoding.h"
#include "common/telemetry/log.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;
constexpr int kAttemptsMax = 5;
constexpr std::string_view kSealInfo = "reelway-content-key-seal-1";

std::string associated(const KeyScope& scope, std::string_view label, std::string_view kid) {
  std::string text = "content:" + scope.title + "/" + scope.version + "/";
  return text.append(label).append("/").append(kid);
}

Error corrupt(const KeyScope& scope, const std::string& what) {
  return {ErrorCode::stored_data_corrupt, Side::disk, false,
          "control store key " + content_keys_key(scope.title, scope.version) + ": " + what};
}

// A UUID of version 4 (RFC 9562 section 5.4), because key servers take no other key ids.
KeyId random_kid(Random& random) {
  KeyId id{};
  random.fill(id);
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x40);
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);
  return id;
}

}  // namespace

std::string content_keys_key(std::string_view title, std::string_view version) {
  return std::string("/v1/content_keys/").append(title).append("/").append(version);
}

Result<LocalKeys> LocalKeys::open(ControlStore& store, std::string_view seal_secret, const Clock& clock,
                                  Random& random) {
  const auto key = access::derive_sealing_key(seal_secret, kSealInfo);
  if (!key) return key.error();
  return LocalKeys(store, *key, clock, random);
}

// Of many that ask for the first time at once one makes the keys; the others find them.
Result<VersionKeys> LocalKeys::keys(const KeyScope& scope, Patience&) {
  const std::string key = content_keys_key(scope.title, scope.version);
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    const auto found = store_.get(key);
    if (!found) return found.error();
    if (*found) return open_record(scope, (*found)->value);
    auto record = make_record(scope);
    if (!record) return std::move(record).error();
    Txn txn;
    txn.compares.push_back(Compare::absent(key));
    txn.then_operations.push_back(Operation::put(key, std::move(record).value()));
    const auto reply = store_.txn(txn);
    // After "unknown" the next look says whether they were made.
    if (!reply && reply.error().code != ErrorCode::store_unknown) return reply.error();
    if (reply && reply->succeeded) telemetry::log_info("made the content keys of {} {}", scope.title, scope.version);
  }
  return Error{ErrorCode::store_conflict, Side::self, true, key + " could not be made"};
}

Result<std::string> LocalKeys::make_record(const KeyScope& scope) const {
  json keys = json::object();
  for (const std::string_view label : kKeyLabels) {
    const std::string kid = hex(random_kid(random_));
    std::array<std::uint8_t, 16> key{};
    random_.fill(key);
    auto sealed = access::seal_bytes(seal_, key, associated(scope, label, kid), random_);
    key.fill(0);
    if (!sealed) return std::move(sealed).error();
    keys[std::string(label)] = {{"kid", kid}, {"sealed", std::move(sealed).value()}};
  }
  return json{{"format", kFormat}, {"created_at_ms", clock_.wall_ms()}, {"keys", std::move(keys)}}.dump();
}

Result<VersionKeys> LocalKeys::open_record(const KeyScope& scope, const std::string& text) const {
  const json record = json::parse(text, nullptr, false);
  if (!record.is_object() || record.value("format", json()) != kFormat) return corrupt(scope, "not of format 1");
  const json all = record.value("keys", json());
  VersionKeys keys;
  for (std::size_t i = 0; i < kKeyLabels.size(); ++i) {
    const std::string label(kKeyLabels[i]);
    const json entry = all.is_object() ? all.value(label, json()) : json();
    const json kid = entry.is_object() ? entry.value("kid", json()) : json();
    const json sealed = entry.is_object() ? entry.value("sealed", json()) : json();
    const auto id = kid.is_string() ? from_hex(kid.get<std::string>()) : std::nullopt;
    ProvidedKey& key = keys[static_cast<KeyLabel>(i)];
    if (!id || id->size() != key.id.size() || !sealed.is_string()) return corrupt(scope, "no key \"" + label + "\"");
    std::copy(id->begin(), id->end(), key.id.begin());
    const auto opened = access::open_sealed(seal_, sealed.get<std::string>(),
                                            associated(scope, label, kid.get<std::string>()), key.key.size());
    if (!opened) {
      return corrupt(scope, "key \"" + label +
                                "\" does not open with the secret in keys.seal_file; put back the "
                                "secret that sealed it");
    }
    std::copy(opened->begin(), opened->end(), key.key.begin());
  }
  return keys;
}

}  // namespace reelway::origin
