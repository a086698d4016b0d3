#include "origin/quality/pass.h"

#include <algorithm>
#include <array>

#include <spdlog/fmt/fmt.h>

#include "origin/quality/film_facts.h"
#include "origin/transcode/channel_mix.h"
#include "origin/transcode/encode_plan.h"

// Model. The film is decoded once. Its pictures go three ways:
//
//   v  every picture, thinned to 160x90 pixels: black, stills, cuts
//   i  of every 10 s the first 2 s, untouched because fields are lines: interlace and repeated fields
//   c  a picture every 2 s, untouched: bars
//
// and each audio track one way: loudness in frames of 0.1 s, levels of each channel, phase where there are two
// channels. What the transcode will mix from a track of more channels is measured beside it: its loudness and peak do
// not follow from the track's.
//
// Thinning takes the nearest pixel, which touches only the lines that it keeps, so black and stills cost nearly
// nothing; a scaler that averages would cost as much as looking at all pixels. Measured on one thread, with stereo: the
// pass takes 1.2 times the CPU of a plain decode at 1080p, 1.3 times at 720p, and 1.6 times at 360p, where sound is
// what costs.
//
// Every branch prints to the descriptor of standard error, line by line, where FFmpeg's own messages go: so the place
// of a message among the records is where in the film it happened, give or take the pictures that decoder threads hold.

