#include "origin/quality/container_facts.h"

#include <algorithm>
#include <cmath>

#include "origin/quality/metadata_reader.h"
#include "origin/transcode/encode_plan.h"

namespace reelway::origin {
namespace {

using Fields = std::map<std::string, std::string, std::less<>>;

constexpr int kStreamsMax = 64;
constexpr std::string_view kSection = "section";  // under this name compact_fields() puts the line's kind

std::string text(const Fields& fields, std::string_view name) {
  const auto place = fields.find(name);
  return place == fields.end() || place->second == "N/A" || place->second == "unknown" ? std::string() : place->second;
}

std::optional<double> number(const Fields& fields, std::string_view name) {
  const std::optional<double> value = parse_number(text(fields, name));
  return value && std::isfinite(*value) ? value : std::nullopt;
}

int stream_number(const Fields& fields, std::string_view name) {
  const double value = number(fields, name).value_or(-1);
  return value >= 0 && value < kStreamsMax ? static_cast<int>(value) : -1;
}

}  // namespace

Fields compact_fields(std::string_view line) {
  Fields fields;
  std::string name, value;
  bool in_value = false, first = true, escaped = false;
  const auto end_field = [&] {
    if (first)
      fields[std::string(kSection)] = name;
    else if (in_value)
      fields[name] = value;
    first = in_value = false;
    name.clear();
    value.clear();
  };
  for (const char c : line) {
    if (escaped) {
      (in_value ? value : name) += c;
      escaped = false;
    } else if (c == '\\') {
      escaped = true;
    } else if (c == '|') {
      end_field();
    } else if (c == '=' && !in_value) {
      in_value = true;
    } else {
      (in_value ? value : name) += c;
    }
  }
  end_field();
  return fields;
}

void ContainerScan::add(std::string_view line) {
  if (line.empty()) return;
  const Fields fields = compact_fields(line);
  const std::string section = text(fields, kSection);
  if (section == "packet") add_packet(fields);
  if (section == "stream") add_stream(fields);
}

void ContainerScan::add_packet(const Fields& fields) {
  const int stream = stream_number(fields, "stream_index");
  if (stream < 0) return;
  PacketFacts& facts = packets_[stream];
  const std::string flags = text(fields, "flags");
  const bool is_key = flags.find('K') != std::string::npos;
  if (facts.packets == 0) facts.begins_with_key = is_key;
  if (flags.find('C') != std::string::npos) ++facts.corrupt;
  // Sound before the first moment (an encoder's priming) is marked to be discarded.
  const bool is_discarded = flags.find('D') != std::string::npos;
  ++facts.packets;
  const std::optional<double> shown_s = number(fields, "pts_time");
  const std::optional<double> time_s = shown_s ? shown_s : number(fields, "dts_time");
  if (!time_s || is_discarded) return;
  const double end_s = *time_s + std::max(number(fields, "duration_time").value_or(0), 0.0);
  const bool is_video = text(fields, "codec_type") == "video";
  const bool is_audio = text(fields, "codec_type") == "audio";
  if (facts.begin_s == facts.end_s && facts.end_s == 0) {
    facts.begin_s = *time_s;
    facts.end_s = end_s;
  } else {
    if (is_audio && *time_s > facts.end_s + kHole_s && facts.holes.size() < kHolesMax) {
      facts.holes.emplace_back(facts.end_s, *time_s);
    }
    facts.begin_s = std::min(facts.begin_s, *time_s);
    facts.end_s = std::max(facts.end_s, end_s);
  }
  if (!is_video || ++packets_kept_ > kPacketsMax) return;
  facts.times.push_back(*time_s);
  if (is_key) facts.key_times.push_back(*time_s);
}

void ContainerScan::add_stream(const Fields& fields) {
  const int number_of_stream = stream_number(fields, "index");
  // A transport stream names its streams once more in each program.
  if (number_of_stream < 0 || stream(number_of_stream) != nullptr) return;
  StreamFacts facts;
  facts.stream = number_of_stream;
  facts.type = text(fields, "codec_type");
  facts.codec = text(fields, "codec_name");
  const auto count = [&](std::string_view name, double most) {
    return static_cast<int>(std::clamp(number(fields, name).value_or(0), 0.0, most));
  };
  facts.width = count("width", 1e5);
  facts.height = count("height", 1e5);
  facts.channels = count("channels", 64);
  facts.layout = text(fields, "channel_layout");
  facts.language = text(fields, "tag:language");
  facts.title = text(fields, "tag:title");
  facts.is_default = text(fields, "disposition:default") == "1";
  facts.is_picture = text(fields, "disposition:attached_pic") == "1";
  streams_.push_back(std::move(facts));
}

Result<void> ContainerScan::finish() {
  if (packets_kept_ > kPacketsMax) {
    return Error{ErrorCode::media_unsupported, Side::client, false,
                 "more than " + std::to_string(kPacketsMax) + " pictures"};
  }
  for (auto& [stream, facts] : packets_) {
    std::sort(facts.times.begin(), facts.times.end());
    std::sort(facts.key_times.begin(), facts.key_times.end());
  }
  return {};
}

const StreamFacts* ContainerScan::stream(int number_of_stream) const {
  for (const StreamFacts& facts : streams_) {
    if (facts.stream == number_of_stream) return &facts;
  }
  return nullptr;
}

const PacketFacts& ContainerScan::packets(int stream) const {
  static const PacketFacts none;
  const auto place = packets_.find(stream);
  return place == packets_.end() ? none : place->second;
}

std::vector<std::string> container_scan_arguments(const std::string& source, const std::string& ffprobe) {
  std::vector<std::string> words{ffprobe,
                                 "-hide_banner",
                                 "-v",
                                 "error",
                                 "-show_entries",
                                 "packet=codec_type,stream_index,pts_time,dts_time,duration_time,flags:"
                                 "stream=index,codec_type,codec_name,width,height,channels,channel_layout:"
                                 "stream_tags=language,title:stream_disposition=default,attached_pic",
                                 "-of",
                                 "compact"};
  for (std::string& word : source_arguments(source)) words.push_back(std::move(word));
  return words;
}

}  // namespace reelway::origin
