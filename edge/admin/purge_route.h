#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "edge/store/purge.h"

namespace reelway::edge {

// "tag=film-7&soft=1": exactly one of url, prefix and tag, percent-encoded. http_bad_request otherwise.
Result<PurgeRequest> purge_request(std::string_view query);

// {"edge_id":"edge-a","by":"tag","value":"film-7","soft":true,"objects":3,"memory_objects":2,"disk_objects":3,
//  "keys":["..."],"truncated":false}
std::string purge_json(std::string_view edge_id, const PurgeRequest& request, const PurgeResult& result);

}  // namespace reelway::edge