namespace reelway::origin {
namespace {

using Words = std::vector<std::string>;

constexpr int kDecodeThreads = 2;
constexpr double kCut = 10;  // scdet's threshold, in percent
constexpr double kBlackShortest_s = 0.1, kStillShortest_s = 0.5;
constexpr double kBlackPixel = 0.10;       // how bright a black pixel may be
constexpr double kBarBrightness = 0.0941;  // 24 of 255
constexpr std::size_t kSoundsMax = 16;
constexpr int kStillWidth = 480, kWaveWidth = 800, kWaveHeight = 120;
constexpr std::string_view kPrint = "mode=print:file=pipe\\\\:2:direct=1";

void add(Words& words, std::initializer_list<std::string> more) {
  words.insert(words.end(), more);
}

void add_source(Words& words, const std::string& source) {
  for (std::string& word : source_arguments(source)) words.push_back(std::move(word));
}

Words quiet(const std::string& ffmpeg) {
  return {ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-y", "-v", "error"};
}

std::string print_pictures(std::string_view branch) {
  return fmt::format("metadata=mode=add:key=reelway:value={},metadata={}", branch, kPrint);
}

std::string picture_graph(const InspectionPlan& plan) {
  std::string graph = fmt::format("[0:{}]split=3[va][vb][vc];", plan.video_stream);
  graph += fmt::format(
      "[va]scale=160:90:flags=neighbor,format=yuv420p,blackdetect=d={}:pix_th={}:pic_th={:.4f},"
      "freezedetect=n={}dB:d={},scdet=t={},{}[ov];",
      kBlackShortest_s, kBlackPixel, plan.black_percent / 100, plan.still_db, kStillShortest_s, kCut,
      print_pictures(kPictureBranch));
  graph += fmt::format("[vb]select='lt(mod(t\\,10)\\,2)',idet,select='not(mod(n\\,6))',{}[oi];",
                       print_pictures(kFieldsBranch));
  graph += fmt::format(
      "[vc]select='isnan(prev_selected_t)+gte(t-prev_selected_t\\,2)',"
      "cropdetect=limit={}:round=2:reset=1:skip=0,{}[oc]",
      kBarBrightness, print_pictures(kCropBranch));
  return graph;
}

struct Mix {
  std::string_view branch;
  const std::string& filter;
};

// Mixes of a track that are measured beside it.
std::vector<Mix> mixes_of(const InspectionPlan::Sound& sound) {
  std::vector<Mix> mixes;
  if (!sound.stereo_mix.empty()) mixes.push_back({kStereoMixBranch, sound.stereo_mix});
  if (!sound.surround_mix.empty()) mixes.push_back({kSurroundMixBranch, sound.surround_mix});
  return mixes;
}

std::string sound_graph(const InspectionPlan::Sound& sound) {
  const std::vector<Mix> mixes = mixes_of(sound);
  std::string graph = fmt::format("[0:{}]", sound.stream);
  if (!mixes.empty()) {
    graph += fmt::format("asplit={}[sa{}]", mixes.size() + 1, sound.stream);
    for (const Mix& mix : mixes) graph += fmt::format("[s{}{}]", mix.branch, sound.stream);
    graph += fmt::format(";[sa{}]", sound.stream);
  }
  graph += fmt::format(
      "ebur128=peak=true:metadata=1:dualmono=true,"
      "astats=metadata=1:reset=1:measure_perchannel=Peak_level+RMS_level+Zero_crossings_rate:measure_overall=none,"
      "{1}ametadata=mode=add:key=reelway:value=a{0},ametadata={2}[oa{0}]",
      sound.stream, sound.channels == 2 ? "aphasemeter=video=0," : "", kPrint);
  for (const Mix& mix : mixes) {
    graph += fmt::format(
        ";[s{0}{1}]{2},ebur128=peak=true:metadata=1,ametadata=mode=add:key=reelway:value={0}{1},ametadata={3}[o{0}{1}]",
        mix.branch, sound.stream, mix.filter, kPrint);
  }
  return graph;
}

bool is_text(std::string_view codec) {
  constexpr std::array<std::string_view, 7> kTexts{"subrip", "srt", "mov_text", "webvtt", "ass", "ssa", "text"};
  return std::find(kTexts.begin(), kTexts.end(), codec) != kTexts.end();
}

}  // namespace

InspectionPlan plan_inspection(const std::string& source, const std::string& folder, const SourceFacts& facts,
                               const ContainerScan& container, const QualityRules& rules) {
  InspectionPlan plan;
  plan.source = source;
  plan.folder = folder;
  plan.video_stream = facts.video.stream;
  plan.black_percent = rules[Rule::black].limit;
  plan.still_db = rules[Rule::freeze].limit;
  for (const AudioSource& audio : facts.audio) {
    const StreamFacts* stream = container.stream(audio.stream);
    if (plan.sounds.size() >= kSoundsMax) break;
    plan.sounds.push_back({audio.stream, stream == nullptr ? 0 : stream->channels,
                           is_mixed_to_stereo(audio.layout) ? stereo_mix(audio.layout) : "",
                           is_mixed_to_surround(audio.layout) ? surround_mix(audio.layout) : ""});
  }
  for (const StreamFacts& stream : container.streams()) {
    if (stream.type == "subtitle" && is_text(stream.codec)) plan.subtitles.push_back(stream.stream);
  }
  return plan;
}

Words inspection_arguments(const InspectionPlan& plan, const std::string& ffmpeg) {
  Words words = quiet(ffmpeg);
  // A film with many faults is to be measured to its end, too.
  add(words, {"-max_error_rate", "1", "-filter_complex_threads", "1", "-threads", std::to_string(kDecodeThreads)});
  add_source(words, plan.source);
  add(words, {"-filter_complex", picture_graph(plan)});
  for (const InspectionPlan::Sound& sound : plan.sounds) add(words, {"-filter_complex", sound_graph(sound)});
  for (const char* branch : {"[ov]", "[oi]", "[oc]"}) {
    add(words, {"-map", branch, "-fps_mode", "passthrough", "-f", "null", "-"});
  }
  for (const InspectionPlan::Sound& sound : plan.sounds) {
    add(words, {"-map", fmt::format("[oa{}]", sound.stream), "-f", "null", "-"});
    for (const Mix& mix : mixes_of(sound)) {
      add(words, {"-map", fmt::format("[o{}{}]", mix.branch, sound.stream), "-f", "null", "-"});
    }
  }
  for (const int stream : plan.subtitles) {
    add(words, {"-map", fmt::format("0:{}", stream), "-c:s", "subrip", "-f", "srt",
                "file:" + plan.folder + "/" + subtitle_file(stream)});
  }
  return words;
}

std::string subtitle_file(int stream) {
  return fmt::format("subtitle-{}.srt", stream);
}

Words still_arguments(const InspectionPlan& plan, double at_s, const std::string& file, const std::string& ffmpeg) {
  Words words = quiet(ffmpeg);
  add(words, {"-threads", "1", "-ss", fmt::format("{:.3f}", at_s)});
  add_source(words, plan.source);
  add(words, {"-map", fmt::format("0:{}", plan.video_stream), "-frames:v", "1", "-vf",
              fmt::format("scale={}:-2,format=yuvj420p", kStillWidth), "-q:v", "5", "-flags:v", "+bitexact", "-f",
              "image2", "-update", "1", "file:" + plan.folder + "/" + file});
  return words;
}

Words wave_arguments(const InspectionPlan& plan, int stream, double from_s, double length_s, const std::string& file,
                     const std::string& ffmpeg) {
  Words words = quiet(ffmpeg);
  add(words, {"-threads", "1", "-ss", fmt::format("{:.3f}", from_s), "-t", fmt::format("{:.3f}", length_s), "-vn"});
  add_source(words, plan.source);
  add(words,
      {"-filter_complex",
       fmt::format("[0:{}]showwavespic=s={}x{}:split_channels=1[w]", stream, kWaveWidth, kWaveHeight), "-map", "[w]",
       "-frames:v", "1", "-flags:v", "+bitexact", "-f", "image2", "-update", "1", "file:" + plan.folder + "/" + file});
  return words;
}

}  // namespace reelway::origin
