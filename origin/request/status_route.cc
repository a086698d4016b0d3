#include "common/base/version.h"
#include "origin/request/api_routes.h"

namespace reelway::origin {

Result<Reply> show_status(const ApiServices& services, const ApiCall&) {
  const auto store = services.store.status();
  if (!store) return store.error();
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(services.clock.monotonic() - services.started);
  const IngestJobs::Counters jobs = services.jobs.counters();
  return Reply{
      200,
      {{"version", kVersion},
       {"uptime_s", uptime.count()},
       {"revision", store->revision},
       {"store", {{"cluster", store->cluster_id}, {"floor", store->floor}, {"size_bytes", store->size_bytes}}},
       {"jobs", {{"queued", jobs.queued}, {"running", jobs.running}, {"done", jobs.done}, {"failed", jobs.failed}}},
       {"edges_known", services.config.edges.count()},
       {"signing_key", services.keys.current()->signing}}};
}

}  // namespace reelway::origin
