#include "origin/jobs/work_messages.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

Assignment assignment() {
  Assignment assignment;
  assignment.claim = {"job", "video-0001", 77};
  assignment.source = {"film", "v2", 123456, std::string(64, 'b')};
  assignment.lease = std::chrono::seconds(30);
  assignment.plan.rate = {24000, 1001};
  assignment.plan.group_frames = 48;
  assignment.plan.chunk_frames = 480;
  assignment.plan.frames = 1000;
  assignment.plan.rungs = {{1280, 720, 2'500'000, "video/720"}, {640, 360, 800'000, "video/360"}};
  assignment.plan.rungs[0].table_bits = 3'000'000;
  assignment.plan.deinterlace = Deinterlace::telecine;
  assignment.plan.crop = CropFrame{1920, 800, 0, 140};
  assignment.plan.probe = {6, 12, 1.5};
  const SoundLevel level{LevelEnd::peak, SoundMeasure{-31.25, -7.5}, -24, 550};
  assignment.plan.audio = {{2, "fr", "Français", true, "audio/fr-aac"},
                           {2, "fr", "Français", false, "audio/fr-eac3", "7.1", level, SoundCodec::eac3}};
  return assignment;
}

TEST(WorkMessages, AssignmentArrivesAsItWasSent) {
  const auto parsed = parse_assignment(to_message(assignment()));
  ASSERT_TRUE(parsed.ok()) << describe(parsed.error());
  EXPECT_EQ(parsed->claim.token, 77);
  EXPECT_EQ(parsed->source.sha256, std::string(64, 'b'));
  EXPECT_EQ(parsed->lease, std::chrono::seconds(30));
  EXPECT_EQ(parsed->plan.rungs, assignment().plan.rungs);
  EXPECT_EQ(parsed->plan.deinterlace, Deinterlace::telecine);
  EXPECT_EQ(parsed->plan.crop, assignment().plan.crop);
  EXPECT_EQ(parsed->plan.probe, assignment().plan.probe);
  EXPECT_EQ(parsed->plan.audio[0].name, "Français");
  EXPECT_EQ(parsed->plan.audio[0].codec, SoundCodec::aac);
  EXPECT_EQ(parsed->plan.audio[1].codec, SoundCodec::eac3);
  EXPECT_EQ(parsed->plan.audio[1].layout, "7.1");
  EXPECT_EQ(parsed->plan.audio[1].level, assignment().plan.audio[1].level);
  EXPECT_EQ(parsed->part.first_frame, 480u);
  EXPECT_EQ(parsed->part.frames, 520u);
}

// What a plan of before sound was levelled says, and what none may say.
TEST(WorkMessages, SoundOfAPlanIsChecked) {
  nlohmann::json message = to_message(assignment());
  for (const char* later : {"codec", "layout", "level"}) message["plan"]["audio"][1].erase(later);
  const auto former = parse_assignment(message);
  ASSERT_TRUE(former.ok()) << describe(former.error());
  EXPECT_EQ(former->plan.audio[1].codec, SoundCodec::aac);
  EXPECT_EQ(former->plan.audio[1].level, SoundLevel{});
  // A layout stands in FFmpeg's command: what is no layout is none.
  message["plan"]["audio"][1]["layout"] = "5.1,amovie=/etc/passwd";
  EXPECT_EQ(parse_assignment(message)->plan.audio[1].layout, "");
  message["plan"]["audio"][1]["codec"] = "mp3";
  EXPECT_FALSE(parse_assignment(message).ok());
}

// A job may have been planned by the release before.
TEST(WorkMessages, PlanOfBeforeCroppingIsUnderstood) {
  nlohmann::json message = to_message(assignment());
  nlohmann::json& plan = message["plan"];
  plan.erase("crop");
  plan.erase("probe");
  plan["deinterlace"] = true;
  for (nlohmann::json& rung : plan["rungs"]) rung.erase("table_bits_per_second");
  const auto parsed = parse_assignment(message);
  ASSERT_TRUE(parsed.ok()) << describe(parsed.error());
  EXPECT_EQ(parsed->plan.deinterlace, Deinterlace::flagged);
  EXPECT_FALSE(parsed->plan.crop);
  EXPECT_EQ(parsed->plan.rungs[0].table_bits, parsed->plan.rungs[0].bits_per_second);
}

TEST(WorkMessages, PartThatThePlanLacksIsRefused) {
  Assignment other = assignment();
  other.claim.part = "video-0009";
  EXPECT_EQ(parse_assignment(to_message(other)).error().code, ErrorCode::http_bad_request);
}

TEST(WorkMessages, WhatIsMissingIsABadRequest) {
  for (const char* field : {"job", "token", "lease_ms", "source", "plan"}) {
    nlohmann::json message = to_message(assignment());
    message.erase(field);
    const auto parsed = parse_assignment(message);
    ASSERT_FALSE(parsed.ok()) << field;
    EXPECT_EQ(parsed.error().code, ErrorCode::http_bad_request) << field;
  }
  EXPECT_FALSE(parse_assignment(nlohmann::json::array()).ok());
  EXPECT_FALSE(parse_outcome(nlohmann::json::object()).ok());
  EXPECT_FALSE(parse_failure(nlohmann::json("text")).ok());
}

TEST(WorkMessages, OutcomeArrivesAsItWasSent) {
  const TaskOutcome sent{{{"video-720.mp4", 10, 4'000'000'000}, {"video-360.mp4", 5, 7}}, {1.5, 2.5, 15}};
  const auto parsed = parse_outcome(to_message(sent));
  ASSERT_TRUE(parsed.ok()) << describe(parsed.error());
  ASSERT_EQ(parsed->files.size(), 2u);
  EXPECT_EQ(parsed->files[0].crc32c, 4'000'000'000u);
  EXPECT_EQ(parsed->cost.wall_s, 2.5);
}

TEST(WorkMessages, WhoseFaultAFailureIsArrives) {
  for (const Side side : {Side::client, Side::self}) {
    const auto parsed = parse_failure(failure_message({ErrorCode::media_truncated, side, false, "cut"}, {1, 2, 3}));
    ASSERT_TRUE(parsed.ok()) << describe(parsed.error());
    EXPECT_EQ(parsed->error.code, ErrorCode::media_truncated);
    EXPECT_EQ(parsed->error.detail, "cut");
    EXPECT_EQ(parsed->error.side == Side::client, side == Side::client);
    EXPECT_EQ(parsed->cost.bytes, 3u);
  }
}

}  // namespace
}  // namespace reelway::origin
