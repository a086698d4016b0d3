#include <algorithm>
#include <string>

#include "common/base/check.h"
#include "common/http/structured_field.h"
#include "edge/policy/conditional.h"
#include "edge/policy/forward.h"
#include "edge/policy/freshness.h"
#include "edge/policy/invalidation.h"
#include "edge/policy/reuse.h"
#include "edge/policy/tags.h"
#include "edge/policy/vary.h"

// What a cache reads of other people's heads: lines "Name: value", of the request up to an empty line, then of the
// response. What holds for every input is checked.

namespace {

using namespace reelway;

http::HeaderList headers_of(std::string_view lines) {
  http::HeaderList headers;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    const std::size_t colon = line.find(':');
    // The parser lets no control byte through in a value.
    const bool plain = line.find_first_of(std::string_view("\r\0", 2)) == std::string_view::npos;
    if (colon != std::string_view::npos && colon > 0 && plain) {
      headers.add(line.substr(0, colon), http::trimmed(line.substr(colon + 1)));
    }
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return headers;
}

constexpr std::int64_t kNowMs = 1'800'000'000'000;

void check_storing(const http::RequestHead& request, const http::ResponseHead& response) {
  edge::StoringRequest storing{edge::CachingRules::site, request.method};
  const edge::FreshnessVerdict verdict = edge::judge_response(storing, response, kNowMs);
  CHECK(verdict.store == verdict.reason.empty());
  CHECK(verdict.fresh_until_ms >= kNowMs);
  // The film's rule stores nothing that a site's does not.
  if (edge::judge_response(response, kNowMs).store) CHECK(verdict.store);

  edge::StoredFreshness stored{kNowMs,
                               verdict.age_s,
                               verdict.fresh_until_ms,
                               verdict.stale_while_revalidate_s,
                               verdict.stale_if_error_s,
                               verdict.must_revalidate,
                               verdict.always_validate,
                               true};
  const auto reuse = edge::decide_reuse(edge::reuse_request(request.headers), stored, verdict.fresh_until_ms).reuse;
  if (verdict.must_revalidate || verdict.always_validate) {
    CHECK(reuse == edge::Reuse::validate || reuse == edge::Reuse::only_if_cached_504);
  }

  const edge::StoredHead head = edge::stored_head(response);
  // A 304 that repeats the stored head changes nothing but the order of its lines.
  const edge::StoredHead again = edge::freshened_head(head, response);
  CHECK(again.headers.size() == head.headers.size() && again.cache_control == head.cache_control);
  edge::judge_freshened(storing, 200, again, response, kNowMs);
}

void check_selection(const http::HeaderList& request, const http::HeaderList& response) {
  const edge::Vary vary = edge::vary_of(response);
  if (const auto key = edge::variant_key("key", vary.names, request)) {
    CHECK(key->starts_with("key") && key->size() <= 3 + edge::kVariantKeyBytesMax);
  }
  for (const http::Header& field : request) {
    for (const std::string_view name : {"accept-encoding", "other"}) {
      const std::string normal = edge::normal_value(name, field.value);
      CHECK(normal.size() <= field.value.size() + std::string_view("br,gzip,identity,zstd").size());
      CHECK(normal.find('\t') == std::string::npos);
    }
  }
  const edge::Tags tags = edge::tags_of(response);
  CHECK(tags.tags.size() <= edge::kTagsMax);
  const edge::Validators stored{response.find("ETag").value_or(""), response.find("Last-Modified").value_or(""),
                                kNowMs};
  const auto as_cache = edge::evaluate_preconditions(request, stored, edge::PreconditionScope::as_cache);
  CHECK(as_cache != edge::Precondition::failed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::size_t empty_line = std::min(text.find("\n\n"), text.size());
  http::RequestHead request;
  request.method = http::Method::get;
  request.headers = headers_of(std::string_view(text).substr(0, empty_line));
  http::ResponseHead response;
  response.status = 200;
  response.headers = headers_of(std::string_view(text).substr(std::min(empty_line + 2, text.size())));

  check_storing(request, response);
  check_selection(request.headers, response.headers);
  edge::request_lines(request, {"edge", "192.0.2.1", true});
  for (const std::string& target : edge::invalidated_targets("POST", "h", "/a/b?c", response)) {
    CHECK(target.starts_with('/'));
  }
  http::parse_dictionary(text);
  return 0;
}
