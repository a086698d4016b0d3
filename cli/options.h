#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/config/settings.h"

namespace reelway::cli {

// Where the command finds the servers. Credentials stay in their files until a call needs one.
struct EdgeAddress {
  std::string public_url;
  std::string admin_url;
  std::string credential_file;
};

struct CliConfig {
  std::string origin_url;
  std::string origin_credential_file;
  std::vector<EdgeAddress> edges;
};

inline constexpr const char* kDefaultConfigFile = "/etc/reelway/reelway.yaml";

std::span<const config::Option> options();
Result<CliConfig> load_config(const std::string& file);
// "<public base URL> <admin URL> <admin credential file>"; config_value_invalid otherwise.
Result<EdgeAddress> parse_edge_address(const std::string& text);

}  // namespace reelway::cli
