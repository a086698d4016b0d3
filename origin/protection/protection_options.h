#pragma once

#include <chrono>
#include <memory>
#include <span>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/config/settings.h"
#include "origin/hls/packaging.h"
#include "origin/protection/cpix_keys.h"
#include "origin/store/control_store.h"

namespace reelway::origin {

struct ProtectionOptions {
  bool protect_new = false;                           // versions ingested from now on
  hls::Packaging packaging = hls::Packaging::cbcs;    // that play URLs of protected versions name
  std::optional<CpixServer> cpix;                     // none: keys of the origin's own
  std::chrono::milliseconds key_lifetime{3'600'000};  // in memory
};

// "protection.default", "protection.keys" ...: to be appended to the origin's options.
std::span<const config::Option> protection_options();
// config_value_invalid names the option and what was expected; errors of config::read_secret().
Result<ProtectionOptions> protection_options(const config::Settings& settings);

Result<std::unique_ptr<KeyProvider>> make_key_provider(const ProtectionOptions& options, ControlStore& store,
                                                       std::string_view seal_secret, const Clock& clock,
                                                       Random& random);

}  // namespace reelway::origin
