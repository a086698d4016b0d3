#include "cli/session.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "common/config/settings.h"

namespace reelway::cli {

Result<HttpClient> Session::origin() const {
  auto credential = config::read_secret(config.origin_credential_file);
  if (!credential) return credential.error();
  return HttpClient{config.origin_url, std::move(*credential)};
}

void Session::print(const std::string& text) const {
  std::fputs(text.c_str(), stdout);
}

void Session::print_json(const Json& value) const {
  std::printf("%s\n", one_line(value).c_str());
}

void Session::remark(const std::string& text) const {
  if (!json) std::fprintf(stderr, "%s\n", text.c_str());
}

std::string user_name() {
  const char* name = std::getenv("USER");
  return name == nullptr ? "" : name;
}

Error usage_error(std::string detail) {
  return {ErrorCode::usage, Side::client, false, std::move(detail)};
}

}  // namespace reelway::cli
