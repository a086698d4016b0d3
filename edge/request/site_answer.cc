#include "edge/request/site_answer.h"

#include "common/base/check.h"
#include "common/http/date.h"
#include "common/http/range.h"
#include "common/http/serialize.h"
#include "edge/policy/conditional.h"
#include "edge/policy/forward.h"
#include "edge/policy/freshness.h"

namespace reelway::edge {
namespace {

bool is_hit(CacheOutcome outcome) {
  return outcome == CacheOutcome::hit_memory || outcome == CacheOutcome::hit_disk || outcome == CacheOutcome::hit_stale;
}

bool has_content(std::uint16_t status) {
  return status != 204 && status != 304;
}

std::string_view detail_of(CacheOutcome outcome, const SiteState& site) {
  if (outcome == CacheOutcome::hit_memory) return "memory";
  return outcome == CacheOutcome::hit_disk ? "disk" : site.detail;
}

void optional_header(http::ResponseBuilder& head, std::string_view name, std::string_view value) {
  if (!value.empty()) head.header(name, value);
}

void add_framing(http::ResponseBuilder& head, const AnswerPlan& plan, const Object& object) {
  if (plan.framing == Framing::chunked) {
    head.header("Transfer-Encoding", "chunked");
  } else if (plan.end && has_content(plan.status)) {
    head.header("Content-Length", body_length(plan));
  }
  if (plan.status == 206 && plan.is_own_range && plan.parts == nullptr) {
    head.header("Content-Range", http::content_range({plan.first, *plan.end - plan.first}, *known_length(object)));
  }
}

}  // namespace

AnswerPlan plan_site_answer(const http::RequestHead& request, const Object& object, const SiteState& site) {
  const ObjectMeta& meta = object.meta();
  const bool reads = request.method == http::Method::get || request.method == http::Method::head;
  if (!site.passes && reads && meta.status == 200) {
    const Validators validators{meta.etag, meta.last_modified, meta.date_ms};
    if (evaluate_preconditions(request.headers, validators, PreconditionScope::as_cache) ==
        Precondition::not_modified) {
      AnswerPlan plan;
      plan.status = 304;
      return plan;
    }
    return plan_whole_or_range(request, object);
  }
  AnswerPlan plan;
  plan.status = meta.status;
  if (!has_content(meta.status) || request.method == http::Method::head) return plan;
  plan.end = known_length(object);
  plan.framing = framing_of(request, plan.end);
  return plan;
}

std::string site_answer_head(const AnswerPlan& plan, const Object& object, const AnswerContext& context,
                             const SiteState& site) {
  CHECK(!plan.is_unsatisfiable);
  const ObjectMeta& meta = object.meta();
  http::ResponseBuilder head(plan.status);
  head.header("Date", http::format_date(meta.date_ms / 1000));
  if (plan.status != 304 || meta.status == 304) {
    optional_header(head, "Content-Type", plan.parts != nullptr ? plan.parts->content_type() : meta.content_type);
    optional_header(head, "Content-Encoding", meta.content_encoding);
  }
  add_framing(head, plan, object);
  optional_header(head, "ETag", meta.etag);
  optional_header(head, "Last-Modified", meta.last_modified);
  optional_header(head, "Cache-Control", meta.cache_control);
  const std::uint32_t age = age_s(meta.age_s, meta.received_ms, context.now_ms);
  if (age > 0 || is_hit(context.outcome) || context.outcome == CacheOutcome::validated) head.header("Age", age);
  if (!context.keep_alive) {
    head.header("Connection", "close");
  } else if (context.minor_version == 0) {
    head.header("Connection", "keep-alive");
  }
  return with_lines(head.finish(), meta.headers + site_identity_lines(context, site, &object));
}

std::string site_identity_lines(const AnswerContext& context, const SiteState& site, const Object* object) {
  CacheStatus status;
  status.edge_id = context.edge_id;
  status.hit = is_hit(context.outcome);
  if (!status.hit) {
    status.forward = site.forward;
    status.forward_status = site.forward_status;
  }
  status.collapsed = context.outcome == CacheOutcome::collapsed;
  status.stored = context.stored;
  if (object != nullptr && (status.hit || context.stored)) {
    status.ttl_s = (object->meta().fresh_until_ms - context.now_ms) / 1000;
  }
  status.key = site.primary_key;
  status.detail = detail_of(context.outcome, site);
  std::string lines = "Cache-Status: " + cache_status(status) + "\r\n";
  return lines.append("Via: 1.1 ").append(context.edge_id).append("\r\n");
}

std::string interim_text(const http::ResponseHead& head) {
  const HopByHop hop_by_hop(head.headers);
  http::ResponseBuilder text(head.status);
  for (const http::Header& header : head.headers) {
    if (!hop_by_hop.contains(header.name)) text.header(header.name, header.value);
  }
  return text.finish();
}

}  // namespace reelway::edge
