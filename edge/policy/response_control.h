#pragma once

#include <cstdint>
#include <optional>

#include "common/http/cache_control.h"
#include "common/http/message.h"

namespace reelway::edge {

// The cache directives of a response that hold for this cache.
struct ResponseControl {
  http::CacheControl directives;
  // They come from CDN-Cache-Control (RFC 9213), so Cache-Control and Expires do not count.
  bool targeted = false;
};

// CDN-Cache-Control when there is one that is a valid, non-empty Dictionary whose directives have values of their type;
// else Cache-Control, all lines together.
ResponseControl response_control(const http::HeaderList& response);

}  // namespace reelway::edge
