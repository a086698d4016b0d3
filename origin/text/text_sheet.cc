#include "origin/text/text_sheet.h"

#include <algorithm>

#include "common/base/crc32c.h"

namespace reelway::origin::text {
namespace {

constexpr std::uint32_t kMagic = 0x52575458;  // "RWTX"
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kPlaceBytes = 16;
constexpr std::size_t kSumBytes = 4;

Error corrupt(std::string_view what) {
  return {ErrorCode::stored_data_corrupt, Side::disk, false, "a stored subtitle track: " + std::string(what)};
}

}  // namespace

Error malformed(std::string detail) {
  return {ErrorCode::subtitle_malformed, Side::client, false, std::move(detail)};
}

Cue TextSheet::cue(std::size_t position) const {
  const Place& place = places_[position];
  std::string_view rest = std::string_view(arena_).substr(place.begin);
  const auto take = [&rest](std::size_t count) {
    const std::string_view part = rest.substr(0, count);
    rest.remove_prefix(count);
    return part;
  };
  Cue cue{place.from_ms, place.to_ms};
  cue.id = take(place.id_bytes);
  cue.settings = take(place.settings_bytes);
  cue.payload = take(place.payload_bytes);
  return cue;
}

std::size_t TextSheet::memory_bytes() const {
  return sizeof(*this) + head_.capacity() + places_.capacity() * sizeof(Place) + arena_.capacity();
}

Result<void> TextSheet::set_head(std::string head) {
  if (head.size() > kHeadBytesMax) return malformed("its styles and regions take more than 256 KiB");
  head_ = std::move(head);
  return {};
}

Result<void> TextSheet::add(const Cue& cue) {
  if (places_.size() == kCuesMax) return malformed("it has more than 50,000 subtitles");
  if (cue.to_ms > kTimeMax_ms) return malformed("a subtitle ends after more than 999 hours");
  if (cue.id.size() > kIdBytesMax) return malformed("an identifier has more than 256 bytes");
  if (cue.settings.size() > kSettingsBytesMax) return malformed("the settings of a subtitle take more than 1 KiB");
  if (cue.payload.size() > kPayloadBytesMax) return malformed("a subtitle has more than 16 KiB of text");
  const std::size_t more = cue.id.size() + cue.settings.size() + cue.payload.size();
  if (arena_.size() + more > kSheetBytesMax) return malformed("its subtitles take more than 16 MiB");
  places_.push_back({cue.from_ms, cue.to_ms, static_cast<std::uint32_t>(arena_.size()),
                     static_cast<std::uint32_t>(cue.payload.size()), static_cast<std::uint16_t>(cue.id.size()),
                     static_cast<std::uint16_t>(cue.settings.size())});
  arena_.append(cue.id).append(cue.settings).append(cue.payload);
  return {};
}

void TextSheet::sort() {
  std::stable_sort(places_.begin(), places_.end(), [](const Place& one, const Place& other) {
    return one.from_ms != other.from_ms ? one.from_ms < other.from_ms : one.to_ms < other.to_ms;
  });
  head_.shrink_to_fit();
  places_.shrink_to_fit();
  arena_.shrink_to_fit();
}

Bytes TextSheet::serialize() const {
  ByteWriter out;
  out.u32(kMagic);
  out.u16(kVersion);
  out.u16(static_cast<std::uint16_t>(form_));
  out.u32(static_cast<std::uint32_t>(head_.size()));
  out.u32(static_cast<std::uint32_t>(places_.size()));
  for (const Place& place : places_) {
    out.u32(place.from_ms);
    out.u32(place.to_ms);
    out.u16(place.id_bytes);
    out.u16(place.settings_bytes);
    out.u32(place.payload_bytes);
  }
  out.append(head_);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const Cue cue = this->cue(i);
    out.append(cue.id);
    out.append(cue.settings);
    out.append(cue.payload);
  }
  out.u32(crc32c(out.bytes()));
  return out.take();
}

Result<TextSheet> TextSheet::parse(ByteView bytes) {
  if (bytes.size() > kSheetBytesMax + kCuesMax * kPlaceBytes + kHeadBytesMax + 64) return corrupt("it is too long");
  ByteReader in(bytes);
  const std::uint32_t magic = in.u32();
  const std::uint16_t version = in.u16(), form = in.u16();
  const std::size_t head_bytes = in.u32(), count = in.u32();
  if (in.failed() || in.remaining() < kSumBytes) return corrupt("it is cut short");
  if (magic != kMagic) return corrupt("it does not begin with RWTX");
  if (version != kVersion) return corrupt("it has another format than 1");
  if (ByteReader(bytes.last(kSumBytes)).u32() != crc32c(bytes.first(bytes.size() - kSumBytes))) {
    return corrupt("its CRC-32C does not fit its bytes");
  }
  if (form > static_cast<std::uint16_t>(Form::ttml)) return corrupt("its form is unknown");
  if (count > kCuesMax || head_bytes > kHeadBytesMax || in.remaining() < count * kPlaceBytes + head_bytes + kSumBytes) {
    return corrupt("its tables do not fit its length");
  }
  ByteReader texts(bytes.subspan(in.position() + count * kPlaceBytes));
  TextSheet sheet(static_cast<Form>(form));
  sheet.head_ = as_text(texts.take(head_bytes));
  for (std::size_t i = 0; i < count; ++i) {
    Cue cue{in.u32(), in.u32()};
    const std::size_t id_bytes = in.u16(), settings_bytes = in.u16(), payload_bytes = in.u32();
    cue.id = as_text(texts.take(id_bytes));
    cue.settings = as_text(texts.take(settings_bytes));
    cue.payload = as_text(texts.take(payload_bytes));
    const bool in_order = sheet.places_.empty() || sheet.places_.back().from_ms <= cue.from_ms;
    if (texts.failed() || !in_order || cue.from_ms >= cue.to_ms || !sheet.add(cue).ok()) {
      return corrupt("subtitle " + std::to_string(i) + " is not as it was written");
    }
  }
  if (texts.remaining() != kSumBytes) return corrupt("bytes are left over");
  sheet.sort();
  return sheet;
}

}  // namespace reelway::origin::text
