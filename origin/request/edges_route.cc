#include "origin/request/api_routes.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

// Null where the edge did not say, or where nothing can be compared: its last beat is too old, or of another origin.
json edge_json(const EdgeRegistry::Edge& edge, const RightsMirror& mirror) {
  const EdgeState& state = edge.state;
  const auto ours = mirror.root_at(state.revision);
  json value = {{"edge", edge.id},
                {"url", state.url},
                {"version", state.version},
                {"state", name_of(edge.standing)},
                {"heard_ms_ago", edge.heard_ago.count()},
                {"revision", state.revision},
                {"records", state.records},
                {"root", nullptr},
                {"in_step", nullptr},
                {"staleness_ms", nullptr},
                {"repairs", state.repairs},
                {"snapshots", state.snapshots}};
  if (state.root) value["root"] = hex_text(*state.root);
  if (state.root && ours) value["in_step"] = *state.root == *ours;
  if (state.staleness) value["staleness_ms"] = state.staleness->count();
  return value;
}

}  // namespace

Result<Reply> list_edges(const ApiServices& services, const ApiCall&) {
  json edges = json::array();
  for (const EdgeRegistry::Edge& edge : services.edges.edges()) edges.push_back(edge_json(edge, services.mirror));
  const MirrorState state = services.mirror.state();
  return Reply{200,
               {{"revision", state.revision},
                {"root", hex_text(state.root)},
                {"records", state.records},
                {"edges", std::move(edges)}}};
}

}  // namespace reelway::origin
