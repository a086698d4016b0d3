#pragma once

#include <netinet/in.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace reelway::loadtest {

struct RequestHeader {
  std::string name;
  std::string value;
};

// The requests of a run, ready to send, and the one server that they all go to.
struct RequestList {
  sockaddr_in address{};
  std::string authority;
  std::vector<std::string> requests;  // whole heads, in rotation
};

Result<RequestHeader> parse_header(std::string_view line);  // "Name: value"
// One item a line; empty lines and lines that begin with # are skipped.
Result<std::vector<std::string>> read_lines(const std::string& path);
Result<RequestList> build_requests(const std::vector<std::string>& urls, const std::vector<RequestHeader>& headers);

}  // namespace reelway::loadtest
