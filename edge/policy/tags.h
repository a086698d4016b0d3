#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/http/message.h"

namespace reelway::edge {

inline constexpr std::size_t kTagsMax = 64;
inline constexpr std::size_t kTagBytesMax = 256;

// The names by which an origin purges groups of its answers: Surrogate-Key (separated by blanks) and Cache-Tag
// (separated by commas), each of which may stand on several lines. Case counts. Each tag once, in order.
struct Tags {
  std::vector<std::string> tags;
  // There were more or longer ones. Such an answer is not stored, for a purge of a tag that was left out would miss it.
  bool too_many = false;
};
Tags tags_of(const http::HeaderList& response);

}  // namespace reelway::edge
