#include "origin/jobs/ingest_jobs.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "origin/quality/quality_store.h"
#include "tests/unit/origin/jobs/ingest_fixture.h"

namespace reelway::origin {
namespace {

TEST_F(IngestJobsTest, FilmBecomesAPublishedVersion) {
  ASSERT_TRUE(jobs_->start().ok());
  const JobRecord job = ingest(small_film(), "small");
  ASSERT_EQ(job.state, JobState::done) << (job.error ? describe(*job.error) : "");
  EXPECT_EQ(job.progress, 1);

  const auto version = catalog_->published("small", *catalog_->current_version("small"));
  ASSERT_TRUE(version.ok()) << describe(version.error());
  const std::vector<Rendition> list = renditions(**version);
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].id, "video/240");
  EXPECT_EQ(list[0].width, 320u);
  EXPECT_EQ(list[1].id, "video/160");
  EXPECT_EQ(list[2].id, "audio/en-aac");
  EXPECT_EQ(list[0].frames, 80u);
  EXPECT_EQ(list[1].frames, 80u);
  EXPECT_EQ((*version)->duration_ms, 3200);
  EXPECT_EQ(list[2].duration_ms, 3200);
  const auto& tracks = (*version)->presentation.tracks;
  EXPECT_EQ(tracks[0].index->units.size(), 2u);
  EXPECT_EQ(tracks[0].index->units[1].first_sample, 50u);
  EXPECT_TRUE(tracks[2].is_default);
  EXPECT_EQ(tracks[2].index->language, "en");
  EXPECT_TRUE(std::filesystem::is_empty(folder_.at("work")));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.at("uploads")));
  EXPECT_TRUE(exists(catalog_->original_path("small", "v1")));
  const Result<VersionRecord> record = catalog_->version("small", "v1");
  for (const TrackRecord& track : record->tracks) {
    EXPECT_EQ(track.sha256.size(), 64u) << track.id;
    EXPECT_EQ(track.index_sha256.size(), 64u) << track.id;
  }
}

TEST_F(IngestJobsTest, SameFilmGivesTheSameBytes) {
  ASSERT_TRUE(jobs_->start().ok());
  const std::string path = small_film();
  ASSERT_EQ(ingest(path, "one").state, JobState::done);
  ASSERT_EQ(ingest(path, "two").state, JobState::done);
  const auto one = catalog_->published("one", "v1"), two = catalog_->published("two", "v1");
  ASSERT_TRUE(one.ok() && two.ok());
  for (std::size_t i = 0; i < (*one)->files.size(); ++i) {
    const Result<Bytes> first = read_whole_file((*one)->files[i], 1 << 30);
    const Result<Bytes> second = read_whole_file((*two)->files[i], 1 << 30);
    EXPECT_TRUE(*first == *second) << (*one)->files[i];
  }
}

TEST_F(IngestJobsTest, TitleIsTakenOnceAndVersionsCountUp) {
  ASSERT_TRUE(jobs_->start().ok());
  const std::string path = small_film();
  ASSERT_EQ(ingest(path, "film").state, JobState::done);
  EXPECT_EQ(uploads_->begin({"f", 10, "film", false}).error().code, ErrorCode::title_exists);
  EXPECT_EQ(uploads_->begin({"f", 10, "other", true}).error().code, ErrorCode::title_not_found);
  EXPECT_EQ(ingest(path, "film", true).version, "v2");
  EXPECT_EQ(*catalog_->current_version("film"), "v2");
  EXPECT_TRUE(catalog_->published("film", "v1").ok());
}

TEST_F(IngestJobsTest, FailedNewVersionLeavesTheOldOnePlaying) {
  ASSERT_TRUE(jobs_->start().ok());
  ASSERT_EQ(ingest(small_film(), "film").state, JobState::done);
  std::ofstream(folder_.at("text.mp4")) << "this is no film";
  EXPECT_EQ(ingest(folder_.at("text.mp4"), "film", true).state, JobState::failed);
  EXPECT_EQ(*catalog_->current_version("film"), "v1");
  EXPECT_EQ(catalog_->title("film")->state, TitleState::published);
  EXPECT_EQ(catalog_->version("film", "v2")->error->code, ErrorCode::media_unreadable);
}

