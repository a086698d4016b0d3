#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace reelway::origin::text {

inline constexpr std::size_t kTextBytesMax = 8 << 20;  // of a vendor's file
inline constexpr std::size_t kCuesMax = 50'000;
inline constexpr std::size_t kHeadBytesMax = 256 << 10;
inline constexpr std::size_t kIdBytesMax = 256;
inline constexpr std::size_t kSettingsBytesMax = 1024;
inline constexpr std::size_t kPayloadBytesMax = 16 << 10;
inline constexpr std::uint32_t kTimeMax_ms = 1000u * 3600 * 1000 - 1;
// Of a whole sheet, in memory and on the disk: what a vendor's file of the greatest size may become.
inline constexpr std::size_t kSheetBytesMax = 2 * kTextBytesMax;

// What the head, the settings and the payloads of a sheet are written in.
enum class Form : std::uint8_t {
  webvtt,  // head: STYLE and REGION blocks; settings and payload as WebVTT has them
  ttml,    // head, settings and payload are parts of an IMSC 1.1 document: ttml_document.h
};

// Times are of the film, in milliseconds. `from_ms` < `to_ms`.
struct Cue {
  std::uint32_t from_ms = 0, to_ms = 0;
  std::string_view id{};  // one line
  std::string_view settings{};
  std::string_view payload{};  // of WebVTT: lines without an empty one, without the last line's end
};

// The cues of one subtitle track in the order of their beginnings, in one run of memory. A value; cues that it gives
// are views into it.
class TextSheet {
 public:
  explicit TextSheet(Form form = Form::webvtt) : form_(form) {}

  Form form() const { return form_; }
  const std::string& head() const { return head_; }
  std::size_t size() const { return places_.size(); }
  Cue cue(std::size_t position) const;
  std::size_t memory_bytes() const;

  // Building: the head, then the cues, then sort(). subtitle_malformed over one of the limits above.
  Result<void> set_head(std::string head);
  Result<void> add(const Cue& cue);
  void sort();

  // docs/formats/subtitles.md has the stored form: versioned, and ends with a CRC-32C of itself.
  Bytes serialize() const;
  static Result<TextSheet> parse(ByteView bytes);  // stored_data_corrupt

 private:
  // Id, settings and payload stand in this order in the arena.
  struct Place {
    std::uint32_t from_ms = 0, to_ms = 0;
    std::uint32_t begin = 0;
    std::uint32_t payload_bytes = 0;
    std::uint16_t id_bytes = 0, settings_bytes = 0;
  };

  Form form_;
  std::string head_;
  std::vector<Place> places_;
  std::string arena_;
};

// subtitle_malformed, for whoever reads a vendor's file.
Error malformed(std::string detail);

}  // namespace reelway::origin::text
