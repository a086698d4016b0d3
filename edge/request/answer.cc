#include "edge/request/answer.h"

#include <utility>
#include <variant>
#include <vector>

#include "common/base/check.h"
#include "common/http/date.h"
#include "common/http/range.h"
#include "common/http/serialize.h"
#include "edge/policy/conditional.h"
#include "edge/policy/freshness.h"

namespace reelway::edge {
namespace {

constexpr std::size_t kUsualHeadBytes = 768;

// The ranges that may be honoured; a Range on an object of unknown length is ignored, as RFC 9110 section 14.2 allows.
http::RangesDecision asked_ranges(const http::RequestHead& request, const Object& object,
                                  std::optional<std::uint64_t> length) {
  const auto range = request.headers.find("Range");
  if (!range || !length || request.method != http::Method::get) return http::WholeObject{};
  const ObjectMeta& meta = object.meta();
  if (!range_may_apply(request.headers.find("If-Range"), meta.etag, meta.last_modified)) return http::WholeObject{};
  return http::decide_ranges(*range, *length);
}

// Differs from object to object, and is not to be met in one by chance.
std::string boundary_of(const Object& object) {
  const ObjectMeta& meta = object.meta();
  return "reelway" + std::to_string(meta.crc32c.value_or(0)) + std::to_string(meta.received_ms);
}

void take_ranges(AnswerPlan& plan, std::vector<http::ByteRange> ranges, const Object& object, std::uint64_t length) {
  plan.status = 206;
  plan.is_own_range = true;
  plan.first = ranges[0].first;
  plan.end = ranges[0].first + ranges[0].count;
  if (ranges.size() == 1) return;
  plan.parts = std::make_shared<http::MultipartRanges>(std::move(ranges), length, object.meta().content_type,
                                                       boundary_of(object));
}

void optional_header(http::ResponseBuilder& head, std::string_view name, std::string_view value) {
  if (!value.empty()) head.header(name, value);
}

// The status line and what is the same for all to whom the object is answered by this plan. Without the empty line.
std::string object_lines(const AnswerPlan& plan, const Object& object) {
  const ObjectMeta& meta = object.meta();
  http::ResponseBuilder head(plan.status);
  head.header("Date", http::format_date(meta.date_ms / 1000));
  if (plan.status != 304) {
    optional_header(head, "Content-Type", plan.parts != nullptr ? plan.parts->content_type() : meta.content_type);
    optional_header(head, "Content-Encoding", meta.content_encoding);
    if (plan.framing == Framing::chunked) {
      head.header("Transfer-Encoding", "chunked");
    } else if (plan.end) {
      head.header("Content-Length", body_length(plan));
    }
    head.header("Accept-Ranges", "bytes");
  }
  if (plan.status == 206 && plan.parts == nullptr) {
    head.header("Content-Range", http::content_range({plan.first, *plan.end - plan.first}, *known_length(object)));
  }
  optional_header(head, "ETag", meta.etag);
  optional_header(head, "Last-Modified", meta.last_modified);
  std::string lines = head.finish();
  lines.resize(lines.size() - 2);
  return lines;
}

// As the origin says it of content keys.
constexpr std::string_view kNoStore = "no-store";

// What differs by request and by moment. Of numbers and constants only, so nothing needs a check. The bytes are behind
// a token, so only the player's own cache may keep them.
void append_request_lines(std::string& head, const ObjectMeta& meta, const AnswerContext& context) {
  const std::int64_t token_left_s = context.token_expires_s - context.now_ms / 1000;
  head.append("Cache-Control: ");
  if (meta.cache_control == kNoStore) {
    head.append(kNoStore);
  } else {
    head.append("private, max-age=")
        .append(std::to_string(playback_max_age_s(fresh_for_s(meta.fresh_until_ms, context.now_ms), token_left_s)));
  }
  head.append("\r\nAge: ").append(std::to_string(age_s(meta.age_s, meta.received_ms, context.now_ms))).append("\r\n");
  if (!context.keep_alive) {
    head.append("Connection: close\r\n");
  } else if (context.minor_version == 0) {
    head.append("Connection: keep-alive\r\n");
  }
}

void append_identity_lines(std::string& head, const AnswerContext& context) {
  if (const std::string_view status = cache_status_of_film(context.outcome, context.stored); !status.empty()) {
    head.append("Cache-Status: ").append(context.edge_id).append(status).append("\r\n");
  }
  head.append("Via: 1.1 ").append(context.edge_id).append("\r\n");
}

}  // namespace

std::optional<std::uint64_t> known_length(const Object& object) {
  if (lies_in_slices(object.meta())) return object.meta().sliced_bytes;
  if (object.meta().length) return object.meta().length;
  if (object.state() == ObjectState::complete) return object.bytes_present();
  return std::nullopt;
}

Framing framing_of(const http::RequestHead& request, std::optional<std::uint64_t> length) {
  if (length) return Framing::length;
  return request.minor_version >= 1 ? Framing::chunked : Framing::close;
}

AnswerPlan plan_answer(const http::RequestHead& request, const Object& object) {
  const auto if_none_match = request.headers.find("If-None-Match");
  if (if_none_match && none_match_holds_copy(*if_none_match, object.meta().etag)) {
    AnswerPlan plan;
    plan.status = 304;
    return plan;
  }
  return plan_whole_or_range(request, object);
}

AnswerPlan plan_whole_or_range(const http::RequestHead& request, const Object& object) {
  AnswerPlan plan;
  const auto length = known_length(object);
  plan.end = length;
  http::RangesDecision decision = asked_ranges(request, object, length);
  if (std::holds_alternative<http::Unsatisfiable>(decision)) {
    plan.status = 416;
    plan.is_unsatisfiable = true;
    return plan;
  }
  // Several of an object that is still being filled would wait for each other: it is answered whole.
  auto* ranges = std::get_if<std::vector<http::ByteRange>>(&decision);
  const bool any_order = object.state() == ObjectState::complete || lies_in_slices(object.meta());
  if (ranges != nullptr && (ranges->size() == 1 || any_order)) {
    take_ranges(plan, std::move(*ranges), object, *length);
  }
  plan.framing = request.method == http::Method::head ? Framing::none : framing_of(request, length);
  return plan;
}

std::uint64_t body_length(const AnswerPlan& plan) {
  return plan.parts != nullptr ? plan.parts->content_length() : *plan.end - plan.first;
}

std::string answer_head(const AnswerPlan& plan, const Object& object, const AnswerContext& context) {
  CHECK(!plan.is_unsatisfiable);
  const bool is_usual =
      plan.status == 200 && plan.framing == Framing::length && object.state() == ObjectState::complete;
  std::string head;
  head.reserve(kUsualHeadBytes + context.cors_lines.size());
  if (is_usual) {
    std::string& kept = object.answer_lines();
    if (kept.empty()) kept = object_lines(plan, object);
    head.append(kept);
  } else {
    head.append(object_lines(plan, object));
  }
  append_request_lines(head, object.meta(), context);
  if (context.has_codings) head.append("Vary: Accept-Encoding\r\n");
  append_identity_lines(head, context);
  return head.append(context.cors_lines).append("\r\n");
}

std::string identity_lines(const AnswerContext& context) {
  std::string lines;
  append_identity_lines(lines, context);
  return lines;
}

std::string with_lines(std::string head, std::string_view lines) {
  CHECK(head.ends_with("\r\n\r\n"));
  return head.insert(head.size() - 2, lines);
}

}  // namespace reelway::edge
