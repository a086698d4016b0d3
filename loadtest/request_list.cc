#include "loadtest/request_list.h"

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "common/http/message.h"
#include "common/http/serialize.h"
#include "loadtest/url.h"

namespace reelway::loadtest {
namespace {

constexpr std::size_t kUrlsMax = 1'000'000;

Error usage_error(std::string detail) {
  return {ErrorCode::usage, Side::client, false, std::move(detail)};
}

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kMarks.find(c) != kMarks.npos;
  });
}

}  // namespace

Result<RequestHeader> parse_header(std::string_view line) {
  const auto colon = line.find(':');
  // The value may be a secret, so an error quotes at most the name.
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return usage_error("a header must have the form 'Name: value'");
  }
  std::string_view value = line.substr(colon + 1);
  const auto first = std::min(value.find_first_not_of(" \t"), value.size());
  value = value.substr(first, value.find_last_not_of(" \t\r") + 1 - first);
  const bool clean = std::none_of(value.begin(), value.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
  if (!clean) return usage_error("header '" + std::string(line.substr(0, colon)) + "' has a control byte in its value");
  return RequestHeader{std::string(line.substr(0, colon)), std::string(value)};
}

Result<std::vector<std::string>> read_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) return system_error("open", path, errno);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    if (lines.size() == kUrlsMax) return usage_error(path + " has more than 1000000 lines");
    lines.push_back(std::move(line));
  }
  return lines;
}

Result<RequestList> build_requests(const std::vector<std::string>& urls, const std::vector<RequestHeader>& headers) {
  if (urls.empty()) return usage_error("no URL: give --url or a --urls-file with at least one line");
  RequestList list;
  for (const std::string& text : urls) {
    auto url = parse_url(text);
    if (!url) return std::move(url).error();
    if (list.requests.empty()) {
      auto address = resolve(*url);
      if (!address) return std::move(address).error();
      list.address = *address;
      list.authority = url->authority();
    } else if (url->authority() != list.authority) {
      return usage_error("all URLs of a run must name one server: " + list.authority + " and " + url->authority());
    }
    http::RequestBuilder request("GET", url->target, url->authority());
    for (const RequestHeader& header : headers) request.header(header.name, header.value);
    list.requests.push_back(request.finish());
  }
  return list;
}

}  // namespace reelway::loadtest
