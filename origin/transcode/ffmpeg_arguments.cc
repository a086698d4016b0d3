#include <spdlog/fmt/fmt.h>

#include <array>

#include "origin/mp4/language.h"
#include "origin/transcode/channel_mix.h"
#include "origin/transcode/encode_plan.h"

// Model. A part of the video is decoded once for all renditions:
//
//   place before the part -> [deinterlace] -> [crop] -> [tone map] -> constant rate from the part's first frame
//         -> exact length
//         -> size of the top rung -> split -> one scale for each further rung
//
// and an audio track by itself: 48 kHz from 0, holes filled -> its channels -> its gain -> exact length. So every
// rendition has the same frames, and with a key frame at each multiple of the group and nowhere else, the same cuts.
// "Exact length" may only cut or, by a stated time at the film's end, let the last picture stand: frames that could not
// be decoded are missing in the count and so found out.
//
// Times are the film's, also in a part that begins later (-copyts, -start_at_zero), so the constant rate picks the same
// pictures as if the whole film were decoded at once. Decoding begins at the key frame before kSeekMargin_s before the
// part, all pictures from there on are decoded (-noaccurate_seek), and the constant rate drops what comes too early.
//
// What looks interlaced is found picture by picture (idet), because a filter that takes the wrong field first makes it
// worse than none: SSIM to the true pictures 0.930 where 0.953 is untouched and 0.973 the right order. Telecined film
// is put together again from its fields (fieldmatch), but no picture is left out: the count of pictures is what parts
// and renditions are cut by, and where the rhythm breaks at an edit, leaving out every fifth picture takes one that
// moves. So combs go, sharpness stays, and each fifth picture is still shown twice, which costs few bits.
//
// A part encoded twice must give equal bytes, and x264 under a buffer limit gives that on one thread only: with frame
// threads 5 of 5 runs differed, with threads that share each picture as slices about one of six. So an encoder has one
// thread, which also costs the least CPU, and a film uses many processors by its parts.

