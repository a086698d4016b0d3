#include "origin/catalog/records.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

TEST(Records, TitleSurvivesItsText) {
  TitleRecord title;
  title.title = "film";
  title.name = "Ein \"Film\" \xff";  // names may hold anything
  title.state = TitleState::failed;
  title.latest_version = "v3";
  title.created_at_ms = 1234567890123;
  title.error = Error{ErrorCode::media_truncated, Side::client, false, "cut at 12 s"};
  const auto parsed = parse_title(title_key("film"), to_json(title));
  ASSERT_TRUE(parsed.ok()) << describe(parsed.error());
  EXPECT_EQ(parsed->title, "film");
  EXPECT_EQ(parsed->state, TitleState::failed);
  EXPECT_EQ(parsed->latest_version, "v3");
  EXPECT_EQ(parsed->created_at_ms, 1234567890123);
  ASSERT_TRUE(parsed->error.has_value());
  EXPECT_EQ(parsed->error->code, ErrorCode::media_truncated);
  EXPECT_EQ(parsed->error->detail, "cut at 12 s");
}

TEST(Records, SideTracksSurviveTheirText) {
  VersionRecord version;
  version.title = "film";
  version.version = "v2";
  EXPECT_EQ(to_json(version).find("\"texts\""), std::string::npos);  // as it was before there were any
  version.texts = {{"subtitles/en", "English (SDH)", "en", false, true, {"subtitles-en.text", 7, "aa"}},
                   {"subtitles/de", "Deutsch", "de", true, false, {"subtitles-de.text", 8, "bb"}}};
  version.texts[1].ttml = KeptFile{"subtitles-de.ttml", 9, "cc"};
  version.images = {{"images/320", {"a.idx", 1, "d"}, {"a.sheets", 2, "e"}, {"a.bif", 3, "f"}}};
  const std::string text = to_json(version);
  const auto parsed = parse_version_record(version_key("film", "v2"), text);
  ASSERT_TRUE(parsed.ok()) << describe(parsed.error());
  EXPECT_EQ(to_json(*parsed), text);
  ASSERT_EQ(parsed->texts.size(), 2);
  EXPECT_TRUE(parsed->texts[0].for_deaf && !parsed->texts[0].ttml);
  EXPECT_TRUE(parsed->texts[1].forced && parsed->texts[1].ttml->bytes == 9);
  EXPECT_EQ(parsed->images.at(0).bif.file, "a.bif");
  version.images[0].sheets.file = "../../etc/passwd";
  EXPECT_FALSE(parse_version_record(version_key("film", "v2"), to_json(version)).ok());
}

