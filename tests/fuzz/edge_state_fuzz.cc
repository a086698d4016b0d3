#include <string>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "origin/fleet/edge_state.h"

// What is taken from the header stays within its bounds, and can go into an answer's JSON and a player's URL.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reelway::as_text(reelway::ByteView{data, size}));
  const auto state = reelway::origin::parse_edge_state(text);
  if (!state.ok()) return 0;
  CHECK(text.size() <= reelway::origin::kEdgeStateBytesMax);
  CHECK(state->url.size() <= reelway::origin::kEdgeUrlBytesMax && !state->url.ends_with('/'));
  CHECK(state->url.empty() || state->url.starts_with("http://") || state->url.starts_with("https://"));
  CHECK(state->version.size() <= reelway::origin::kEdgeVersionBytesMax);
  CHECK(state->revision >= 0 && state->staleness.value_or(std::chrono::milliseconds(0)).count() >= 0);
  for (const std::string* shown : {&state->url, &state->version}) {
    for (const char c : *shown) CHECK(c >= ' ' && c <= '~' && c != '"' && c != '\\');
  }
  return 0;
}
