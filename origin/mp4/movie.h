#pragma once

#include <cstdint>
#include <optional>

#include "common/base/bytes.h"
#include "common/base/result.h"

// What a moov box says about its one track, before any table is expanded.

namespace reelway::origin::mp4 {

struct SampleTables {
  std::optional<ByteView> stsd, stts, ctts, stss, stsc, stsz, stz2, stco, co64;  // bodies, version and flags included
};

struct Edit {
  std::uint64_t empty_duration = 0;       // of leading empty edits, in the movie's timescale
  std::uint64_t media_time = 0;           // in the track's timescale
  std::optional<std::uint64_t> duration;  // in the movie's timescale; none: to the end
};

struct Movie {
  std::uint32_t movie_timescale = 0;
  std::uint32_t timescale = 0;
  std::uint32_t handler = 0;            // vide, soun
  std::uint16_t language = 0;           // packed ISO 639-2/T of mdhd
  std::uint32_t width = 0, height = 0;  // display size, 0: not stated
  Edit edit;
  SampleTables tables;
};

// Views live as long as `moov`, a whole box.
Result<Movie> parse_movie(ByteView moov);

}  // namespace reelway::origin::mp4
