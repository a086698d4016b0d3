#include "origin/fleet/signing_keys.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "common/base/encoding.h"
#include "common/telemetry/log.h"

// The model. The control store owns the keys. Shared holds the newest state of their store keys that this process has
// seen, by range or by watch, whichever came last, and the KeySet built from it. A change is planned on a fresh range,
// committed by a transaction that compares what the plan relied on, and planned anew when another change came first. So
// two origins may rotate and retire at once; each change happens once.

namespace reelway::origin {
namespace {

constexpr int kAttemptsMax = 5;
constexpr std::size_t kRangeMax = 2 * kKeysMax;

Error key_error(ErrorCode code, std::string detail) {
  Error error;
  error.code = code;
  error.side = Side::client;
  error.detail = std::move(detail);
  return error;
}

std::size_t active_count(const KeySet& keys) {
  return static_cast<std::size_t>(
      std::count_if(keys.keys.begin(), keys.keys.end(), [](const KeyRecord& key) { return !key.retired; }));
}

}  // namespace

std::string keys_document(const KeySet& keys) {
  nlohmann::json list = nlohmann::json::array();
  for (const KeyRecord& key : keys.keys) {
    list.push_back(
        {{"kid", key.kid}, {"state", key.retired ? "retired" : "active"}, {"public", base64url(key.public_key)}});
  }
  return nlohmann::json{{"revision", keys.revision}, {"keys", std::move(list)}}.dump();
}

// Everything but `seal` is guarded by mutex.
struct SigningKeys::Shared {
  explicit Shared(KeySeal key_seal) : seal(key_seal) {}

  const KeySeal seal;
  std::mutex mutex;
  std::map<std::string, KeyValue> entries;
  Revision applied = 0;  // entries are as of this revision
  std::shared_ptr<const KeySet> keys = std::make_shared<KeySet>();
  access::PrivateKey signing_private{};
  bool stale = true;

  Result<void> apply_range(const Page& page) {
    std::lock_guard lock(mutex);
    if (page.revision < applied) return {};
    entries.clear();
    for (const KeyValue& entry : page.entries) entries[entry.key] = entry;
    applied = page.revision;
    stale = false;
    return rebuild();
  }

  void apply_watch(const WatchMessage& message) {
    std::lock_guard lock(mutex);
    const auto* batch = std::get_if<WatchBatch>(&message);
    if (batch == nullptr) {
      stale = true;
      return;
    }
    if (batch->revision <= applied) return;
    for (const WatchBatch::Event& event : batch->events) {
      if (event.erased) {
        entries.erase(event.entry.key);
      } else {
        entries[event.entry.key] = event.entry;
      }
    }
    applied = batch->revision;
    if (const auto built = rebuild(); !built) {
      stale = true;
      telemetry::log_error("signing keys: {}", describe(built.error()));
    }
  }

  // On an error the former set stays.
  Result<void> rebuild() {
    auto built = std::make_shared<KeySet>();
    for (const auto& [name, entry] : entries) {
      built->revision = std::max(built->revision, entry.mod_revision);
      if (name == kKeyPointer) {
        const auto kid = parse_key_pointer(entry.value);
        if (!kid) return kid.error();
        built->signing = *kid;
        built->pointer_revision = entry.mod_revision;
      } else if (name.starts_with(kKeyPrefix)) {
        auto record = parse_key_record(name, entry.value);
        if (!record) return record.error();
        record->mod_revision = entry.mod_revision;
        built->keys.push_back(std::move(record).value());
      }
    }
    std::sort(built->keys.begin(), built->keys.end(),
              [](const KeyRecord& a, const KeyRecord& b) { return a.kid < b.kid; });
    REELWAY_TRY(open_signing_key(*built));
    keys = std::move(built);
    return {};
  }

  Result<void> open_signing_key(const KeySet& built) {
    if (built.signing == 0) return {};
    const auto record = std::find_if(built.keys.begin(), built.keys.end(),
                                     [&](const KeyRecord& key) { return key.kid == built.signing; });
    if (record == built.keys.end()) {
      return key_error(ErrorCode::stored_data_corrupt,
                       "the signing key " + std::to_string(built.signing) + " is missing");
    }
    auto opened = seal.open(record->sealed_private, record->kid);
    if (!opened) return opened.error();
    signing_private = *opened;
    return {};
  }
};

SigningKeys::SigningKeys(ControlStore& store, KeySeal seal, const Clock& clock, Random& random)
    : store_(store), clock_(clock), random_(random), shared_(std::make_shared<Shared>(seal)) {}

SigningKeys::~SigningKeys() = default;

Result<std::unique_ptr<SigningKeys>> SigningKeys::open(ControlStore& store, KeySeal seal, const Clock& clock,
                                                       Random& random) {
  std::unique_ptr<SigningKeys> keys(new SigningKeys(store, seal, clock, random));
  REELWAY_TRY(keys->load());
  if (keys->current()->signing == 0) {
    auto first = keys->rotate();
    if (!first) return first.error();
    telemetry::log_info("made the first signing key, number {}", *first);
  }
  keys->watch();
  return keys;
}

Result<void> SigningKeys::load() {
  const auto page = store_.range(kKeysPrefix, kRangeMax);
  if (!page) return page.error();
  return shared_->apply_range(*page);
}

void SigningKeys::watch() {
  Revision from = 0;
  {
    std::lock_guard lock(shared_->mutex);
    from = shared_->applied + 1;
  }
  std::lock_guard lock(watch_mutex_);
  watch_.reset();
  watch_ = store_.watch(std::string(kKeysPrefix), from,
                        [shared = shared_](const WatchMessage& message) { shared->apply_watch(message); });
}

std::shared_ptr<const KeySet> SigningKeys::current() const {
  std::lock_guard lock(shared_->mutex);
  return shared_->keys;
}

bool SigningKeys::stale() const {
  std::lock_guard lock(shared_->mutex);
  return shared_->stale;
}

Result<void> SigningKeys::refresh() {
  REELWAY_TRY(load());
  watch();
  return {};
}

Result<void> SigningKeys::change(const Plan& plan) {
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    REELWAY_TRY(load());
    const auto txn = plan(*current());
    if (!txn) return txn.error();
    if (txn->then_operations.empty()) return {};
    const auto reply = store_.txn(*txn);
    // After "unknown" the next plan sees whether the change has been made.
    if (!reply && reply.error().code != ErrorCode::store_unknown) return reply.error();
    if (reply && reply->succeeded) return load();
  }
  return key_error(ErrorCode::store_conflict,
                   "the signing keys changed " + std::to_string(kAttemptsMax) + " times meanwhile");
}

