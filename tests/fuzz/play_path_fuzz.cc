#include <string>

#include "common/access/play_path.h"
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
  return 0;
}
