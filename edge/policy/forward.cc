#include "edge/policy/forward.h"

#include <algorithm>
#include <array>

namespace reelway::edge {
namespace {

template <std::size_t N>
bool is_among(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view other) { return http::names_equal(other, name); });
}

// RFC 9110 section 7.6.1; those of authentication to a proxy end at the proxy (section 11.7); trailers are not passed
// on.
constexpr std::array<std::string_view, 10> kConnectionFields = {
    "Connection", "Keep-Alive",         "Proxy-Connection",    "TE",      "Transfer-Encoding",
    "Upgrade",    "Proxy-Authenticate", "Proxy-Authorization", "Trailer", "Proxy-Authentication-Info"};
constexpr std::array<std::string_view, 5> kOwnRequestFields = {"Host", "Content-Length", "Expect", "Via",
                                                               "X-Forwarded-For"};
constexpr std::array<std::string_view, 6> kPartRequestFields = {
    "Range", "If-Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since"};
constexpr std::array<std::string_view, 3> kNotKept = {"Content-Length", "Age", "Date"};
constexpr std::array<std::string_view, 5> kDescribesBytes = {"Content-Length", "Content-Encoding", "Content-Range",
                                                             "Content-MD5", "Content-Digest"};

bool is_internal(std::string_view name) {
  constexpr std::string_view kPrefix = "Reelway-";
  return http::names_equal(name.substr(0, kPrefix.size()), kPrefix);
}

void append_line(std::string& lines, std::string_view name, std::string_view value) {
  lines.append(name).append(": ").append(value).append("\r\n");
}

// The member of a head in which a field has its place.
std::string StoredHead::*place_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string StoredHead::*>, 5> kPlaces = {{
      {"Content-Type", &StoredHead::content_type},
      {"ETag", &StoredHead::etag},
      {"Last-Modified", &StoredHead::last_modified},
      {"Cache-Control", &StoredHead::cache_control},
      {"Content-Encoding", &StoredHead::content_encoding},
  }};
  for (const auto& [field, place] : kPlaces) {
    if (http::names_equal(field, name)) return place;
  }
  return nullptr;
}

void append_member(std::string& list, std::string_view value) {
  if (!list.empty()) list += ", ";
  list += value;
}

// Of Cache-Control and Content-Encoding all lines count; of the others the first.
void put(StoredHead& head, std::string StoredHead::*place, std::string_view value) {
  const bool is_list = place == &StoredHead::cache_control || place == &StoredHead::content_encoding;
  if (is_list) {
    append_member(head.*place, value);
  } else if ((head.*place).empty()) {
    head.*place = value;
  }
}

}  // namespace

HopByHop::HopByHop(const http::HeaderList& headers) {
  for (const http::Header& header : headers) {
    if (!http::names_equal(header.name, "Connection")) continue;
    std::string_view list = header.value;
    while (!list.empty()) {
      const std::size_t end = std::min(list.find(','), list.size());
      if (const std::string_view name = http::trimmed(list.substr(0, end)); !name.empty()) nominated_.push_back(name);
      list.remove_prefix(std::min(end + 1, list.size()));
    }
  }
}

bool HopByHop::contains(std::string_view name) const {
  return is_among(kConnectionFields, name) || std::any_of(nominated_.begin(), nominated_.end(), [&](auto nominated) {
           return http::names_equal(nominated, name);
         });
}

std::string joined_values(const http::HeaderList& headers, std::string_view name) {
  std::string joined;
  for (const http::Header& header : headers) {
    if (http::names_equal(header.name, name)) append_member(joined, header.value);
  }
  return joined;
}

std::string request_lines(const http::RequestHead& request, const ForwardRequest& forward) {
  const HopByHop hop_by_hop(request.headers);
  std::string lines;
  for (const http::Header& header : request.headers) {
    if (hop_by_hop.contains(header.name) || is_among(kOwnRequestFields, header.name) || is_internal(header.name)) {
      continue;
    }
    if (forward.whole && is_among(kPartRequestFields, header.name)) continue;
    append_line(lines, header.name, header.value);
  }
  std::string via = joined_values(request.headers, "Via");
  append_member(via, request.minor_version == 0 ? "1.0 " : "1.1 ");
  append_line(lines, "Via", via.append(forward.via_name));
  std::string clients = joined_values(request.headers, "X-Forwarded-For");
  if (!forward.client_address.empty()) append_member(clients, forward.client_address);
  if (!clients.empty()) append_line(lines, "X-Forwarded-For", clients);
  return lines;
}

StoredHead stored_head(const http::ResponseHead& head) {
  const HopByHop hop_by_hop(head.headers);
  StoredHead stored;
  for (const http::Header& header : head.headers) {
    if (hop_by_hop.contains(header.name) || is_among(kNotKept, header.name) || is_internal(header.name)) continue;
    if (const auto place = place_of(header.name)) {
      put(stored, place, header.value);
    } else {
      append_line(stored.headers, header.name, header.value);
    }
  }
  return stored;
}

StoredHead freshened_head(const StoredHead& stored, const http::ResponseHead& not_modified) {
  const StoredHead update = stored_head(not_modified);
  StoredHead merged;
  for (const auto place :
       {&StoredHead::content_type, &StoredHead::etag, &StoredHead::last_modified, &StoredHead::cache_control}) {
    merged.*place = (update.*place).empty() ? stored.*place : update.*place;
  }
  merged.content_encoding = stored.content_encoding;
  for_each_line(stored.headers, [&](std::string_view name, std::string_view value) {
    bool replaced = false;
    for_each_line(update.headers, [&](std::string_view other, std::string_view) {
      replaced = replaced || http::names_equal(name, other);
    });
    if (!replaced || is_among(kDescribesBytes, name)) append_line(merged.headers, name, value);
  });
  for_each_line(update.headers, [&](std::string_view name, std::string_view value) {
    if (!is_among(kDescribesBytes, name)) append_line(merged.headers, name, value);
  });
  return merged;
}

FreshnessVerdict judge_freshened(const StoringRequest& request, std::uint16_t status, const StoredHead& freshened,
                                 const http::ResponseHead& not_modified, std::int64_t received_ms) {
  http::ResponseHead head;
  head.status = status;
  if (!freshened.cache_control.empty()) head.headers.add("Cache-Control", freshened.cache_control);
  if (!freshened.etag.empty()) head.headers.add("ETag", freshened.etag);
  if (!freshened.last_modified.empty()) head.headers.add("Last-Modified", freshened.last_modified);
  for_each_line(freshened.headers,
                [&](std::string_view name, std::string_view value) { head.headers.add(name, value); });
  for (const std::string_view name : {"Date", "Age"}) {
    if (const auto value = not_modified.headers.find(name)) head.headers.add(name, *value);
  }
  return judge_response(request, head, received_ms);
}

}  // namespace reelway::edge
