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

TEST(View, OtherTextsAreNone) {
  for (const char* text : {"", ".", "h", "h0", "h0480", "h480.", "h480.h240", "en.de", "de.de", "EN", "h99999", "engl",
                           "h480.all", "all.de"}) {
    EXPECT_FALSE(parse_view_id(text)) << text;
  }
}

TEST(View, OnlyTheMultivariantPlaylistVaries) {
  EXPECT_TRUE(varies_by_view({}, "/film/v1/master.m3u8"));
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
  EXPECT_EQ(code_of(view, "/film/v1/cbcs/audio/en-aac/3.m4s"), ErrorCode::internal);
  EXPECT_EQ(code_of(view, "/film/v1/cbcs/audio/de-aac/3.m4s"), ErrorCode::language_not_in_offer);
  EXPECT_EQ(code_of(view, "/audio/v1/master.m3u8"), ErrorCode::internal);  // a title may be called so
  EXPECT_EQ(code_of({}, "/film/v1/video/2160/3.m4s"), ErrorCode::internal);
}

}  // namespace
}  // namespace reelway::access
