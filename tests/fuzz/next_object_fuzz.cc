// A player's hint of its next object: whatever it says, what comes out is an object path of the same title.

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/access/play_path.h"
#include "common/base/check.h"
#include "edge/policy/next_object.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reelway;
  constexpr std::string_view kHere = "/film/v1/video/720/7.m4s";
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string target = "/t/x" + std::string(kHere) + "?CMCD=" + text;
  http::RequestHead by_query;
  by_query.target = target;
  http::RequestHead by_field;
  by_field.target = kHere;
  by_field.headers.add("CMCD-Request", text);
  for (const auto* head : {&by_query, &by_field}) {
    const auto next = edge::next_by_cmcd(*head, kHere);
    if (!next) continue;
    const std::string path = "/t/x" + *next;
    const auto parsed = access::parse_play_path(path);
    CHECK(parsed.ok() && parsed->title == "film" && parsed->version == "v1");
  }
  (void)edge::next_by_number(text);
  (void)edge::playlist_lists(text, kHere);
  return 0;
}
