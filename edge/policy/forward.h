#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/message.h"
#include "edge/policy/freshness.h"

namespace reelway::edge {

// Fields that belong to one connection (RFC 9110 section 7.6.1): those that Connection names, and those that always do.
// Holds views into the head.
class HopByHop {
 public:
  explicit HopByHop(const http::HeaderList& headers);
  bool contains(std::string_view name) const;

 private:
  std::vector<std::string_view> nominated_;
};

// The values of all lines of one name, joined by ", " in order (RFC 9110 section 5.3); empty when there are none.
std::string joined_values(const http::HeaderList& headers, std::string_view name);

// Which of a client's fields go upstream.
struct ForwardRequest {
  std::string_view via_name;        // this edge, for Via
  std::string_view client_address;  // appended to X-Forwarded-For; may be empty
  // The answer is meant for the store, so the edge asks for the whole: the client's own preconditions, Range and
  // If-Range stay behind.
  bool whole = true;
};
// The client's end-to-end fields in order, then Via and X-Forwarded-For; each line with its end. Not among them: Host,
// Content-Length, Transfer-Encoding and Expect (the edge frames its own message), hop-by-hop fields, and Reelway-*,
// which between edge and origin have a meaning of their own.
std::string request_lines(const http::RequestHead& request, const ForwardRequest& forward);

// The head of a response as it is kept: what has a place of its own, and all other end-to-end lines.
struct StoredHead {
  std::string content_type;
  std::string etag;
  std::string last_modified;
  std::string cache_control;  // all lines, joined
  std::string content_encoding;
  std::string headers;  // "Name: value\r\n" each, as received
};
// Not kept anywhere: hop-by-hop fields, Content-Length, Age, Date (times are kept as numbers) and Reelway-*.
StoredHead stored_head(const http::ResponseHead& head);

// A stored head under the fields of a 304 (RFC 9111 section 3.2): each field that the 304 carries replaces all stored
// lines of that name. Left as stored: Content-Length, Content-Encoding, Content-Range, Content-MD5 and Content-Digest,
// which describe the bytes that are kept (in a 304 the digest is that of no bytes, RFC 9530 appendix B).
StoredHead freshened_head(const StoredHead& stored, const http::ResponseHead& not_modified);

// The freshness of a stored response after a 304: by the head that freshened_head() gave and the 304's own Date and
// Age. `status` is the stored one. The head's views are not kept.
FreshnessVerdict judge_freshened(const StoringRequest& request, std::uint16_t status, const StoredHead& freshened,
                                 const http::ResponseHead& not_modified, std::int64_t received_ms);

// Calls visit(name, value) for each line of StoredHead::headers.
template <typename Visit>
void for_each_line(std::string_view lines, Visit&& visit) {
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) visit(line.substr(0, colon), http::trimmed(line.substr(colon + 1)));
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 2);
  }
}

}  // namespace reelway::edge
