#include "edge/admin/credential.h"

#include "common/http/message.h"

namespace reelway::edge {
namespace {

bool equal_in_constant_time(std::string_view guess, std::string_view secret) {
  volatile unsigned char difference = guess.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < guess.size(); ++i) {
    const char expected = secret.empty() ? '\0' : secret[i % secret.size()];
    difference = difference | static_cast<unsigned char>(guess[i] ^ expected);
  }
  return difference == 0;
}

}  // namespace

Result<void> check_credential(std::optional<std::string_view> authorization, std::string_view credential) {
  if (!authorization) return Error{ErrorCode::credential_missing, Side::client, false, {}};
  constexpr std::string_view kScheme = "Bearer ";
  const bool is_bearer =
      authorization->size() > kScheme.size() &&
      http::names_equal(authorization->substr(0, kScheme.size() - 1), kScheme.substr(0, kScheme.size() - 1)) &&
      (*authorization)[kScheme.size() - 1] == ' ';
  if (!is_bearer) {
    return Error{ErrorCode::credential_missing, Side::client, false, "Authorization is not Bearer with a credential"};
  }
  if (!equal_in_constant_time(authorization->substr(kScheme.size()), credential)) {
    return Error{ErrorCode::credential_wrong, Side::client, false, {}};
  }
  return {};
}

}  // namespace reelway::edge
