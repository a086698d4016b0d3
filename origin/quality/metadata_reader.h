#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reelway::origin {

// One frame's measurements, as FFmpeg's filters `metadata` and `ametadata` print them:
//
//   frame:12   pts:288000  pts_time:12
//   lavfi.black_start=11.875
//   reelway=v
//
// The last entry is ours and ends the record: it names the branch of the filter graph that measured.
struct FrameRecord {
  std::string branch;
  double time_s = 0;
  std::vector<std::pair<std::string, double>> values;  // those that are numbers, infinite ones too

  std::optional<double> value(std::string_view name) const;
};
inline constexpr std::size_t kRecordValuesMax = 256;

// Takes apart what a pass writes: records, and between them, at the place where they happened, FFmpeg's own messages.
// Pure; any input is safe. Something that looks like neither is a message.
class MetadataReader {
 public:
  MetadataReader(std::function<void(const FrameRecord&)> on_record, std::function<void(std::string_view)> on_message)
      : on_record_(std::move(on_record)), on_message_(std::move(on_message)) {}

  void add(std::string_view line);

 private:
  std::function<void(const FrameRecord&)> on_record_;
  std::function<void(std::string_view)> on_message_;
  FrameRecord record_;
  bool begun_ = false;
};

// "[h264 @ 0x5581] error while decoding MB 3 4" -> context "h264", and the text after it. Without a bracket the context
// is empty.
struct ToolMessage {
  std::string_view context;
  std::string_view text;
  std::optional<int> stream;  // named in the text: "stream #0:1"
};
ToolMessage parse_message(std::string_view line);

// A decimal number that is all of the text; "inf", "-inf" and "nan" too.
std::optional<double> parse_number(std::string_view text);

}  // namespace reelway::origin