TEST_F(IngestJobsTest, AfterAFailureTheTitleIdIsFree) {
  std::ofstream(folder_.at("text.mp4")) << "this is no film";
  EXPECT_EQ(refusal(folder_.at("text.mp4")), ErrorCode::media_unreadable);
  const JobRecord again = ingest(small_film(), "film");
  EXPECT_EQ(again.state, JobState::done);
  EXPECT_EQ(again.version, "v2");
  EXPECT_FALSE(catalog_->title("film")->error.has_value());
}

TEST_F(IngestJobsTest, FilmWithoutSoundIsRefused) {
  const std::string path = film("-f lavfi -i testsrc2=s=160x120:r=25:d=2 -c:v libx264 -preset ultrafast", "silent.mp4");
  EXPECT_EQ(refusal(path), ErrorCode::media_no_audio);
}

TEST_F(IngestJobsTest, SoundAloneIsNoFilm) {
  EXPECT_EQ(refusal(film("-f lavfi -i sine=d=2 -c:a aac", "sound.mp4")), ErrorCode::media_no_video);
}

TEST_F(IngestJobsTest, EmptyFilmHasNoDuration) {
  const std::string path = film(
      "-f lavfi -i testsrc2=s=160x120:r=25 -f lavfi -i sine -t 0 -c:v mpeg4 -c:a aac -movflags empty_moov", "none.mp4");
  EXPECT_EQ(refusal(path), ErrorCode::media_zero_duration);
}

TEST_F(IngestJobsTest, CutFilmIsTruncatedWhereverItsIndexLies) {
  const std::string base =
      "-f lavfi -i testsrc2=s=160x120:r=25:d=8 -f lavfi -i sine=d=8 -c:v libx264 -preset ultrafast -c:a aac ";
  struct Case {
    const char* options;
    const char* name;
    const char* title;
  };
  for (const Case& one : {Case{"", "end.mp4", "index-at-end"},
                          {"-movflags faststart", "front.mp4", "index-in-front"},
                          {"", "film.mkv", "matroska"}}) {
    const std::string path = film(base + one.options, one.name);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) * 6 / 10);
    EXPECT_EQ(refusal(path, one.title), ErrorCode::media_truncated) << one.name;
    restart();
  }
}

// 44 s of film in five parts, decoded in each with B-frames of the source before it.
TEST_F(IngestJobsTest, FilmOfSeveralPartsPlaysAsOne) {
  ASSERT_TRUE(jobs_->start().ok());
  const std::string path = film(
      "-f lavfi -i testsrc2=s=160x120:r=25:d=44 -f lavfi -i sine=d=44 -c:v libx264 -preset ultrafast -bf 3 -g 160 -c:a "
      "aac");
  const JobRecord job = ingest(path, "film");
  ASSERT_EQ(job.state, JobState::done) << (job.error ? describe(*job.error) : "");
  EXPECT_EQ(job.parts, 6);
  EXPECT_EQ(job.claims, 6);
  EXPECT_GT(job.cost.cpu_s, 0);
  const auto version = catalog_->published("film", "v1");
  ASSERT_TRUE(version.ok()) << describe(version.error());
  const std::string& video = (*version)->files[0];
  EXPECT_EQ((*version)->presentation.tracks[0].index->samples.size(), 1100u);
  // Decodes without a word, to as many pictures as planned, and none is another one's: each is like its source.
  const std::string log = folder_.at("log"), stats = folder_.at("ssim");
  const std::string command = "/usr/bin/ffmpeg -v warning -nostdin -i " + video + " -i " + path +
                              " -lavfi '[0:v][1:v]ssim=stats_file=" + stats + "' -f null - 2> " + log;
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(std::filesystem::file_size(log), 0u);
  std::ifstream lines(stats);
  int pictures = 0;
  for (std::string line; std::getline(lines, line); ++pictures) {
    const std::size_t all = line.find("All:");
    ASSERT_NE(all, std::string::npos);
    EXPECT_GT(std::strtod(line.c_str() + all + 4, nullptr), 0.75) << line;
  }
  EXPECT_EQ(pictures, 1100);
}

