#pragma once

#include "common/access/sealing.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "origin/protection/key_provider.h"
#include "origin/store/control_store.h"

namespace reelway::origin {

// Content keys of the origin's own: random, made when a version's are first asked for, kept in the control store.
//
//   /v1/content_keys/<title>/<version>
//     {"format":1,"created_at_ms":N,"keys":{"sd":{"kid":"<32 hex>","sealed":"<common/access/sealing.h>"},...}}
//
// Sealed with the secret of keys.seal_file, info "reelway-content-key-seal-1", associated data
// "content:<title>/<version>/<label>/<kid>". Thread-safe.
class LocalKeys final : public KeyProvider {
 public:
  static Result<LocalKeys> open(ControlStore& store, std::string_view seal_secret, const Clock& clock, Random& random);
  Result<VersionKeys> keys(const KeyScope& scope, Patience& patience) override;

 private:
  LocalKeys(ControlStore& store, const access::SealingKey& key, const Clock& clock, Random& random)
      : store_(store), seal_(key), clock_(clock), random_(random) {}
  Result<std::string> make_record(const KeyScope& scope) const;
  Result<VersionKeys> open_record(const KeyScope& scope, const std::string& text) const;

  ControlStore& store_;
  access::SealingKey seal_;
  const Clock& clock_;
  Random& random_;
};

std::string content_keys_key(std::string_view title, std::string_view version);

}  // namespace reelway::origin
