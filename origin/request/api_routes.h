#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "common/http/message.h"
#include "origin/catalog/catalog.h"
#include "origin/fleet/edge_registry.h"
#include "origin/fleet/rights_mirror.h"
#include "origin/fleet/signing_keys.h"
#include "origin/ingest/imports.h"
#include "origin/ingest/upload.h"
#include "origin/jobs/ingest_jobs.h"
#include "origin/net/event_loop.h"
#include "origin/request/metrics.h"
#include "origin/request/options.h"
#include "origin/request/upload_receiver.h"
#include "origin/rights/rights_services.h"
#include "origin/storage/film_storage.h"
#include "origin/store/control_store.h"

namespace reelway::origin {

// What requests on the API port share. All of it outlives them.
struct ApiServices {
  EventLoop& loop;
  ControlStore& store;
  Catalog& catalog;
  Uploads& uploads;
  Imports& imports;
  IngestJobs& jobs;
  FilmStorage& storage;
  SigningKeys& keys;
  const RightsServices& rights;
  const RightsMirror& mirror;
  const EdgeRegistry& edges;
  const Clock& clock;
  Random& random;
  const OriginConfig& config;
  RequestCounters& counters;
  ActiveUploads& active_uploads;
  Clock::Monotonic started;
  std::function<std::string()> metrics_page;  // on the loop
};

// A request as its route sees it.
struct ApiCall {
  std::vector<std::string> parameters;  // what stands for each {} of the pattern
  nlohmann::json body;                  // null when there was none
};

struct Reply {
  std::uint16_t status = 200;
  nlohmann::json body;
  std::string content = {};            // in place of the body, where content_type is set
  std::string_view content_type = {};  // "image/png"
};

// Runs on a worker: it may block, and touches nothing that belongs to the loop.
using RouteFunction = Result<Reply> (*)(const ApiServices& services, const ApiCall& call);

enum class RouteKind : std::uint8_t {
  call,     // JSON in, JSON out, by the function
  upload,   // the body is streamed to an upload
  tus,      // tus 1.0, in header fields (tus_protocol.h)
  metrics,  // the metrics page
};

struct Route {
  http::Method method;
  std::string_view pattern;  // "/v1/titles/{}": a {} stands for one segment
  std::string_view name;     // in metrics
  RouteKind kind;
  RouteFunction function;
};

std::span<const Route> api_routes();

struct RouteMatch {
  const Route* route = nullptr;
  std::vector<std::string> parameters;
  std::string allow;  // when no route has this method: those that the path has; empty when there is no such path
};
RouteMatch match_route(http::Method method, std::string_view path);

// title_routes.cc
Result<Reply> list_titles(const ApiServices& services, const ApiCall& call);
Result<Reply> show_title(const ApiServices& services, const ApiCall& call);
Result<Reply> create_title(const ApiServices& services, const ApiCall& call);
// delivery_routes.cc
Result<Reply> check_delivery(const ApiServices& services, const ApiCall& call);
Result<Reply> begin_delivery_title(const ApiServices& services, const ApiCall& call);
// publishing_routes.cc
Result<Reply> approve(const ApiServices& services, const ApiCall& call);
Result<Reply> reject(const ApiServices& services, const ApiCall& call);
Result<Reply> publish(const ApiServices& services, const ApiCall& call);
Result<Reply> roll_back(const ApiServices& services, const ApiCall& call);
Result<Reply> unpublish(const ApiServices& services, const ApiCall& call);
Result<Reply> protect(const ApiServices& services, const ApiCall& call);
// quality_routes.cc
Result<Reply> show_quality(const ApiServices& services, const ApiCall& call);  // of the newest version
Result<Reply> show_version_quality(const ApiServices& services, const ApiCall& call);
Result<Reply> show_finding_picture(const ApiServices& services, const ApiCall& call);  // an image
Result<Reply> waive_finding(const ApiServices& services, const ApiCall& call);
// ingest_routes.cc
Result<Reply> begin_upload(const ApiServices& services, const ApiCall& call);
Result<Reply> list_uploads(const ApiServices& services, const ApiCall& call);
Result<Reply> show_upload(const ApiServices& services, const ApiCall& call);
Result<Reply> delete_upload(const ApiServices& services, const ApiCall& call);
// job_routes.cc
Result<Reply> list_jobs(const ApiServices& services, const ApiCall& call);
Result<Reply> show_job(const ApiServices& services, const ApiCall& call);
Result<Reply> cancel_job(const ApiServices& services, const ApiCall& call);
// import_routes.cc
Result<Reply> list_object_stores(const ApiServices& services, const ApiCall& call);
Result<Reply> list_objects(const ApiServices& services, const ApiCall& call);
Result<Reply> begin_import(const ApiServices& services, const ApiCall& call);
Result<Reply> list_imports(const ApiServices& services, const ApiCall& call);
Result<Reply> show_import(const ApiServices& services, const ApiCall& call);
Result<Reply> cancel_import(const ApiServices& services, const ApiCall& call);
Result<Reply> resume_import(const ApiServices& services, const ApiCall& call);
// key_routes.cc
Result<Reply> list_keys(const ApiServices& services, const ApiCall& call);
Result<Reply> rotate_keys(const ApiServices& services, const ApiCall& call);
Result<Reply> retire_key(const ApiServices& services, const ApiCall& call);
// play_url_route.cc
Result<Reply> create_play_url(const ApiServices& services, const ApiCall& call);
// rights_routes.cc
Result<Reply> place_order(const ApiServices& services, const ApiCall& call);
Result<Reply> list_entitlements(const ApiServices& services, const ApiCall& call);
Result<Reply> show_entitlement(const ApiServices& services, const ApiCall& call);
Result<Reply> revoke_entitlement(const ApiServices& services, const ApiCall& call);
Result<Reply> start_playback(const ApiServices& services, const ApiCall& call);
Result<Reply> list_offers(const ApiServices& services, const ApiCall& call);
Result<Reply> save_offer(const ApiServices& services, const ApiCall& call);
// storage_routes.cc
Result<Reply> list_storage(const ApiServices& services, const ApiCall& call);
Result<Reply> show_title_storage(const ApiServices& services, const ApiCall& call);
Result<Reply> begin_scrub(const ApiServices& services, const ApiCall& call);
Result<Reply> show_scrub(const ApiServices& services, const ApiCall& call);
Result<Reply> plan_collection(const ApiServices& services, const ApiCall& call);
Result<Reply> collect(const ApiServices& services, const ApiCall& call);
Result<Reply> recall_original(const ApiServices& services, const ApiCall& call);
// edges_route.cc
Result<Reply> list_edges(const ApiServices& services, const ApiCall& call);
// status_route.cc
Result<Reply> show_status(const ApiServices& services, const ApiCall& call);

// The fields of an error inside another document.
nlohmann::json error_object(const Error& error);
// What was decided about which version plays, the oldest first.
nlohmann::json history_array(const std::vector<TitleEvent>& history);

}  // namespace reelway::origin