TEST_F(IngestJobsTest, FilmWithABlockingFindingIsHeldUntilItIsWaived) {
  options_.quality[Rule::black].block_from = 2;
  restart();
  ASSERT_TRUE(jobs_->start().ok());
  const std::string path = film(
      "-f lavfi -i \"testsrc2=s=160x120:r=25:d=8,drawbox=enable='between(t,2,5)':t=fill:c=black\" -f lavfi -i sine=d=8 "
      "-c:v libx264 -preset ultrafast -c:a aac");
  const auto job = jobs_->enqueue({"film", "", upload(path, "film"), "en", false});
  ASSERT_TRUE(job.ok());
  const auto is_held = [](const JobRecord& record) { return record.state == JobState::held; };
  ASSERT_EQ(wait_until(job->job, is_held).error->code, ErrorCode::quality_blocked);
  EXPECT_FALSE(catalog_->published("film", "v1").ok());
  // It is held still after a restart, and its report is kept.
  restart();
  ASSERT_TRUE(jobs_->start().ok());
  EXPECT_EQ(jobs_->status(job->job)->state, JobState::held);
  const auto report = load_report(*store_, "film", "v1");
  ASSERT_TRUE(report.ok());
  for (const Finding& finding : report->findings) {
    if (finding.severity != Severity::block) continue;
    ASSERT_TRUE(waive(*store_, clock_, {"film", "v1", finding.id, "ann", "it is meant"}).ok());
  }
  ASSERT_TRUE(jobs_->reconsider("film", "v1").ok());
  const JobRecord ended = wait_for_end(job->job);
  EXPECT_EQ(ended.state, JobState::done) << (ended.error ? describe(*ended.error) : "");
  EXPECT_FALSE(ended.error);
  EXPECT_TRUE(catalog_->published("film", "v1").ok());
}

TEST_F(IngestJobsTest, BitRatesAreChosenForTheFilmAndAlwaysTheSame) {
  const std::string path = film(
      "-f lavfi -i testsrc2=s=320x180:r=25:d=12,gblur=sigma=5 -f lavfi -i sine=d=12 -c:v libx264 -preset ultrafast -g "
      "50 -c:a aac");
  ASSERT_TRUE(jobs_->start().ok());
  ASSERT_EQ(ingest(path, "one").state, JobState::done);
  const auto one = catalog_->version("one", "v1");
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->probe.samples, 6u);
  EXPECT_GT(one->probe.cpu_s, 0);
  EXPECT_LT(one->tracks[0].target_bits, one->tracks[0].table_bits);
  ASSERT_EQ(ingest(path, "two").state, JobState::done);
  const auto two = catalog_->version("two", "v1");
  for (std::size_t i = 0; i < one->tracks.size(); ++i) {
    EXPECT_EQ(one->tracks[i].target_bits, two->tracks[i].target_bits);
  }
  options_.picture.per_title = false;
  restart();
  ASSERT_TRUE(jobs_->start().ok());
  ASSERT_EQ(ingest(path, "three").state, JobState::done);
  const auto three = catalog_->version("three", "v1");
  EXPECT_EQ(three->probe.samples, 0u);
  EXPECT_EQ(three->tracks[0].target_bits, one->tracks[0].table_bits);
}

// Of the first video of the file, against what the sources and filters make.
double likeness(const std::string& file, const std::string& truth, const std::string& log) {
  const std::string command = "/usr/bin/ffmpeg -v error -nostdin -i " + file + " -f lavfi -i \"" + truth +
                              "\" -lavfi '[0:v][1:v]ssim=stats_file=" + log + "' -f null -";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  std::ifstream lines(log);
  double sum = 0;
  int pictures = 0;
  for (std::string line; std::getline(lines, line); ++pictures) {
    const std::size_t all = line.find("All:");
    sum += all == std::string::npos ? 0 : std::strtod(line.c_str() + all + 4, nullptr);
  }
  return pictures == 0 ? 0 : sum / pictures;
}

TEST_F(IngestJobsTest, BarsAreCutOffInEveryPart) {
  const std::string path = film(
      "-f lavfi -i testsrc2=s=320x180:r=25:d=24,pad=320:240:0:30 -f lavfi -i sine=d=24 -c:v libx264 -preset ultrafast "
      "-g 50 -c:a aac");
  ASSERT_TRUE(jobs_->start().ok());
  const JobRecord job = ingest(path, "film");
  ASSERT_EQ(job.state, JobState::done) << (job.error ? describe(*job.error) : "");
  EXPECT_EQ(job.parts, 4);
  const auto version = catalog_->published("film", "v1");
  ASSERT_TRUE(version.ok());
  const std::vector<Rendition> list = renditions(**version);
  EXPECT_EQ(list[0].width, 320u);
  EXPECT_EQ(list[0].height, 180u);
  EXPECT_EQ(list[0].frames, 600u);
  EXPECT_GT(likeness((*version)->files[0], "testsrc2=s=320x180:r=25:d=24,format=yuv420p", folder_.at("ssim")), 0.9);
  options_.picture.crop = false;
  restart();
  ASSERT_TRUE(jobs_->start().ok());
  ASSERT_EQ(ingest(path, "barred").state, JobState::done);
  EXPECT_EQ(renditions(**catalog_->published("barred", "v1"))[0].height, 240u);
}

