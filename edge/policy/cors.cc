#include "edge/policy/cors.h"

#include <algorithm>

namespace reelway::edge {

CorsPolicy::CorsPolicy(std::vector<std::string> origins) : origins_(std::move(origins)) {
  any_ = std::find(origins_.begin(), origins_.end(), "*") != origins_.end();
}

bool CorsPolicy::admits(std::string_view origin) const {
  return any_ || std::find(origins_.begin(), origins_.end(), origin) != origins_.end();
}

std::string CorsPolicy::response_lines(std::optional<std::string_view> origin) const {
  std::string lines;
  if (origins_.empty()) return lines;
  lines = "Vary: Origin\r\n";
  if (!origin || !admits(*origin)) return lines;
  lines.append("Access-Control-Allow-Origin: ").append(*origin).append("\r\n");
  lines += "Access-Control-Expose-Headers: Age, Cache-Status, Content-Length, Reelway-Error\r\n";
  return lines;
}

std::string CorsPolicy::preflight_lines(std::optional<std::string_view> origin) const {
  if (!origin || !admits(*origin)) return {};
  return "Access-Control-Allow-Methods: GET, HEAD, POST\r\n"
         "Access-Control-Allow-Headers: Range\r\n"
         "Access-Control-Max-Age: 86400\r\n";
}

bool CorsPolicy::is_preflight(const http::RequestHead& head) {
  return head.method == http::Method::options && head.headers.find("Origin") &&
         head.headers.find("Access-Control-Request-Method");
}

}  // namespace reelway::edge
