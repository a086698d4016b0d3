#include "edge/policy/upstream_error.h"

#include <array>
#include <string>

namespace reelway::edge {
namespace {

constexpr auto kPassedThrough = std::to_array({ErrorCode::title_not_found, ErrorCode::version_not_found,
                                               ErrorCode::packaging_not_offered, ErrorCode::http_not_found});
// A view that leaves nothing of a title to play.
constexpr auto kViewErrors = std::to_array({ErrorCode::rendition_not_in_offer, ErrorCode::language_not_in_offer});

bool is_error_name(std::string_view name) {
  for (const ErrorInfo& info : error_table()) {
    if (info.name == name) return true;
  }
  return false;
}

}  // namespace

Error upstream_error(std::uint16_t status, std::optional<std::string_view> error_name, std::string_view object_path) {
  if (status == 404 || status == 410) {
    for (ErrorCode code : kPassedThrough) {
      if (error_name && error_info(code).name == *error_name)
        return {code, Side::client, false, std::string(object_path)};
    }
    return {ErrorCode::http_not_found, Side::client, false, std::string(object_path)};
  }
  for (ErrorCode code : kViewErrors) {
    if (error_name && error_info(code).name == *error_name) return {code, Side::client, false, {}};
  }
  std::string detail = "status " + std::to_string(status);
  // Only a known name is repeated to the client: the field's text is the upstream's.
  if (error_name && is_error_name(*error_name)) detail.append(" ").append(*error_name);
  detail.append(" for ").append(object_path);
  return {ErrorCode::upstream_failed, Side::upstream, status >= 500, std::move(detail)};
}

}  // namespace reelway::edge
