#pragma once

#include <memory>
#include <vector>

#include "origin/hls/iframes.h"
#include "origin/io/file_reader.h"

namespace reelway::origin {

// A body of computed headers, each followed by a range of the track file, in order. The reader outlives it.
std::unique_ptr<FileBody> pieced_body(FileReader& reader, std::shared_ptr<TrackFile> file,
                                      std::vector<hls::FilePiece> pieces);

}  // namespace reelway::origin
