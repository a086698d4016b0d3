#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace reelway::origin {

inline constexpr std::size_t kEdgeSecretCharactersMin = 16;
inline constexpr std::size_t kEdgesMax = 10'000;

// The secret in "Bearer <secret>"; empty when the field has another form.
std::string_view bearer_secret(std::string_view authorization);

// Takes as long whatever the place of the first difference. The length of a secret is not hidden.
bool secrets_equal(std::string_view a, std::string_view b);

// Which edges may use the media port, from a file of lines "<edge-id> <secret>"; "#" begins a comment line.
class EdgeCredentials {
 public:
  // config_unreadable; config_value_invalid names file and line, and refuses a file that others may read.
  static Result<EdgeCredentials> load(const std::string& file);
  static Result<EdgeCredentials> parse(std::string_view text, const std::string& file_name);

  // An unknown edge takes as long as a wrong secret.
  bool allows(std::string_view edge_id, std::string_view secret) const;
  std::size_t count() const { return secrets_.size(); }

 private:
  std::map<std::string, std::string, std::less<>> secrets_;
};

}  // namespace reelway::origin
