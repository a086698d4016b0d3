#include "origin/request/api_routes.h"

#include <array>

namespace reelway::origin {
namespace {

using http::Method;

constexpr std::size_t kParameterBytesMax = 128;

constexpr std::array kRoutes = {
    Route{Method::post, "/v1/uploads", "begin_upload", RouteKind::call, begin_upload},
    Route{Method::get, "/v1/uploads", "list_uploads", RouteKind::call, list_uploads},
    Route{Method::put, "/v1/uploads/{}", "upload", RouteKind::upload, nullptr},
    Route{Method::get, "/v1/object-stores", "list_object_stores", RouteKind::call, list_object_stores},
    Route{Method::post, "/v1/object-stores/list", "list_objects", RouteKind::call, list_objects},
    Route{Method::post, "/v1/imports", "begin_import", RouteKind::call, begin_import},
    Route{Method::get, "/v1/imports", "list_imports", RouteKind::call, list_imports},
    Route{Method::get, "/v1/imports/{}", "show_import", RouteKind::call, show_import},
    Route{Method::post, "/v1/imports/{}/cancel", "cancel_import", RouteKind::call, cancel_import},
    Route{Method::post, "/v1/imports/{}/resume", "resume_import", RouteKind::call, resume_import},
    Route{Method::get, "/v1/uploads/{}", "show_upload", RouteKind::call, show_upload},
    Route{Method::delete_, "/v1/uploads/{}", "delete_upload", RouteKind::call, delete_upload},
    Route{Method::options, "/v1/tus", "tus_options", RouteKind::tus, nullptr},
    Route{Method::post, "/v1/tus", "tus_create", RouteKind::tus, nullptr},
    Route{Method::options, "/v1/tus/{}", "tus_upload_options", RouteKind::tus, nullptr},
    Route{Method::head, "/v1/tus/{}", "tus_offset", RouteKind::tus, nullptr},
    Route{Method::patch, "/v1/tus/{}", "tus_patch", RouteKind::tus, nullptr},
    Route{Method::delete_, "/v1/tus/{}", "tus_terminate", RouteKind::tus, nullptr},
    Route{Method::post, "/v1/deliveries/check", "check_delivery", RouteKind::call, check_delivery},
    Route{Method::post, "/v1/deliveries", "begin_delivery", RouteKind::call, begin_delivery_title},
    Route{Method::post, "/v1/titles", "create_title", RouteKind::call, create_title},
    Route{Method::get, "/v1/titles", "list_titles", RouteKind::call, list_titles},
    Route{Method::get, "/v1/titles/{}", "show_title", RouteKind::call, show_title},
    Route{Method::post, "/v1/titles/{}/approve", "approve", RouteKind::call, approve},
    Route{Method::post, "/v1/titles/{}/reject", "reject", RouteKind::call, reject},
    Route{Method::post, "/v1/titles/{}/publish", "publish", RouteKind::call, publish},
    Route{Method::post, "/v1/titles/{}/rollback", "roll_back", RouteKind::call, roll_back},
    Route{Method::post, "/v1/titles/{}/unpublish", "unpublish", RouteKind::call, unpublish},
    Route{Method::post, "/v1/titles/{}/protection", "protect", RouteKind::call, protect},
    Route{Method::get, "/v1/titles/{}/quality", "show_quality", RouteKind::call, show_quality},
    Route{Method::get, "/v1/titles/{}/versions/{}/quality", "show_version_quality", RouteKind::call,
          show_version_quality},
    Route{Method::get, "/v1/titles/{}/versions/{}/quality/{}/picture", "show_finding_picture", RouteKind::call,
          show_finding_picture},
    Route{Method::post, "/v1/titles/{}/versions/{}/quality/{}/waive", "waive_finding", RouteKind::call, waive_finding},
    Route{Method::get, "/v1/titles/{}/storage", "show_title_storage", RouteKind::call, show_title_storage},
    Route{Method::post, "/v1/titles/{}/versions/{}/original/recall", "recall_original", RouteKind::call,
          recall_original},
    Route{Method::get, "/v1/storage", "list_storage", RouteKind::call, list_storage},
    Route{Method::get, "/v1/storage/scrub", "show_scrub", RouteKind::call, show_scrub},
    Route{Method::post, "/v1/storage/scrub", "begin_scrub", RouteKind::call, begin_scrub},
    Route{Method::get, "/v1/storage/collection", "plan_collection", RouteKind::call, plan_collection},
    Route{Method::post, "/v1/storage/collection", "collect", RouteKind::call, collect},
    Route{Method::get, "/v1/jobs", "list_jobs", RouteKind::call, list_jobs},
    Route{Method::get, "/v1/jobs/{}", "show_job", RouteKind::call, show_job},
    Route{Method::post, "/v1/jobs/{}/cancel", "cancel_job", RouteKind::call, cancel_job},
    Route{Method::post, "/v1/play-urls", "create_play_url", RouteKind::call, create_play_url},
    Route{Method::post, "/v1/orders", "place_order", RouteKind::call, place_order},
    Route{Method::get, "/v1/accounts/{}/entitlements", "list_entitlements", RouteKind::call, list_entitlements},
    Route{Method::get, "/v1/entitlements/{}", "show_entitlement", RouteKind::call, show_entitlement},
    Route{Method::post, "/v1/entitlements/{}/revoke", "revoke_entitlement", RouteKind::call, revoke_entitlement},
    Route{Method::post, "/v1/playback", "start_playback", RouteKind::call, start_playback},
    Route{Method::get, "/v1/offers", "list_offers", RouteKind::call, list_offers},
    Route{Method::post, "/v1/offers", "save_offer", RouteKind::call, save_offer},
    Route{Method::get, "/v1/edges", "list_edges", RouteKind::call, list_edges},
    Route{Method::get, "/v1/keys", "list_keys", RouteKind::call, list_keys},
    Route{Method::post, "/v1/keys/rotate", "rotate_keys", RouteKind::call, rotate_keys},
    Route{Method::post, "/v1/keys/{}/retire", "retire_key", RouteKind::call, retire_key},
    Route{Method::get, "/v1/status", "show_status", RouteKind::call, show_status},
    Route{Method::get, "/metrics", "metrics", RouteKind::metrics, nullptr},
};

std::string_view method_names(Method method) {
  switch (method) {
    case Method::get: return "GET, HEAD";
    case Method::post: return "POST";
    case Method::put: return "PUT";
    case Method::head: return "HEAD";
    case Method::options: return "OPTIONS";
    case Method::patch: return "PATCH";
    case Method::delete_: return "DELETE";
    default: return "";
  }
}

std::string_view take_segment(std::string_view& rest) {
  const auto slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash);
  return segment;
}

bool matches(std::string_view pattern, std::string_view path, std::vector<std::string>& parameters) {
  parameters.clear();
  while (pattern.starts_with('/') && path.starts_with('/')) {
    pattern.remove_prefix(1);
    path.remove_prefix(1);
    const std::string_view wanted = take_segment(pattern);
    const std::string_view found = take_segment(path);
    if (wanted == "{}") {
      if (found.empty() || found.size() > kParameterBytesMax) return false;
      parameters.emplace_back(found);
    } else if (wanted != found) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

}  // namespace

std::span<const Route> api_routes() {
  return kRoutes;
}

RouteMatch match_route(Method method, std::string_view path) {
  const Method wanted = method == Method::head ? Method::get : method;
  RouteMatch match;
  for (const Route& route : kRoutes) {
    if (!matches(route.pattern, path, match.parameters)) continue;
    if (route.method == wanted || route.method == method) {
      match.route = &route;
      return match;
    }
    match.allow.append(match.allow.empty() ? "" : ", ").append(method_names(route.method));
  }
  return match;
}

nlohmann::json error_object(const Error& error) {
  return nlohmann::json::parse(error_json(error), nullptr, false).value("error", nlohmann::json());
}

}  // namespace reelway::origin
