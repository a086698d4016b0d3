#include <gtest/gtest.h>

#include "origin/hls/presentation.h"

namespace reelway::origin::hls {
namespace {

using Kind = Resource::Kind;

TEST(Resource, NamesWhatPlaylistsName) {
  EXPECT_EQ(parse_resource("master.m3u8")->kind, Kind::multivariant);
  const auto playlist = parse_resource("audio/zh-Hant-aac/media.m3u8");
  EXPECT_EQ(playlist->kind, Kind::media_playlist);
  EXPECT_EQ(playlist->track_id, "audio/zh-Hant-aac");
  EXPECT_EQ(parse_resource("video/720-2/init.mp4")->kind, Kind::init);
  const auto segment = parse_resource("video/1080/12.m4s");
  EXPECT_EQ(segment->kind, Kind::segment);
  EXPECT_EQ(segment->track_id, "video/1080");
  EXPECT_EQ(segment->segment, 12u);
  EXPECT_EQ(parse_resource("video/1080/0.m4s")->segment, 0u);
  EXPECT_EQ(parse_resource("video/1080/999999999.m4s")->segment, 999999999u);
}

TEST(Resource, OfEachPackagingLiesInItsFolder) {
  EXPECT_EQ(parse_resource("video/720/0.m4s")->packaging, Packaging::cmaf);
  EXPECT_EQ(parse_resource("ts/master.m3u8")->packaging, Packaging::ts);
  const auto segment = parse_resource("ts-aes/video/720/7.ts");
  EXPECT_EQ(segment->packaging, Packaging::ts_aes);
  EXPECT_EQ(segment->track_id, "video/720");
  EXPECT_EQ(segment->segment, 7u);
  EXPECT_EQ(parse_resource("cbcs/video/720/7.m4s")->packaging, Packaging::cbcs);
  for (const std::string_view path :
       {"ts/video/720/7.m4s", "video/720/7.ts", "cbcs/video/720/7.ts", "ts/ts/master.m3u8", "ts/", "cmaf/master.m3u8",
        "/master.m3u8", "TS/master.m3u8"}) {
    EXPECT_FALSE(parse_resource(path).ok()) << path;
  }
}

TEST(Resource, KeysAreBelowProtectedTracks) {
  const auto key = parse_resource("ts-aes/video/720/key");
  EXPECT_EQ(key->kind, Kind::key);
  EXPECT_EQ(key->track_id, "video/720");
  EXPECT_EQ(parse_resource("cbcs/audio/en-aac/clearkey.json")->kind, Kind::clearkey);
  EXPECT_EQ(parse_resource("cenc/video/720/key")->kind, Kind::key);
  for (const std::string_view path : {"video/720/key", "ts/video/720/key", "aes/video/720/clearkey.json", "aes/key",
                                      "cbcs/clearkey.json", "ts-sample-aes/video/720/clearkey.json"}) {
    EXPECT_FALSE(parse_resource(path).ok()) << path;
  }
}

TEST(Resource, SubtitlesAndSmallPictures) {
  EXPECT_EQ(parse_resource("subtitles/en/media.m3u8")->kind, Kind::text_playlist);
  const auto text = parse_resource("ts/subtitles/es-2/7.vtt");
  EXPECT_EQ(text->kind, Kind::text_segment);
  EXPECT_EQ(text->track_id, "subtitles/es-2");
  EXPECT_EQ(text->segment, 7u);
  EXPECT_EQ(parse_resource("subtitles/en/imsc.m3u8")->kind, Kind::imsc_playlist);
  EXPECT_EQ(parse_resource("subtitles/en/init.mp4")->kind, Kind::imsc_init);
  EXPECT_EQ(parse_resource("subtitles/en/7.m4s")->kind, Kind::imsc_segment);
  EXPECT_EQ(parse_resource("images/320/media.m3u8")->kind, Kind::image_playlist);
  EXPECT_EQ(parse_resource("images/320/thumbnails.vtt")->kind, Kind::image_cues);
  EXPECT_EQ(parse_resource("images/320/index.bif")->kind, Kind::image_bif);
  EXPECT_EQ(parse_resource("images/320/0.jpg")->kind, Kind::image_sheet);
  for (const std::string_view path :
       {"ts/images/320/0.jpg", "images/320/init.mp4", "subtitles/en/0.jpg", "video/720/0.vtt", "ts/subtitles/en/7.m4s",
        "ts/subtitles/en/init.mp4", "subtitles/media.m3u8"}) {
    EXPECT_FALSE(parse_resource(path).ok()) << path;
  }
}

TEST(Resource, HasOnePathOnly) {
  for (const std::string_view path : {"",
                                      "/",
                                      "/master.m3u8",
                                      "master.m3u8/",
                                      "Master.m3u8",
                                      "master.m3u8?x",
                                      "media.m3u8",
                                      "video/media.m3u8",
                                      "video//media.m3u8",
                                      "video/720/",
                                      "video/720",
                                      "video/720/x",
                                      "video/720/00.m4s",
                                      "video/720/01.m4s",
                                      "video/720/+1.m4s",
                                      "video/720/-1.m4s",
                                      "video/720/.m4s",
                                      "video/720/1.m4s ",
                                      "video/720/1.M4S",
                                      "video/720/1000000000.m4s",
                                      "video/720/1.mp4",
                                      "text/en/media.m3u8",
                                      "video/../init.mp4",
                                      "video/7%32/init.mp4",
                                      "video/720/1/init.mp4",
                                      "VIDEO/720/init.mp4",
                                      "./video/720/init.mp4",
                                      "video/7_2/init.mp4"}) {
    const auto resource = parse_resource(path);
    ASSERT_FALSE(resource.ok()) << path;
    EXPECT_EQ(resource.error().code, ErrorCode::http_not_found) << path;
  }
  EXPECT_FALSE(parse_resource("video/" + std::string(65, '1') + "/init.mp4").ok());
  EXPECT_FALSE(parse_resource(std::string_view("video/72\0/init.mp4", 18)).ok());
}

TEST(ContentType, SaysWhatAPlayerExpects) {
  const auto type = [](Packaging packaging, Kind kind, mp4::TrackKind track) {
    Resource resource;
    resource.packaging = packaging;
    resource.kind = kind;
    return content_type(resource, track);
  };
  EXPECT_EQ(type(Packaging::cmaf, Kind::multivariant, mp4::TrackKind::video), "application/vnd.apple.mpegurl");
  EXPECT_EQ(type(Packaging::ts, Kind::media_playlist, mp4::TrackKind::audio), "application/vnd.apple.mpegurl");
  EXPECT_EQ(type(Packaging::cmaf, Kind::init, mp4::TrackKind::video), "video/mp4");
  EXPECT_EQ(type(Packaging::cbcs, Kind::segment, mp4::TrackKind::audio), "audio/mp4");
  EXPECT_EQ(type(Packaging::ts, Kind::segment, mp4::TrackKind::audio), "video/mp2t");
}

}  // namespace
}  // namespace reelway::origin::hls
