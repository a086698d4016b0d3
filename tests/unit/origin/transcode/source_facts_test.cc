#include "origin/transcode/source_facts.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

constexpr const char* kSound =
    R"({"index":1,"codec_type":"audio","codec_name":"aac","tags":{"language":"fre","title":"Stereo"},"disposition":{"default":1}})";

std::string probe_text(const std::string& video, const std::string& audio = kSound) {
  return R"({"format":{"format_name":"mov,mp4","start_time":"0.0","duration":"10.0"},"streams":[)" + video +
         (video.empty() || audio.empty() ? "" : ",") + audio + "]}";
}

std::string video_text(const std::string& more) {
  return R"({"index":0,"codec_type":"video","codec_name":"h264","width":1280,"height":720,"avg_frame_rate":"25/1")" +
         more + "}";
}

VideoSource video(const std::string& more) {
  const Result<SourceFacts> facts = source_facts(probe_text(video_text(more)));
  EXPECT_TRUE(facts.ok());
  return facts.ok() ? facts->video : VideoSource{};
}

ErrorCode refused(const std::string& json) {
  const Result<SourceFacts> facts = source_facts(json);
  return facts.ok() ? ErrorCode::internal : facts.error().code;
}

TEST(SourceFacts, ReadsAFilm) {
  const Result<SourceFacts> facts = source_facts(probe_text(video_text("")));
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->video.width, 1280u);
  EXPECT_EQ(facts->video.rate, (FrameRate{25, 1}));
  EXPECT_DOUBLE_EQ(facts->duration_s, 10);
  ASSERT_EQ(facts->audio.size(), 1u);
  EXPECT_EQ(facts->audio[0].language, "fr");
  EXPECT_EQ(facts->audio[0].title, "Stereo");
  EXPECT_TRUE(facts->audio[0].is_default);
}

TEST(SourceFacts, ShowsThePictureUprightAndWithSquarePixels) {
  EXPECT_EQ(video(R"(,"sample_aspect_ratio":"4:3")").width, 1707u);
  const VideoSource turned = video(R"(,"side_data_list":[{"rotation":-90}])");
  EXPECT_EQ(turned.width, 720u);
  EXPECT_EQ(turned.height, 1280u);
  EXPECT_EQ(turned.pixel_columns, 720u);
  EXPECT_EQ(turned.pixel_rows, 1280u);
  EXPECT_EQ(video(R"(,"sample_aspect_ratio":"4:3")").pixel_columns, 1280u);
  EXPECT_EQ(video(R"(,"side_data_list":[{"rotation":180}])").width, 1280u);
  EXPECT_EQ(video(R"(,"sample_aspect_ratio":"0:1")").width, 1280u);
}

TEST(SourceFacts, SnapsToUsualRatesAndBoundsTheOthers) {
  const auto rate = [](const char* average) {
    return video(std::string(R"(,"avg_frame_rate":")") + average + "\"").rate;
  };
  EXPECT_EQ(rate("24000/1001"), (FrameRate{24000, 1001}));
  EXPECT_EQ(rate("359/15"), (FrameRate{23933, 1000}));
  EXPECT_EQ(rate("2997/100"), (FrameRate{30000, 1001}));
  EXPECT_EQ(rate("120/1"), (FrameRate{60, 1}));
  EXPECT_EQ(rate("1/1"), (FrameRate{5, 1}));
  EXPECT_EQ(rate("0/0"), (FrameRate{25, 1}));
}

TEST(SourceFacts, KnowsInterlacedAndHighDynamicRange) {
  EXPECT_TRUE(video(R"(,"field_order":"tt")").interlaced);
  EXPECT_FALSE(video(R"(,"field_order":"progressive")").interlaced);
  EXPECT_TRUE(video(R"(,"color_transfer":"smpte2084")").high_dynamic_range);
}

TEST(SourceFacts, ACoverIsNoVideo) {
  const std::string cover = video_text(R"(,"disposition":{"attached_pic":1})");
  EXPECT_EQ(refused(probe_text(cover)), ErrorCode::media_no_video);
}

TEST(SourceFacts, SaysWhatIsMissing) {
  EXPECT_EQ(refused(probe_text("", kSound)), ErrorCode::media_no_video);
  EXPECT_EQ(refused(probe_text(video_text(""), "")), ErrorCode::media_no_audio);
  EXPECT_EQ(refused(probe_text(video_text(R"(,"codec_tag_string":"encv")"))), ErrorCode::media_unsupported);
  EXPECT_EQ(refused(probe_text(video_text(R"(,"width":0,"height":0)"))), ErrorCode::media_zero_duration);
  EXPECT_EQ(refused(probe_text(video_text(R"(,"width":40000)"))), ErrorCode::media_unsupported);
  EXPECT_EQ(refused("{}"), ErrorCode::media_unreadable);
  EXPECT_EQ(refused("no json"), ErrorCode::media_unreadable);
  EXPECT_EQ(refused(R"({"streams":[1,null,"x"]})"), ErrorCode::media_no_video);
}

TEST(Refusal, TellsTheCutFromTheForeign) {
  const std::string mp4(
      "\0\0\0\x20"
      "ftypisom",
      12);
  const char* no_index = "[mov,mp4 @ 0x55d0] moov atom not found\nfile:/data/originals/x/source: Invalid data";
  EXPECT_EQ(refusal(mp4, no_index).code, ErrorCode::media_truncated);
  EXPECT_EQ(refusal("this is a text", no_index).code, ErrorCode::media_unreadable);
  EXPECT_EQ(refusal("", "").code, ErrorCode::media_unreadable);
  EXPECT_EQ(refusal("", "[hls @ 0x1] Format not on whitelist 'mov'").code, ErrorCode::media_unsupported);
}

TEST(Refusal, DoesNotTellThePath) {
  const Error error = refusal("", "file:/data/originals/x/source: Invalid data found");
  EXPECT_EQ(error.detail, "Invalid data found");
}

}  // namespace
}  // namespace reelway::origin
