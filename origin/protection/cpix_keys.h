#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "origin/client/http_connection.h"
#include "origin/protection/cpix.h"

namespace reelway::origin {

struct CpixServer {
  std::string url;
  std::string credential;                        // "Authorization: Bearer ..."; empty for none. Never logged
  std::string ca_file;                           // empty: the system's authorities
  std::vector<std::string> systems;              // UUIDs of DRM systems
  std::chrono::milliseconds time_limit{10'000};  // for one version's keys, all attempts together
};

// Content keys of a key server: one POST of a CPIX document a version (SPEKE 2.0). The ids of the keys follow from
// title, version and original, so that asking again asks for the same keys.
class CpixKeys final : public KeyProvider {
 public:
  CpixKeys(CpixServer server, Random& random);
  Result<VersionKeys> keys(const KeyScope& scope, Patience& patience) override;

 private:
  Result<VersionKeys> ask(const CpixRequest& request, Patience& patience);

  CpixServer server_;
  Random& random_;
  HttpConnection connection_;
};

KeyId derived_key_id(const KeyScope& scope, KeyLabel label);

}  // namespace reelway::origin
