#include "origin/jobs/verification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "origin/jobs/track_indexing.h"
#include "origin/transcode/decode_check.h"
#include "tests/support/temporary_folder.h"

namespace reelway::origin {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A version of two renditions and sound, of 6 s, as its parts would have been joined.
class VerificationTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.sandbox.confine_program = std::string(REELWAY_BIN_DIR) + "/reelway-confine";
    plan_.output_folder = folder_.path();
    plan_.rate = {25, 1};
    plan_.group_frames = 50;
    plan_.frames = 150;
    plan_.rungs = {rung(320, 240), rung(160, 120)};
    AudioOutput audio;
    audio.stream = 1;
    audio.language = "en";
    audio.track_id = "audio/en-aac";
    plan_.audio = {audio};
    for (const Rung& rung : plan_.rungs) make_video(rung, "6");
    make_audio("6");
  }

  static Rung rung(std::uint32_t width, std::uint32_t height) {
    Rung made;
    made.width = width;
    made.height = height;
    made.track_id = "video/" + std::to_string(height);
    return made;
  }
  void run(const std::string& arguments) {
    const std::string command = "/usr/bin/ffmpeg -v error -nostdin -y " + arguments;
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  void make_video(const Rung& rung, const std::string& seconds) {
    run("-f lavfi -i testsrc2=s=" + std::to_string(rung.width) + "x" + std::to_string(rung.height) +
        ":r=25:d=" + seconds + " -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 2 -g 50 -keyint_min 50 " +
        "-sc_threshold 0 -flags +cgop " + file(rung.track_id));
  }
  void make_audio(const std::string& seconds) {
    run("-f lavfi -i sine=r=48000:d=" + seconds + " -ac 2 -c:a aac " + file("audio/en-aac"));
  }
  std::string file(const std::string& track) { return folder_.at(track_file(track)); }

  void index() {
    auto tracks = index_outputs(plan_);
    ASSERT_TRUE(tracks.ok()) << describe(tracks.error());
    tracks_ = std::move(tracks).value();
  }
  Result<JobCost> verify(std::size_t processes = 2) {
    return verify_version({folder_.path(), plan_, processes}, tracks_, options_, stop_, [this](double part) {
      EXPECT_GE(part, 0.0);
      EXPECT_LE(part, 1.0);
      last_told_ = part;
    });
  }
  std::string failure() {
    const auto cost = verify();
    if (cost.ok()) return "verified";
    EXPECT_EQ(cost.error().code, ErrorCode::verification_failed);
    return cost.error().detail;
  }

  // Overwrites bytes in the middle of the pictures.
  void damage(const std::string& path, std::uint64_t at, const std::string& bytes) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at));
    file << bytes;
    ASSERT_TRUE(file.good());
  }

  TemporaryFolder folder_;
  EncodePlan plan_;
  TranscodeOptions options_;
  StopSignal stop_;
  std::vector<TrackRecord> tracks_;
  double last_told_ = 0;
};

TEST_F(VerificationTest, WholeVersionIsVerifiedAndSummedUp) {
  index();
  const auto cost = verify();
  ASSERT_TRUE(cost.ok()) << describe(cost.error());
  EXPECT_GT(cost->cpu_s, 0);
  EXPECT_EQ(last_told_, 1);
  for (const TrackRecord& track : tracks_) {
    EXPECT_EQ(track.sha256.size(), 64u);
    EXPECT_EQ(track.index_sha256.size(), 64u);
  }
  EXPECT_NE(tracks_[0].sha256, tracks_[1].sha256);
  // Done again it says the same, by any number of processes.
  const std::vector<TrackRecord> first = tracks_;
  for (const std::size_t processes : {0u, 1u, 8u}) {
    ASSERT_TRUE(verify(processes).ok());
    for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(tracks_[i].sha256, first[i].sha256);
  }
}

TEST_F(VerificationTest, DamagedPicturesAreFoundWhicheverRenditionTheyAreOf) {
  index();
  for (const TrackRecord& track : std::vector<TrackRecord>{tracks_[0], tracks_[1]}) {
    damage(folder_.at(track.file), track.bytes / 2, std::string(40, '\x5a'));
    EXPECT_THAT(failure(), HasSubstr(track.file));
    make_video(track.id == "video/240" ? plan_.rungs[0] : plan_.rungs[1], "6");
  }
  EXPECT_EQ(failure(), "verified");
}

TEST_F(VerificationTest, DamagedSoundIsFound) {
  index();
  damage(folder_.at(tracks_[2].file), tracks_[2].bytes / 2, std::string(200, '\xff'));
  EXPECT_THAT(failure(), HasSubstr(tracks_[2].file));
}

TEST_F(VerificationTest, DamagedIndexIsFound) {
  index();
  damage(folder_.at(tracks_[1].index), 40, std::string(8, '\x5a'));
  EXPECT_THAT(failure(), AllOf(HasSubstr("video/120"), HasSubstr("index")));
}

TEST_F(VerificationTest, MissingPicturesAreCounted) {
  index();
  ++plan_.frames;
  EXPECT_THAT(failure(), HasSubstr("150 pictures decode, 151 were planned"));
}

TEST_F(VerificationTest, SoundThatIsTooShortIsFound) {
  index();
  make_audio("5.5");
  EXPECT_THAT(failure(), HasSubstr("samples decode"));
}

TEST_F(VerificationTest, MissingFileIsAnErrorOfTheDisk) {
  index();
  std::filesystem::remove(folder_.at(tracks_[0].file));
  const auto cost = verify();
  ASSERT_FALSE(cost.ok());
}

TEST_F(VerificationTest, StopEndsIt) {
  index();
  stop_.stop();
  const auto cost = verify();
  ASSERT_FALSE(cost.ok());
  EXPECT_EQ(cost.error().code, ErrorCode::shutting_down);
}

TEST(DecodeReport, CountsPicturesByTheLastProgressLine) {
  DecodeReport report(true);
  for (const char* line : {"frame=12", "fps=0.0", "out_time_us=480000", "progress=continue", "frame=  150",
                           "out_time_us=6000000", "progress=end", "frame=x", ""}) {
    report.add(line);
  }
  EXPECT_EQ(report.pictures(), 150u);
  EXPECT_DOUBLE_EQ(report.reached_s(), 6.0);
}

TEST(DecodeReport, AddsUpTheLengthsOfFramesOfSound) {
  DecodeReport report(false);
  for (const char* line : {"#software: Lavf", "#tb 0: 1/48000", "0,          0,          0,     1024,     4096, 0x1",
                           "0,       1024,       1024,     1024,     4096, 0x2", "0, 1", "0,2,2,x,4,5", ""}) {
    report.add(line);
  }
  EXPECT_EQ(report.samples(), 2048u);
}

}  // namespace
}  // namespace reelway::origin