// The file says that it is progressive, and the lower field comes first.
TEST_F(IngestJobsTest, CombsThatWereFoundAreRemoved) {
  const std::string moving = "testsrc2=s=320x240:r=50:d=12,scroll=horizontal=0.01,format=yuv420p";
  const std::string path = film("-f lavfi -i \"" + moving +
                                ",tinterlace=interleave_bottom,setfield=prog\" -f lavfi -i sine=d=12 -c:v libx264 "
                                "-preset ultrafast -qp 4 -c:a aac");
  ASSERT_TRUE(jobs_->start().ok());
  const JobRecord job = ingest(path, "film");
  ASSERT_EQ(job.state, JobState::done) << (job.error ? describe(*job.error) : "");
  const std::string truth = moving + ",select='not(mod(n\\,2))',setpts=N/25/TB";
  const auto version = catalog_->published("film", "v1");
  ASSERT_TRUE(version.ok());
  EXPECT_EQ(renditions(**version)[0].frames, 300u);
  const double combed = likeness(path, truth, folder_.at("ssim"));
  EXPECT_GT(likeness((*version)->files[0], truth, folder_.at("ssim")), combed + 0.01);
}

// Its fields are put back into their pictures; none is left out, so that parts and renditions stay aligned.
TEST_F(IngestJobsTest, TelecinedFilmKeepsItsCountOfPictures) {
  const std::string path = film(
      "-f lavfi -i \"testsrc2=s=320x240:r=24:d=12,scroll=horizontal=0.01,format=yuv420p,telecine=pattern=23,"
      "setfield=prog\" -f lavfi -i sine=d=12 -c:v libx264 -preset ultrafast -qp 8 -c:a aac");
  ASSERT_TRUE(jobs_->start().ok());
  const JobRecord job = ingest(path, "film");
  ASSERT_EQ(job.state, JobState::done) << (job.error ? describe(*job.error) : "");
  EXPECT_TRUE(load_report(*store_, "film", "v1")->telecine);
  EXPECT_EQ(renditions(**catalog_->published("film", "v1"))[0].frames, 360u);
}

TEST_F(IngestJobsTest, CancelledJobFailsAndKeepsItsOriginal) {
  const auto job = jobs_->enqueue({"film", "", upload(small_film(), "film"), "en", false});
  ASSERT_TRUE(job.ok());
  ASSERT_TRUE(jobs_->cancel(job->job).ok());
  ASSERT_TRUE(jobs_->start().ok());
  const JobRecord ended = wait_for_end(job->job);
  EXPECT_EQ(ended.state, JobState::failed);
  ASSERT_TRUE(ended.error);
  EXPECT_EQ(ended.error->code, ErrorCode::job_cancelled);
  EXPECT_EQ(jobs_->cancel(job->job).error().code, ErrorCode::store_conflict);
  EXPECT_EQ(jobs_->cancel("nothing").error().code, ErrorCode::job_not_found);
  EXPECT_FALSE(catalog_->published("film", "v1").ok());
}

// Bytes of a part that change between its making and its joining.
TEST_F(IngestJobsTest, PartDamagedAfterItWasMadeIsNeverPublished) {
  const std::string path =
      film("-f lavfi -i testsrc2=s=320x240:r=25:d=44 -f lavfi -i sine=d=44 -c:v libx264 -preset ultrafast -c:a aac");
  ASSERT_TRUE(jobs_->start().ok());
  const auto job = jobs_->enqueue({"film", "", upload(path, "film"), "en", false});
  ASSERT_TRUE(job.ok());
  std::string made;
  while (made.empty()) {
    for (const PartStatus& part : jobs_->board().parts(job->job)) {
      if (part.done) made = part.name;
    }
    std::this_thread::yield();
  }
  int damaged = 0;
  for (const auto& folder : std::filesystem::directory_iterator(folder_.at("work/" + job->job))) {
    if (folder.path().filename().string().find(made) == std::string::npos) continue;
    for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
      std::fstream bytes(file.path(), std::ios::binary | std::ios::in | std::ios::out);
      bytes.seekp(static_cast<std::streamoff>(std::filesystem::file_size(file.path()) / 2));
      bytes << "damage";
      damaged += bytes.good();
    }
  }
  ASSERT_GT(damaged, 0) << made;
  const JobRecord ended = wait_for_end(job->job);
  EXPECT_EQ(ended.state, JobState::failed);
  ASSERT_TRUE(ended.error);
  EXPECT_EQ(ended.error->code, ErrorCode::verification_failed) << describe(*ended.error);
  EXPECT_FALSE(catalog_->published("film", "v1").ok());
  EXPECT_FALSE(exists(catalog_->version_folder("film", "v1")));
}

