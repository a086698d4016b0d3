#pragma once

#include <memory>

#include "origin/hls/segment_maker.h"
#include "origin/io/file_reader.h"
#include "origin/request/segment_facts.h"

// Sending a segment whose bytes are computed from its media. A worker makes one piece at a time, of at most
// SegmentMaker::kOutputBytesMax, and the loop sends it; so a response holds one piece, however long the segment is and
// however slow the client.

namespace reelway::origin {

// Makes the whole segment, and keeps of it only the facts. The range that it reads has been warmed and checked before.
// Errors: of the maker, of TrackFile::read(). Blocking.
Result<SegmentFacts> find_facts(hls::SegmentMaker& maker, const TrackFile& file);

// The segment as part of a response: `facts.bytes` of it. What differs from the facts is cut short, and logged.
std::unique_ptr<FileBody> computed_body(EventLoop& loop, FileReader& reader, std::shared_ptr<TrackFile> file,
                                        std::unique_ptr<hls::SegmentMaker> maker, const SegmentFacts& facts);

}  // namespace reelway::origin