Result<access::KeyId> SigningKeys::rotate() {
  std::optional<Draft> draft;
  const auto made = change([&](const KeySet& keys) -> Result<Txn> {
    Txn txn;
    REELWAY_TRY(add_new_key(keys, draft, txn));
    return txn;
  });
  if (!made) return made.error();
  return draft->kid;
}

// Adds the making of a new signing key to the transaction, unless the draft's key is in the set already.
Result<void> SigningKeys::add_new_key(const KeySet& keys, std::optional<Draft>& draft, Txn& txn) const {
  if (draft) {
    const auto made = std::find_if(keys.keys.begin(), keys.keys.end(),
                                   [&](const KeyRecord& key) { return key.public_key == draft->public_key; });
    if (made != keys.keys.end()) return {};
  }
  if (active_count(keys) >= kKeysMax) {
    return key_error(ErrorCode::overloaded,
                     std::to_string(kKeysMax) + " keys are active; retire those no longer needed");
  }
  const auto pair = access::generate_key_pair();
  if (!pair) return pair.error();
  const access::KeyId kid = keys.keys.empty() ? 1 : keys.keys.back().kid + 1;
  auto sealed = shared_->seal.seal(pair->private_key, kid, random_);
  if (!sealed) return sealed.error();
  KeyRecord record;
  record.kid = kid;
  record.public_key = pair->public_key;
  record.sealed_private = std::move(sealed).value();
  record.created_at_ms = clock_.wall_ms();
  draft = Draft{kid, pair->public_key};
  txn.compares.push_back(Compare::absent(key_record_key(kid)));
  txn.compares.push_back(Compare::unchanged(std::string(kKeyPointer), keys.pointer_revision));
  txn.then_operations.push_back(Operation::put(key_record_key(kid), to_json(record)));
  txn.then_operations.push_back(Operation::put(std::string(kKeyPointer), key_pointer_json(kid)));
  if (keys.keys.size() < kKeysMax) return {};
  // Edges then call its tokens' key unknown instead of retired; they are refused alike.
  const auto oldest =
      std::find_if(keys.keys.begin(), keys.keys.end(), [](const KeyRecord& key) { return key.retired; });
  if (oldest != keys.keys.end()) txn.then_operations.push_back(Operation::erase(key_record_key(oldest->kid)));
  return {};
}

Result<void> SigningKeys::retire(access::KeyId kid) {
  std::optional<Draft> successor;
  return change([&](const KeySet& keys) -> Result<Txn> {
    const auto found =
        std::find_if(keys.keys.begin(), keys.keys.end(), [kid](const KeyRecord& key) { return key.kid == kid; });
    if (found == keys.keys.end()) return key_error(ErrorCode::key_not_found, "key " + std::to_string(kid));
    Txn txn;
    if (found->retired) return txn;
    KeyRecord retired = *found;
    retired.retired = true;
    retired.retired_at_ms = clock_.wall_ms();
    txn.compares.push_back(Compare::unchanged(key_record_key(kid), found->mod_revision));
    txn.then_operations.push_back(Operation::put(key_record_key(kid), to_json(retired)));
    if (keys.signing == kid) {
      // Something must sign: the successor takes the place in the same transaction.
      REELWAY_TRY(add_new_key(keys, successor, txn));
    } else {
      txn.compares.push_back(Compare::unchanged(std::string(kKeyPointer), keys.pointer_revision));
    }
    return txn;
  });
}

Result<SigningKeys::Signed> SigningKeys::sign(access::Token token) const {
  access::PrivateKey key;
  {
    std::lock_guard lock(shared_->mutex);
    token.kid = shared_->keys->signing;
    key = shared_->signing_private;
  }
  auto text = access::sign_token(token, key);
  if (!text) return text.error();
  return Signed{token.kid, std::move(text).value()};
}

}  // namespace reelway::origin
