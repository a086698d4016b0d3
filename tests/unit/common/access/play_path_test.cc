#include "common/access/play_path.h"

#include <gtest/gtest.h>

#include <string>

namespace reelway::access {
namespace {

ErrorCode refusal(std::string_view path) {
  const auto parsed = parse_play_path(path);
  EXPECT_FALSE(parsed.ok()) << path;
  return parsed.ok() ? ErrorCode::internal : parsed.error().code;
}

TEST(PlayPath, TakesAPathApart) {
  const std::string path = "/t/AbC-_9/sintel/v12/video/720/3.m4s";
  const auto parsed = parse_play_path(path);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->token, "AbC-_9");
  EXPECT_EQ(parsed->title, "sintel");
  EXPECT_EQ(parsed->version, "v12");
  EXPECT_EQ(parsed->object_path, "/sintel/v12/video/720/3.m4s");
}

TEST(PlayPath, ShortestResource) {
  const auto parsed = parse_play_path("/t/x/a/v1/m");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->object_path, "/a/v1/m");
}

TEST(PlayPath, MissingToken) {
  for (const char* path :
       {"", "/", "/t", "/t/", "/t//film/v1/master.m3u8", "/t/token", "/film/v1/master.m3u8", "t/x/y/z"}) {
    EXPECT_EQ(refusal(path), ErrorCode::token_missing) << path;
  }
}

TEST(PlayPath, NoObjectPath) {
  for (const char* path : {"/t/x/",
                           "/t/x/film",
                           "/t/x/film/",
                           "/t/x/film/v1",
                           "/t/x/film/v1/",
                           "/t/x/Film/v1/a",
                           "/t/x/-film/v1/a",
                           "/t/x/film/1/a",
                           "/t/x/film/v0/a",
                           "/t/x/film/v01/a",
                           "/t/x/film/v/a",
                           "/t/x/film/v99999999999/a",
                           "/t/x/film/v1//a",
                           "/t/x/film/v1/a/",
                           "/t/x/film/v1/../a",
                           "/t/x/film/v1/./a",
                           "/t/x/film/v1/a%2fb",
                           "/t/x/film/v1/a?b",
                           "/t/x/film/v1/a b",
                           "/t/x//v1/a",
                           "/t/x/film/v1/a\\b"}) {
    EXPECT_EQ(refusal(path), ErrorCode::http_not_found) << path;
  }
  EXPECT_EQ(refusal("/t/x/film/v1/" + std::string(2000, 'a')), ErrorCode::http_not_found);
}

TEST(PlayPath, TitleIds) {
  EXPECT_TRUE(is_title_id("a"));
  EXPECT_TRUE(is_title_id("0-x-"));
  EXPECT_TRUE(is_title_id(std::string(63, 'z')));
  EXPECT_FALSE(is_title_id(""));
  EXPECT_FALSE(is_title_id("-a"));
  EXPECT_FALSE(is_title_id("a_b"));
  EXPECT_FALSE(is_title_id("A"));
  EXPECT_FALSE(is_title_id(std::string(64, 'z')));
}

TEST(PlayPath, Versions) {
  EXPECT_EQ(parse_version("v1"), 1u);
  EXPECT_EQ(parse_version("v4294967295"), 4294967295u);
  for (const char* text : {"", "v", "1", "v0", "v01", "v-1", "v+1", "v1 ", "v1x", "V1", "v4294967296"}) {
    EXPECT_FALSE(parse_version(text)) << text;
  }
}

TEST(PlayPath, Heights) {
  EXPECT_EQ(path_height("/film/v1/video/720/3.m4s"), 720u);
  EXPECT_EQ(path_height("/film/v1/video/720-2/init.mp4"), 720u);
  EXPECT_EQ(path_height("/film/v1/ts/video/720/3.ts"), 720u);
  EXPECT_EQ(path_height("/film/v1/whatever/video/720/3.ts"), 720u);
  for (const char* path :
       {"/film/v1/master.m3u8", "/film/v1/audio/en-aac/3.m4s", "/film/v1/video/720", "/film/v1/video/x/1.m4s",
        "/film/v1/video/720-/1.m4s", "/film/v1/video/720-x/1.m4s", "/film/v1/video/-2/1.m4s", "", "/"}) {
    EXPECT_FALSE(path_height(path)) << path;
  }
}

}  // namespace
}  // namespace reelway::access
