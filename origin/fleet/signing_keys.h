#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/access/token.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "origin/fleet/key_records.h"
#include "origin/fleet/key_seal.h"
#include "origin/store/control_store.h"

namespace reelway::origin {

inline constexpr std::size_t kKeysMax = 64;  // kept; beyond it the oldest retired one is dropped

// All signing keys as of one revision. Immutable.
struct KeySet {
  Revision revision = 0;          // of the last change of any key
  access::KeyId signing = 0;      // the key that signs new tokens; 0 when there is none yet
  Revision pointer_revision = 0;  // of kKeyPointer
  std::vector<KeyRecord> keys;    // by number
};

// {"revision":N,"keys":[{"kid":1,"state":"active","public":"..."}]}: what edges fetch.
std::string keys_document(const KeySet& keys);

// The keys that sign play URLs, kept in the control store and in memory. Changes by another origin arrive by watch.
// Thread-safe; everything but current() and stale() may block.
class SigningKeys {
 public:
  // Makes the first key if there is none. stored_data_corrupt when the seal secret does not open the signing key.
  static Result<std::unique_ptr<SigningKeys>> open(ControlStore& store, KeySeal seal, const Clock& clock,
                                                   Random& random);
  ~SigningKeys();
  SigningKeys(const SigningKeys&) = delete;
  SigningKeys& operator=(const SigningKeys&) = delete;

  // From memory.
  std::shared_ptr<const KeySet> current() const;
  // The watch was lost: current() may be old until refresh().
  bool stale() const;
  Result<void> refresh();

  // A new key signs from now on; the others go on verifying. overloaded when kKeysMax keys are active.
  Result<access::KeyId> rotate();
  // The key's tokens end at once, everywhere. Retiring the signing key makes a new one in the same transaction.
  // key_not_found. Retiring a retired key changes nothing.
  Result<void> retire(access::KeyId kid);

  // Fills in the kid and signs.
  struct Signed {
    access::KeyId kid = 0;
    std::string text;
  };
  Result<Signed> sign(access::Token token) const;

 private:
  struct Shared;  // what the watch's thread and callers share
  SigningKeys(ControlStore& store, KeySeal seal, const Clock& clock, Random& random);

  // Decides on a change from the keys as they are: the transaction that makes it, or an empty one when it is made.
  using Plan = std::function<Result<Txn>(const KeySet&)>;
  Result<void> change(const Plan& plan);
  // A key that is about to be made. Kept over the attempts of one change, so that it is made once.
  struct Draft {
    access::KeyId kid = 0;
    access::PublicKey public_key{};
  };
  Result<void> add_new_key(const KeySet& keys, std::optional<Draft>& draft, Txn& txn) const;
  Result<void> load();
  void watch();

  ControlStore& store_;
  const Clock& clock_;
  Random& random_;
  std::shared_ptr<Shared> shared_;
  std::mutex watch_mutex_;
  std::unique_ptr<Watch> watch_;  // guarded by watch_mutex_
};

}  // namespace reelway::origin