namespace reelway::origin {
namespace {

// Containers of films and of sound (to say that the video is missing); no playlists, images or scripts, which name
// other files.
constexpr const char* kContainers =
    "mov,matroska,avi,mpegts,mpeg,mxf,flv,asf,ogg,nut,rm,gxf,dv,h264,hevc,m4v,mpegvideo,yuv4mpegpipe,ivf,wav,mp3,aac,"
    "flac,aiff,ac3,eac3,w64,caf";
// By codec. FFmpeg's E-AC-3 has neither spectral extension nor enhanced coupling, with which others do at 192k.
constexpr std::array<const char*, 3> kSoundBits{"128k", "256k", "448k"};
constexpr int kEncoderThreads = 1, kDecoderThreads = 2;
// The part of failed decodes that is let pass; a few broken frames are concealed, more are a broken film.
constexpr const char* kDecodeErrorsMax = "0.02";
// Frames by which rounding of times may make the constant rate fall short at the end.
constexpr double kRateSlackFrames = 2;
constexpr std::uint32_t kMainProfileHeight = 360;
// How much earlier than its first frame a part's decoding begins: more than pictures are out of order, so that the ones
// before it are there for deinterlacing and for rates that vary.
constexpr double kSeekMargin_s = 2;

using Words = std::vector<std::string>;

void add(Words& words, std::initializer_list<std::string> more) {
  words.insert(words.end(), more);
}

void add_input(Words& words, const std::string& source) {
  add(words, {"-protocol_whitelist", "file", "-format_whitelist", kContainers, "-i", "file:" + source});
}

// Only near the place, from a picture that needs none before it: nothing is decoded in vain.
void add_sample_place(Words& words, double start_s) {
  add(words, {"-noaccurate_seek", "-ss", fmt::format("{:.6f}", start_s)});
}

void add_place(Words& words, double start_s) {
  add(words, {"-copyts", "-start_at_zero"});
  if (start_s > kSeekMargin_s) add(words, {"-noaccurate_seek", "-ss", fmt::format("{:.6f}", start_s - kSeekMargin_s)});
}

// MP4 knows languages by the three letters of ISO 639-2.
std::string three_letters(const std::string& language) {
  std::string letters;
  const std::uint16_t packed = mp4::packed_language(language);
  for (const int shift : {10, 5, 0}) letters += static_cast<char>('a' - 1 + (packed >> shift & 31));
  return letters;
}

double start_of(const EncodePlan& plan, const EncodePart& part) {
  return static_cast<double>(part.first_frame) / plan.rate.value();
}

std::string_view field_filters(Deinterlace deinterlace) {
  switch (deinterlace) {
    case Deinterlace::none: return "";
    case Deinterlace::flagged: return "yadif=mode=send_frame:deint=interlaced,";
    case Deinterlace::found: return "idet,yadif=mode=send_frame:deint=interlaced,";
    case Deinterlace::telecine: return "idet,fieldmatch=combmatch=full,yadif=mode=send_frame:deint=interlaced,";
  }
  return "";
}

std::string video_chain(const EncodePlan& plan, const EncodePart& part) {
  std::string chain = fmt::format("[0:{}]", plan.video_stream);
  chain += field_filters(plan.deinterlace);
  if (plan.crop) {
    chain += fmt::format("crop={}:{}:{}:{},", plan.crop->width, plan.crop->height, plan.crop->x, plan.crop->y);
  }
  if (plan.tone_map) {
    chain +=
        "zscale=transfer=linear:npl=100,format=gbrpf32le,zscale=primaries=bt709,tonemap=hable:desat=0,"
        "zscale=transfer=bt709:matrix=bt709:range=limited,";
  }
  chain += fmt::format("fps=fps={}/{}", plan.rate.numerator, plan.rate.denominator);
  chain += part.is_sample ? "," : fmt::format(":start_time={:.6f},", start_of(plan, part));
  if (!part.is_sample && part.first_frame + part.frames == plan.frames) {
    const double still_s = plan.still_s + kRateSlackFrames / plan.rate.value();
    chain += fmt::format("tpad=stop_mode=clone:stop_duration={:.6f},", still_s);
  }
  const Rung& top = plan.rungs.front();
  chain += fmt::format("trim=end_frame={},setpts=PTS-STARTPTS,", part.frames);
  chain += fmt::format("scale={}:{}:flags=bicubic:out_range=tv,setsar=1,format=yuv420p", top.width, top.height);
  if (plan.rungs.size() == 1) return chain + "[v0]";
  chain += fmt::format(",split={}[v0]", plan.rungs.size());
  for (std::size_t i = 1; i < plan.rungs.size(); ++i) chain += fmt::format("[s{}]", i);
  for (std::size_t i = 1; i < plan.rungs.size(); ++i) {
    chain +=
        fmt::format(";[s{}]scale={}:{}:flags=bicubic,setsar=1[v{}]", i, plan.rungs[i].width, plan.rungs[i].height, i);
  }
  return chain;
}

std::string audio_chain(const EncodePlan& plan, std::size_t output) {
  const AudioOutput& audio = plan.audio[output];
  std::string chain = fmt::format("[0:{}]aresample={}:async=1:first_pts=0,", audio.stream, kAudioRate);
  const bool is_stereo = audio.codec == SoundCodec::aac;
  const std::string mix = is_stereo ? stereo_mix(audio.layout) : surround_mix(audio.layout);
  if (!mix.empty()) chain += mix + ",";
  if (audio.level.gain_millibels != 0) {
    chain += fmt::format("volume=volume={:.2f}dB:precision=float,", audio.level.gain_db());
  }
  chain += fmt::format("aformat=sample_fmts=fltp:sample_rates={}:channel_layouts={},", kAudioRate,
                       is_stereo ? "stereo" : "5.1(side)");
  chain += fmt::format("apad=whole_len={0},atrim=end_sample={0}", plan.audio_samples());
  // FFmpeg's encoder of AAC flushes what it holds back; those of AC-3 and E-AC-3 do not.
  if (!is_stereo) chain += fmt::format(",apad=pad_len={}", sound_format(audio.codec).priming_samples);
  return chain + "[a]";
}

void add_file(Words& words, const EncodePlan& plan, const std::string& track_id, const std::string& language) {
  add(words, {"-map_metadata", "-1", "-map_chapters", "-1", "-metadata:s:0", "language=" + three_letters(language),
              "-fflags", "+bitexact", "-write_tmcd", "0", "-write_btrt", "0", "-f", "mp4",
              "file:" + plan.output_folder + "/" + track_file(track_id)});
}

void add_rate(Words& words, const Rung& rung, bool is_sample) {
  if (is_sample) return add(words, {"-crf", std::to_string(kProbeQuality)});
  const std::string peak = std::to_string(rung.bits_per_second * 3 / 2);
  add(words, {"-b:v", std::to_string(rung.bits_per_second), "-maxrate", peak, "-bufsize", peak});
}

void add_video(Words& words, const EncodePlan& plan, const EncodePart& part, std::size_t output) {
  const Rung& rung = plan.rungs[output];
  const std::string group = std::to_string(plan.group_frames);
  add(words, {"-map", fmt::format("[v{}]", output), "-c:v", "libx264", "-preset", "veryfast", "-profile:v",
              rung.height <= kMainProfileHeight ? "main" : "high", "-pix_fmt", "yuv420p"});
  add_rate(words, rung, part.is_sample);
  add(words, {"-g", group, "-keyint_min", group, "-sc_threshold", "0", "-bf", "3", "-flags:v", "+cgop+bitexact",
              "-fps_mode", "passthrough", "-x264-params", "open-gop=0", "-threads:v", std::to_string(kEncoderThreads)});
  add_file(words, plan, rung.track_id, "und");
}

void add_audio(Words& words, const EncodePlan& plan, std::size_t output) {
  const SoundCodec codec = plan.audio[output].codec;
  add(words, {"-map", "[a]", "-c:a", std::string(name_of(codec)), "-b:a", kSoundBits[static_cast<std::size_t>(codec)],
              "-flags:a", "+bitexact"});
  // Decoders are to leave the level as it is: both tracks of a language are equally loud then.
  if (codec != SoundCodec::aac) add(words, {"-dialnorm", "-31"});
  add_file(words, plan, plan.audio[output].track_id, plan.audio[output].language);
}

}  // namespace

std::vector<std::string> ffmpeg_arguments(const EncodePlan& plan, const EncodePart& part, const std::string& ffmpeg) {
  Words words{ffmpeg,
              "-hide_banner",
              "-nostdin",
              "-nostats",
              "-y",
              "-v",
              "error",
              "-progress",
              "pipe:1",
              "-stats_period",
              "0.5",
              "-max_error_rate",
              kDecodeErrorsMax,
              "-filter_complex_threads",
              "2",
              "-threads",
              std::to_string(kDecoderThreads)};
  if (part.is_sample)
    add_sample_place(words, start_of(plan, part));
  else if (!part.audio)
    add_place(words, start_of(plan, part));
  add_input(words, plan.source);
  add(words, {"-filter_complex", part.audio ? audio_chain(plan, *part.audio) : video_chain(plan, part)});
  if (part.audio) {
    add_audio(words, plan, *part.audio);
    return words;
  }
  for (std::size_t i = 0; i < plan.rungs.size(); ++i) add_video(words, plan, part, i);
  return words;
}

std::vector<std::string> probe_arguments(const std::string& source, const std::string& ffprobe) {
  Words words{ffprobe, "-hide_banner", "-v", "error", "-show_format", "-show_streams", "-of", "json"};
  add_input(words, source);
  return words;
}

std::vector<std::string> packet_scan_arguments(const std::string& source, const std::string& ffprobe) {
  Words words{ffprobe, "-hide_banner",  "-v",
              "error", "-show_entries", "packet=stream_index,pts_time,duration_time,flags",
              "-of",   "csv=p=0"};
  add_input(words, source);
  return words;
}

std::vector<std::string> source_arguments(const std::string& source) {
  Words words;
  add_input(words, source);
  return words;
}

}  // namespace reelway::origin
