#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

// The ways in which one film can be handed to players. Each has a folder below /<title>/<version>/, so that one object
// has one path; CMAF in the clear has none, because it is what everybody gets unless something else is asked for.

namespace reelway::origin::hls {

enum class Packaging : std::uint8_t {
  cmaf,           // fragmented MP4, one track a file (ISO/IEC 23000-19)
  aes,            // the same, each segment encrypted as a whole (RFC 8216bis section 4.4.4.4, METHOD=AES-128)
  cbcs,           // Common Encryption with AES-CBC and a 1:9 pattern (ISO/IEC 23001-7 section 10.4)
  cenc,           // Common Encryption with AES-CTR (section 10.1)
  ts,             // MPEG-2 transport streams (ISO/IEC 13818-1), for old devices
  ts_aes,         // the same, each segment encrypted as a whole
  ts_sample_aes,  // the same, samples encrypted (Apple's MPEG-2 Stream Encryption Format for HLS)
};

enum class Container : std::uint8_t { fmp4, ts };
enum class Protection : std::uint8_t { none, whole_segment, sample_aes, cbcs, cenc };

struct PackagingTraits {
  Packaging packaging;
  std::string_view folder;  // without slashes, empty for none
  Container container;
  Protection protection;
};
inline constexpr std::array<PackagingTraits, 7> kPackagings = {{
    {Packaging::cmaf, "", Container::fmp4, Protection::none},
    {Packaging::aes, "aes", Container::fmp4, Protection::whole_segment},
    {Packaging::cbcs, "cbcs", Container::fmp4, Protection::cbcs},
    {Packaging::cenc, "cenc", Container::fmp4, Protection::cenc},
    {Packaging::ts, "ts", Container::ts, Protection::none},
    {Packaging::ts_aes, "ts-aes", Container::ts, Protection::whole_segment},
    {Packaging::ts_sample_aes, "ts-sample-aes", Container::ts, Protection::sample_aes},
}};

constexpr const PackagingTraits& traits(Packaging packaging) {
  return kPackagings[static_cast<std::size_t>(packaging)];
}
constexpr std::string_view segment_suffix(Packaging packaging) {
  return traits(packaging).container == Container::ts ? ".ts" : ".m4s";
}
constexpr std::optional<Packaging> packaging_of_folder(std::string_view folder) {
  for (const PackagingTraits& one : kPackagings) {
    if (!folder.empty() && one.folder == folder) return one.packaging;
  }
  return std::nullopt;
}

}  // namespace reelway::origin::hls
