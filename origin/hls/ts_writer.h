#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "common/base/bytes.h"
#include "origin/hls/ts_program.h"
#include "origin/hls/ts_schedule.h"

namespace reelway::origin::hls {

// Writes the packets of one segment, whole ones only. What of a PES packet is still to be distributed over packets is
// held back, at most kHeldBytesMax, because only its end shows how: the last PES packet of a segment ends so that the
// packets of its PID are a multiple of 16. So the counter of every segment begins with 0 and goes on from the segment
// before, whatever that was. Packets without payload cannot do that, as they do not count (ISO/IEC 13818-1 section
// 2.4.3.3): the last bytes are spread over more packets instead, each with one of them at least.
class TsWriter {
 public:
  explicit TsWriter(TsCodec codec);

  // Where packets go from here on; must have room for them.
  void set_output(std::span<std::uint8_t> output) { output_ = output, written_ = 0; }
  std::size_t written() const { return written_; }

  // Unit number `unit` of the track begins. It is what the counters of PAT and PMT follow, one packet each a unit.
  void program(const TsProgram& program, std::uint32_t unit);
  // A packet with nothing but the clock. Not within a PES packet.
  void reference(std::uint64_t clock);

  struct Head {
    std::uint64_t presentation = 0, decode = 0;  // on the clock, 33 bits
    std::uint64_t reference = 0;
    bool random_access = false;
    std::uint64_t es_bytes = 0;  // of sound, to state the length; pictures have none stated
  };
  void begin(const Head& head);
  void write(ByteView bytes);
  void end(bool is_last);

 private:
  static constexpr std::size_t kHeldBytesMax = 512;
  std::size_t room() const { return first_ ? kTsFirstPayloadBytes : kTsPayloadBytes; }
  void hold(ByteView bytes);
  std::uint8_t* packet();
  void emit(const std::uint8_t* payload, std::size_t count);
  const std::uint8_t* emit_whole(const std::uint8_t* payload, std::size_t packets);
  void write_field(std::uint8_t* field, std::size_t bytes);

  bool video_;
  std::uint8_t stream_id_;
  std::uint32_t pid_;
  std::span<std::uint8_t> output_;
  std::size_t written_ = 0;
  std::uint32_t counter_ = 0;  // of the next packet with payload
  bool first_ = false;         // the next packet is the first of its PES packet, and needs what follows
  bool random_access_ = false;
  std::uint64_t reference_ = 0;
  std::array<std::uint8_t, kHeldBytesMax> held_{};
  std::size_t held_bytes_ = 0;
};

}  // namespace reelway::origin::hls
