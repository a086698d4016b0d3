#include <string>

#include "common/access/play_path.h"
#include "common/access/view.h"
#include "common/base/bytes.h"
#include "common/base/check.h"

// A path that is accepted must be the one spelling of its parts, since its object path begins a cache key.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view path = reelway::as_text({data, size});
  const auto parsed = reelway::access::parse_play_path(path);
  (void)reelway::access::path_height(path);
  if (!parsed.ok()) return 0;
  CHECK(reelway::access::is_title_id(parsed->title));
  const auto version = reelway::access::parse_version(parsed->version);
  CHECK(version && "v" + std::to_string(*version) == parsed->version);
  CHECK("/t/" + std::string(parsed->token) + std::string(parsed->object_path) == path);
  CHECK(parsed->object_path.find("/../") == std::string_view::npos);
  CHECK(parsed->object_path.find("//") == std::string_view::npos);
  CHECK(parsed->object_path.find('%') == std::string_view::npos);
  (void)reelway::access::path_height(parsed->object_path);
  if (const auto clip = reelway::access::path_clip(parsed->object_path)) {
    const std::string folder = "/clip-" + reelway::access::clip_text(*clip) + "/";
    CHECK(parsed->object_path.find(folder) != std::string_view::npos);
    reelway::access::View view;
    view.clip = *clip;
    CHECK(reelway::access::check_path_in_view(view, parsed->object_path).ok());
    CHECK(reelway::access::parse_view_id(reelway::access::view_id(view)) == view);
    CHECK(!reelway::access::check_path_in_view({}, parsed->object_path).ok());
  }
  return 0;
}