TEST_F(IngestJobsTest, StoppedJobIsTakenUpAtTheNextStart) {
  const std::string path =
      film("-f lavfi -i testsrc2=s=640x360:r=25:d=4 -f lavfi -i sine=d=4 -c:v libx264 -preset ultrafast -c:a aac");
  const auto job = jobs_->enqueue({"film", "", upload(path, "film"), "en", false});
  ASSERT_TRUE(job.ok());
  ASSERT_TRUE(jobs_->start().ok());
  wait_until(job->job, [](const JobRecord& record) { return record.stage == JobStage::transcode; });
  jobs_->stop();
  EXPECT_EQ(jobs_->status(job->job)->state, JobState::running);
  EXPECT_FALSE(exists(catalog_->version_folder("film", "v1")));
  restart();
  ASSERT_TRUE(jobs_->start().ok());
  EXPECT_EQ(wait_for_end(job->job).state, JobState::done);
  EXPECT_TRUE(catalog_->published("film", "v1").ok());
}

// Full at the n-th look at the disk, and until the job says so: whatever it was about to do, it goes on where it was.
TEST_F(IngestJobsTest, JobThatFindsTheDiskFullIsHeldAndGoesOnWhenThereIsRoom) {
  struct Disk {
    std::atomic<int> looks{0}, full_from{0};
    std::atomic<bool> is_full{false};
  };
  const auto disk = std::make_shared<Disk>();
  options_.free_bytes = [disk](const std::string&) -> std::uint64_t {
    if (++disk->looks == disk->full_from) disk->is_full = true;
    return disk->is_full ? 0 : 1ull << 40;
  };
  restart();
  ASSERT_TRUE(jobs_->start().ok());
  const std::string path = small_film();
  ASSERT_EQ(ingest(path, "undisturbed").state, JobState::done);
  int held = 0;
  for (int full_from = 1; full_from <= 6; ++full_from) {
    const std::string title = "full-" + std::to_string(full_from);
    disk->looks = 0;
    disk->full_from = full_from;
    const JobRecord job = jobs_->enqueue({title, "", upload(path, title), "en", false}).value();
    JobRecord seen = job;
    while (seen.state != JobState::done) {
      ASSERT_NE(seen.state, JobState::failed) << describe(*seen.error);
      if (seen.state == JobState::held) {
        EXPECT_EQ(seen.error->code, ErrorCode::disk_full);
        ++held;
        disk->is_full = false;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      seen = jobs_->status(job.job).value();
    }
    disk->is_full = false;
    const VersionRecord undisturbed = catalog_->version("undisturbed", "v1").value();
    for (const TrackRecord& track : undisturbed.tracks) {
      const auto first = read_whole_file(catalog_->version_folder("undisturbed", "v1") + "/" + track.file, 1 << 30);
      const auto second = read_whole_file(catalog_->version_folder(title, "v1") + "/" + track.file, 1 << 30);
      EXPECT_TRUE(*first == *second) << title << " " << track.file;
    }
  }
  EXPECT_GE(held, 3);  // before the parts, at a part, before they are joined
}

// What a process that ended on a full disk has left is no decision that somebody must take.
TEST_F(IngestJobsTest, JobHeldByAFullDiskGoesOnAfterARestart) {
  options_.free_bytes = [](const std::string&) -> std::uint64_t { return 0; };
  restart();
  ASSERT_TRUE(jobs_->start().ok());
  const JobRecord job = jobs_->enqueue({"film", "", upload(small_film(), "film"), "en", false}).value();
  while (jobs_->status(job.job)->state != JobState::held) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  options_.free_bytes = &free_bytes;
  restart();
  ASSERT_TRUE(jobs_->start().ok());
  EXPECT_EQ(wait_for_end(job.job).state, JobState::done);
}

}  // namespace
}  // namespace reelway::origin