TEST(Records, VersionSurvivesItsText) {
  VersionRecord version;
  version.title = "film";
  version.version = "v2";
  version.state = VersionState::published;
  version.job = "j";
  version.sha256 = "ab";
  version.source_bytes = 1ull << 40;
  version.duration_ms = 60000;
  version.language = "en";
  version.tracks = {{"video/720", "", false, "video-720.mp4", "video-720.idx", 5, "s1", "s2"},
                    {"audio/en-aac", "English", true, "a", "b", 6, "", ""}};
  version.replaced_at_ms = 7;
  version.decided_by = "ann";
  version.decision_reason = "seen";
  version.decided_at_ms = 8;
  version.tracks[0].target_bits = 980'000;
  version.tracks[0].table_bits = 2'510'000;
  version.probe = {6, 12, 2.5};
  version.tracks[1].level = SoundLevel{LevelEnd::reached, SoundMeasure{-35.2, -12}, -24, 1120};
  const auto parsed = parse_version_record(version_key("film", "v2"), to_json(version));
  ASSERT_TRUE(parsed.ok()) << describe(parsed.error());
  EXPECT_EQ(parsed->tracks[0].target_bits, 980'000u);
  EXPECT_EQ(parsed->tracks[0].table_bits, 2'510'000u);
  EXPECT_EQ(parsed->tracks[1].table_bits, 0u);
  EXPECT_EQ(parsed->probe, version.probe);
  EXPECT_EQ(parsed->tracks[1].level, version.tracks[1].level);
  EXPECT_FALSE(parsed->tracks[0].level);
  EXPECT_EQ(parsed->title, "film");
  EXPECT_EQ(parsed->version, "v2");
  EXPECT_EQ(parsed->source_bytes, 1ull << 40);
  ASSERT_EQ(parsed->tracks.size(), 2u);
  EXPECT_EQ(parsed->tracks[1].name, "English");
  EXPECT_TRUE(parsed->tracks[1].is_default);
  EXPECT_EQ(parsed->tracks[0].bytes, 5u);
  EXPECT_EQ(parsed->tracks[0].sha256 + parsed->tracks[0].index_sha256, "s1s2");
  EXPECT_EQ(parsed->tracks[1].sha256, "");
  EXPECT_EQ(parsed->replaced_at_ms, 7);
  EXPECT_EQ(parsed->decided_by + parsed->decision_reason, "annseen");
  EXPECT_EQ(parsed->decided_at_ms, 8);
}

TEST(Records, TitleKeepsWhatWasDecided) {
  TitleRecord title;
  title.state = TitleState::unpublished;
  const std::string without = to_json(title);
  EXPECT_EQ(without.find("history"), std::string::npos);
  EXPECT_TRUE(parse_title(title_key("film"), without)->history.empty());
  title.history = {{TitleAction::approve, "v1", "ann", "", 5}, {TitleAction::unpublish, "v1", "ben", "rights", 6}};
  const auto parsed = parse_title(title_key("film"), to_json(title));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->state, TitleState::unpublished);
  ASSERT_EQ(parsed->history.size(), 2u);
  EXPECT_EQ(parsed->history[1].action, TitleAction::unpublish);
  EXPECT_EQ(parsed->history[1].reason, "rights");
  EXPECT_EQ(parsed->history[0].at_ms, 5);
  std::string bad = to_json(title);
  bad.replace(bad.find(R"(unpublish")"), 9, "undecided");
  EXPECT_EQ(parse_title(title_key("film"), bad).error().code, ErrorCode::stored_data_corrupt);
}

TEST(Records, JobAndUploadSurviveTheirTexts) {
  JobRecord job;
  job.job = "j1";
  job.title = "film";
  job.version = "v1";
  job.upload = "u1";
  job.state = JobState::running;
  job.stage = JobStage::index;
  job.progress = 0.5;
  job.attempts = 2;
  const auto parsed_job = parse_job(job_key("j1"), to_json(job));
  ASSERT_TRUE(parsed_job.ok());
  EXPECT_EQ(parsed_job->job, "j1");
  EXPECT_EQ(parsed_job->stage, JobStage::index);
  EXPECT_EQ(parsed_job->attempts, 2);

  UploadRecord upload;
  upload.upload = "u1";
  upload.filename = "a/b.mp4";
  upload.size_bytes = 9;
  upload.title = "film";
  upload.new_version = true;
  upload.state = UploadState::complete;
  upload.sha256 = "00";
  const auto parsed_upload = parse_upload(upload_key("u1"), to_json(upload));
  ASSERT_TRUE(parsed_upload.ok());
  EXPECT_EQ(parsed_upload->filename, "a/b.mp4");
  EXPECT_TRUE(parsed_upload->new_version);
  EXPECT_EQ(parsed_upload->state, UploadState::complete);
}

TEST(Records, WhatIsNotARecordIsCorruptAndNamed) {
  const std::string good = to_json(JobRecord{});
  for (const std::string& text : {std::string(), std::string("{}"), std::string("[]"), std::string("{\"format\":2}"),
                                  good.substr(0, good.size() / 2), std::string("{\"format\":1,\"title\":7}")}) {
    const auto parsed = parse_job("/v1/job/x", text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::stored_data_corrupt);
    EXPECT_NE(parsed.error().detail.find("/v1/job/x"), std::string::npos);
  }
  EXPECT_FALSE(parse_version_record("/v1/version/noslash", to_json(VersionRecord{})).ok());
}

TEST(Records, VersionNamesHaveOneForm) {
  EXPECT_EQ(version_number("v1"), 1u);
  EXPECT_EQ(version_number("v120"), 120u);
  for (const char* other : {"", "v", "v0", "v01", "1", "v-1", "v1x", "V1", "v99999999999"}) {
    EXPECT_EQ(version_number(other), 0u) << other;
  }
  EXPECT_EQ(version_name(7), "v7");
}

}  // namespace
}  // namespace reelway::origin
