#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "common/base/result.h"
#include "origin/hls/ts_schedule.h"

namespace reelway::origin::hls {

using TsPacket = std::array<std::uint8_t, kTsPacketBytes>;

// The PID of an elementary stream; that of its PMT is 0x1000.
constexpr std::uint32_t ts_pid(TsCodec codec) {
  return codec == TsCodec::avc ? 0x100 : 0x101;
}

// PAT and PMT of one program with one elementary stream, each one packet whose continuity counter is 0.
struct TsProgram {
  TsPacket pat{}, pmt{};
};
enum class TsProtection : std::uint8_t { none, sample_aes };
// packaging_not_offered if what a decryptor must be told of the stream does not fit the PMT. `codecs` is the RFC 6381
// name.
Result<TsProgram> ts_program(const TsStream& stream, std::string_view codecs, TsProtection protection);

}  // namespace reelway::origin::hls
