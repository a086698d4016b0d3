#include "origin/transcode/packet_scan.h"

#include <charconv>
#include <cmath>
#include <optional>

#include <spdlog/fmt/fmt.h>

namespace reelway::origin {
namespace {

constexpr int kStreamsMax = 64;

// How much earlier than announced a stream may end. Containers round, and encoders flush.
double tolerance_s(double announced_s) {
  return std::max(1.0, announced_s * 0.01);
}

// Where the announced end is a fact from an index. Others estimate it from the bit rate.
bool announces_its_end(std::string_view format) {
  return format.find("mp4") != std::string_view::npos || format.find("matroska") != std::string_view::npos;
}

std::string_view take_field(std::string_view& line) {
  const std::size_t comma = line.find(',');
  const std::string_view field = line.substr(0, comma);
  line.remove_prefix(comma == std::string_view::npos ? line.size() : comma + 1);
  return field;
}

std::optional<double> seconds(std::string_view field) {
  double value = 0;
  const auto [end, failure] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (failure != std::errc() || end == field.data() || !std::isfinite(value)) return std::nullopt;
  return value;
}

Error truncated(std::string detail) {
  return {ErrorCode::media_truncated, Side::client, false, std::move(detail)};
}

}  // namespace

void PacketScan::add(std::string_view line) {
  int number = -1;
  const std::string_view index = take_field(line);
  std::from_chars(index.data(), index.data() + index.size(), number);
  if (index.empty() || number < 0 || number >= kStreamsMax) return;
  Stream& stream = streams_[number];
  ++stream.packets;
  const std::optional<double> begin = seconds(take_field(line));
  const double duration = seconds(take_field(line)).value_or(0);
  if (begin) stream.end_s = std::max(stream.end_s, *begin + std::max(duration, 0.0));
  if (take_field(line).find('C') != std::string_view::npos) ++stream.corrupt;
}

const PacketScan::Stream& PacketScan::stream(int number) const {
  static const Stream none;
  const auto place = streams_.find(number);
  return place == streams_.end() ? none : place->second;
}

Result<void> PacketScan::check_video(const SourceFacts& facts) const {
  const Stream& video = stream(facts.video.stream);
  const double stated_s = facts.video.stated_end_s > 0 ? facts.video.stated_end_s : facts.duration_s;
  if (announces_its_end(facts.format) && video.end_s < stated_s - tolerance_s(stated_s)) {
    const bool only_audio_is_longer =
        facts.video.stated_end_s <= 0 && facts.audio_end_s >= stated_s - tolerance_s(stated_s);
    if (!only_audio_is_longer) {
      return truncated(fmt::format("video ends at {:.2f} s, the file announces {:.2f} s", video.end_s, stated_s));
    }
  }
  if (video.packets > 0 && video.end_s - facts.start_s > 0) return {};
  return Error{ErrorCode::media_zero_duration, Side::client, false,
               fmt::format("{} video packets, the last ends at {:.3f} s", video.packets, video.end_s)};
}

Result<void> PacketScan::conclude(SourceFacts& facts, std::string_view errors, SourceKind kind) const {
  const bool has_video = kind != SourceKind::sound;
  facts.video_end_s = has_video ? stream(facts.video.stream).end_s : 0;
  facts.audio_end_s = 0;
  std::uint64_t audio_packets = 0;
  for (const AudioSource& audio : facts.audio) {
    facts.audio_end_s = std::max(facts.audio_end_s, stream(audio.stream).end_s);
    audio_packets += stream(audio.stream).packets;
  }
  for (const std::string_view sign : {"partial file", "ended prematurely"}) {
    const std::size_t place = errors.find(sign);
    if (place == std::string_view::npos) continue;
    const double reached_s = has_video ? facts.video_end_s : facts.audio_end_s;
    return truncated(fmt::format("the file ends in the middle of its media; {} reaches {:.2f} s of {:.2f} s",
                                 has_video ? "video" : "audio", reached_s,
                                 std::max(facts.video.stated_end_s, facts.duration_s)));
  }
  if (has_video) REELWAY_TRY(check_video(facts));
  if (audio_packets == 0 && kind != SourceKind::picture) {
    return Error{ErrorCode::media_no_audio, Side::client, false, "the audio track is empty"};
  }
  return {};
}

}  // namespace reelway::origin
