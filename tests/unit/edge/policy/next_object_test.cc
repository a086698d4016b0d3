#include "edge/policy/next_object.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

constexpr std::string_view kHere = "/film/v1/video/720/7.m4s";

// Holds views of its arguments.
http::RequestHead request(const std::string& target, const std::string& cmcd_field) {
  http::RequestHead head;
  head.target = target;
  if (!cmcd_field.empty()) head.headers.add("CMCD-Request", cmcd_field);
  return head;
}

struct CmcdCase {
  std::string target;
  std::string field;
  std::optional<std::string> next;
};

TEST(NextObjectTest, ByWhatThePlayerSays) {
  const std::string path = "/t/token" + std::string(kHere);
  const CmcdCase cases[] = {
      {path, "bl=21400,nor=\"8.m4s\",su", "/film/v1/video/720/8.m4s"},
      {path, "nor=\"..%2F540%2F8.m4s\"", "/film/v1/video/540/8.m4s"},
      {path, "nor=(\"8.m4s\" \"9.m4s\"),v=2", "/film/v1/video/720/8.m4s"},
      {path + "?a=b&CMCD=bl%3D100%2Cnor%3D%22..%252F540%252F8.m4s%22", "", "/film/v1/video/540/8.m4s"},
      {path + "?CMCD=bl%3D100", "nor=\"9.m4s\"", std::nullopt},  // the query is the one that counts
      {path, "bl=100", std::nullopt},
      {path, "nor=8", std::nullopt},
      {path, "nor=\"8.m4s", std::nullopt},
      {path, "nor=\"%2\"", std::nullopt},
      {path, "nor=\"%zz\"", std::nullopt},
      {path, "nor=\"/other/v1/video/720/8.m4s\"", std::nullopt},
      {path, "nor=\"https://example.org/8.m4s\"", std::nullopt},
      {path, "nor=\"../../../v2/video/720/8.m4s\"", std::nullopt},            // another version
      {path, "nor=\"../../../../other/v1/video/720/8.m4s\"", std::nullopt},   // another title
      {path, "nor=\"../../../../../../../../../etc/passwd\"", std::nullopt},  // above the root
      {path, "nor=\"a/../8.m4s\"", std::nullopt},
      {path, "nor=\"\"", std::nullopt},
      {path, "", std::nullopt},
      {path + "?CMCD=" + std::string(3000, 'a'), "", std::nullopt},
  };
  for (const CmcdCase& each : cases) {
    EXPECT_EQ(next_by_cmcd(request(each.target, each.field), kHere), each.next) << each.target << " " << each.field;
  }
}

TEST(NextObjectTest, ByNumber) {
  EXPECT_EQ(next_by_number(kHere), "/film/v1/video/720/8.m4s");
  EXPECT_EQ(next_by_number("/film/v1/audio/en/99.m4s"), "/film/v1/audio/en/100.m4s");
  for (const std::string_view path : {"/film/v1/video/720/init.mp4", "/film/v1/video/720/media.m3u8", "/film/v1/.m4s",
                                      "/film/v1/7a.m4s", "/film/v1/-7.m4s", "/film/v1/4294967295.m4s"}) {
    EXPECT_EQ(next_by_number(path), std::nullopt) << path;
  }
}

TEST(NextObjectTest, ThePlaylistSaysWhichSegmentsThereAre) {
  EXPECT_EQ(playlist_of_segment(kHere), "/film/v1/video/720/media.m3u8");
  const std::string_view playlist = "#EXTM3U\n#EXTINF:4,\n7.m4s\r\n#EXTINF:4,\n8.m4s\n#EXT-X-ENDLIST";
  EXPECT_TRUE(playlist_lists(playlist, "/film/v1/video/720/7.m4s"));
  EXPECT_TRUE(playlist_lists(playlist, "/film/v1/video/720/8.m4s"));
  EXPECT_FALSE(playlist_lists(playlist, "/film/v1/video/720/9.m4s"));
  EXPECT_FALSE(playlist_lists({}, kHere));
}

}  // namespace
}  // namespace reelway::edge
