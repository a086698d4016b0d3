#include "common/access/view.h"

#include <gtest/gtest.h>

namespace reelway::access {
namespace {

TEST(View, HasOneText) {
  EXPECT_EQ(view_id({}), "all");
  EXPECT_EQ(view_id({480, {}}), "h480");
  EXPECT_EQ(view_id({480, {"de", "en"}}), "h480.de.en");
  EXPECT_EQ(view_id({0, {"de", "eng"}}), "de.eng");
  for (const View& view : {View{}, View{480, {}}, View{480, {"de", "en"}}, View{0, {"de", "eng"}}}) {
    EXPECT_EQ(parse_view_id(view_id(view)), view);
  }
}

TEST(View, APreviewComesFirstAndIsOfOneVersion) {
  View preview;
  preview.preview = 2;
  EXPECT_EQ(view_id(preview), "p2");
  EXPECT_EQ(parse_view_id("p2"), preview);
  preview.max_height = 480;
  preview.languages = {"de"};
  EXPECT_EQ(view_id(preview), "p2.h480.de");
  EXPECT_EQ(parse_view_id("p2.h480.de"), preview);
  for (const char* text : {"p", "p0", "p02", "p2.p3", "h480.p2", "de.p2", "p99999999999", "p2."}) {
    EXPECT_FALSE(parse_view_id(text)) << text;
  }
  EXPECT_TRUE(check_path_in_view(preview, "/film/v2/master.m3u8").ok());
  for (const char* path : {"/film/v1/master.m3u8", "/film/v22/master.m3u8", "/film", ""}) {
    EXPECT_EQ(check_path_in_view(preview, path).error().code, ErrorCode::token_other_title) << path;
  }
}

TEST(View, AClipIsSeenAloneAndByItsOwnPathOnly) {
  View clip;
  clip.clip = {0, 60};
  EXPECT_EQ(view_id(clip), "c0-60");
  EXPECT_EQ(parse_view_id("c0-60"), clip);
  clip.preview = 2;
  clip.max_height = 480;
  clip.languages = {"de"};
  EXPECT_EQ(view_id(clip), "p2.c0-60.h480.de");
  EXPECT_EQ(parse_view_id("p2.c0-60.h480.de"), clip);
  for (const char* text : {"c", "c0", "c0-0", "c5-5", "c6-5", "c00-5", "c0-05", "c0-60.c0-60", "h480.p2.c0-60", "c-1-5",
                           "c0-1000001", "c0-99999999999", "c0-60.", "h480.c0-60"}) {
    EXPECT_FALSE(parse_view_id(text)) << text;
  }
  clip = {};
  clip.clip = {0, 60};
  for (const char* path : {"/film/v1/clip-0-60/master.m3u8", "/film/v1/clip-0-60/ts/video/720/0.ts",
                           "/film/v1/clip-0-60/audio/en-aac/0.m4s", "/film/v1/clip-0-60/manifest.mpd"}) {
    EXPECT_TRUE(check_path_in_view(clip, path).ok()) << path;
    EXPECT_EQ(check_path_in_view({}, path).error().code, ErrorCode::rendition_not_in_offer) << path;
  }
  for (const char* path : {"/film/v1/master.m3u8", "/film/v1/video/720/0.m4s", "/film/v1/clip-0-61/master.m3u8",
                           "/film/v1/clip-1-60/video/720/0.m4s", "/film/v1/clip-00-60/master.m3u8",
                           "/film/v1/ts/clip-0-60/video/720/0.ts", "/clip-0-60/v1/master.m3u8"}) {
    EXPECT_EQ(check_path_in_view(clip, path).error().code, ErrorCode::rendition_not_in_offer) << path;
  }
  clip.max_height = 480;
  clip.languages = {"en"};
  EXPECT_EQ(check_path_in_view(clip, "/film/v1/clip-0-60/video/720/0.m4s").error().code,
            ErrorCode::rendition_not_in_offer);
  EXPECT_EQ(check_path_in_view(clip, "/film/v1/clip-0-60/ts/video/720/0.ts").error().code,
            ErrorCode::rendition_not_in_offer);
  EXPECT_EQ(check_path_in_view(clip, "/film/v1/clip-0-60/ts/audio/de-aac/0.ts").error().code,
            ErrorCode::language_not_in_offer);
  EXPECT_TRUE(check_path_in_view(clip, "/film/v1/clip-0-60/ts/video/480/0.ts").ok());
}

TEST(View, OtherTextsAreNone) {
  for (const char* text : {"", ".", "h", "h0", "h0480", "h480.", "h480.h240", "en.de", "de.de", "EN", "h99999", "engl",
                           "h480.all", "all.de"}) {
    EXPECT_FALSE(parse_view_id(text)) << text;
  }
}

TEST(View, OnlyTheListsOfRenditionsVary) {
  EXPECT_TRUE(varies_by_view({}, "/film/v1/master.m3u8"));
  EXPECT_TRUE(varies_by_view({}, "/film/v1/manifest.mpd"));
  EXPECT_TRUE(varies_by_view({}, "/film/v1/cenc/manifest.mpd"));
  EXPECT_FALSE(varies_by_view({}, "/film/v1/video/720/iframes.m3u8"));
  EXPECT_FALSE(varies_by_view({}, "/film/v1/video/720/media.m3u8"));
  EXPECT_FALSE(varies_by_view({}, "/film/v1/video/720/3.m4s"));
  View preview;
  preview.preview = 1;
  EXPECT_TRUE(varies_by_view(preview, "/film/v1/video/720/3.m4s"));
}

ErrorCode code_of(const View& view, std::string_view path) {
  const auto checked = check_path_in_view(view, path);
  return checked.ok() ? ErrorCode::internal : checked.error().code;
}

TEST(View, ThePathOfARenditionSaysWhetherOneMay) {
  const View view{480, {"en"}};
  EXPECT_EQ(code_of(view, "/film/v1/master.m3u8"), ErrorCode::internal);
  EXPECT_EQ(code_of(view, "/film/v1/video/480/3.m4s"), ErrorCode::internal);
  EXPECT_EQ(code_of(view, "/film/v1/video/360-2/init.mp4"), ErrorCode::internal);
  EXPECT_EQ(code_of(view, "/film/v1/video/720/3.m4s"), ErrorCode::rendition_not_in_offer);
  EXPECT_EQ(code_of(view, "/film/v1/video/720-2/media.m3u8"), ErrorCode::rendition_not_in_offer);
  EXPECT_EQ(code_of(view, "/film/v1/audio/en-aac/3.m4s"), ErrorCode::internal);
  EXPECT_EQ(code_of(view, "/film/v1/audio/de-aac/3.m4s"), ErrorCode::language_not_in_offer);
  EXPECT_EQ(code_of(view, "/film/v1/audio/en-eac3/3.m4s"), ErrorCode::internal);
  EXPECT_EQ(code_of(view, "/film/v1/audio/de-eac3/3.m4s"), ErrorCode::language_not_in_offer);
  EXPECT_EQ(code_of(view, "/film/v1/ts/video/480/3.ts"), ErrorCode::internal);
  EXPECT_EQ(code_of(view, "/film/v1/ts/video/720/3.ts"), ErrorCode::rendition_not_in_offer);
  EXPECT_EQ(code_of(view, "/film/v1/video/720/iframes.m3u8"), ErrorCode::rendition_not_in_offer);
  EXPECT_EQ(code_of(view, "/film/v1/video/720/iframes-0.mp4"), ErrorCode::rendition_not_in_offer);
  EXPECT_EQ(code_of(view, "/film/v1/cbcs/video/720/key"), ErrorCode::rendition_not_in_offer);
  EXPECT_EQ(code_of(view, "/film/v1/cbcs/audio/en-aac/3.m4s"), ErrorCode::internal);
  EXPECT_EQ(code_of(view, "/film/v1/cbcs/audio/de-aac/3.m4s"), ErrorCode::language_not_in_offer);
  EXPECT_EQ(code_of(view, "/audio/v1/master.m3u8"), ErrorCode::internal);  // a title may be called so
  EXPECT_EQ(code_of({}, "/film/v1/video/2160/3.m4s"), ErrorCode::internal);
}

}  // namespace
}  // namespace reelway::access
