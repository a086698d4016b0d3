#include "origin/quality/metadata_reader.h"

#include <charconv>

namespace reelway::origin {
namespace {

constexpr std::string_view kFrame = "frame:";
constexpr std::string_view kTime = "pts_time:";
constexpr std::string_view kPrefix = "lavfi.";
constexpr std::string_view kBranch = "reelway=";
constexpr std::size_t kNameBytesMax = 64;

std::optional<double> time_of(std::string_view line) {
  const std::size_t place = line.find(kTime);
  if (place == std::string_view::npos) return std::nullopt;
  line.remove_prefix(place + kTime.size());
  return parse_number(line.substr(0, line.find(' ')));
}

// What the file itself says of a picture ("timecode=00:00:00:00"). A decoder's message begins with its name in
// brackets, or with several words.
bool is_note(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == 0 || equals == std::string_view::npos || equals > kNameBytesMax) return false;
  return line.substr(0, equals).find_first_of(" [") == std::string_view::npos;
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> FrameRecord::value(std::string_view name) const {
  for (const auto& [key, value] : values) {
    if (key == name) return value;
  }
  return std::nullopt;
}

void MetadataReader::add(std::string_view line) {
  if (line.starts_with(kFrame)) {
    const std::optional<double> time_s = time_of(line);
    begun_ = time_s.has_value();
    if (!begun_) return;  // a frame without a time has no place in the film
    record_.time_s = *time_s;
    record_.values.clear();
  } else if (line.starts_with(kPrefix)) {
    const std::size_t equals = line.find('=');
    if (!begun_ || equals == std::string_view::npos || equals > kNameBytesMax) return;
    if (record_.values.size() >= kRecordValuesMax) return;
    const std::optional<double> value = parse_number(line.substr(equals + 1));
    if (value) record_.values.emplace_back(line.substr(kPrefix.size(), equals - kPrefix.size()), *value);
  } else if (line.starts_with(kBranch)) {
    if (!begun_) return;
    begun_ = false;
    record_.branch = line.substr(kBranch.size());
    on_record_(record_);
  } else if (!line.empty() && !is_note(line)) {
    on_message_(line);
  }
}

ToolMessage parse_message(std::string_view line) {
  ToolMessage message{{}, line, std::nullopt};
  if (line.starts_with('[')) {
    const std::size_t end = line.find("] ");
    if (end != std::string_view::npos) {
      message.context = line.substr(1, line.find(" @ ") < end ? line.find(" @ ") - 1 : end - 1);
      message.text = line.substr(end + 2);
    }
  }
  constexpr std::string_view kStream = "stream #0:";
  const std::size_t place = message.text.find(kStream);
  if (place != std::string_view::npos) {
    const std::string_view number = message.text.substr(place + kStream.size());
    int stream = 0;
    const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), stream);
    if (failure == std::errc() && stream >= 0) message.stream = stream;
  }
  return message;
}

}  // namespace reelway::origin
