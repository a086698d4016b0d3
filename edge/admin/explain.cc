#include "edge/admin/explain.h"

#include <nlohmann/json.hpp>

#include "common/base/encoding.h"
#include "common/telemetry/log.h"
#include "edge/policy/cache_key.h"
#include "edge/policy/freshness.h"
#include "edge/policy/reuse.h"
#include "edge/request/site_fetch.h"
#include "edge/request/stored_meta.h"

namespace reelway::edge {
namespace {

using Json = nlohmann::json;

std::string crc_text(std::uint32_t crc) {
  return fmt::format("{:08x}", crc);
}

std::string tier_text(Tier tier) {
  switch (tier) {
    case Tier::memory: return "memory";
    case Tier::disk: return "disk";
    case Tier::none: return "none";
  }
  return "none";
}

Json object_json(const Store::Probe& probe, std::int64_t now_ms) {
  const ObjectMeta& meta = probe.meta;
  Json object{{"status", meta.status},
              {"content_type", meta.content_type},
              {"length", meta.length ? Json(*meta.length) : Json(nullptr)},
              {"bytes_present", probe.bytes_present},
              {"age_s", age_s(meta.age_s, meta.received_ms, now_ms)},
              {"fresh_s", fresh_for_s(meta.fresh_until_ms, now_ms)},
              {"etag", meta.etag}};
  if (lies_in_slices(meta)) {
    object["length"] = meta.sliced_bytes;
    object["slice_bytes"] = meta.slice_bytes;
  }
  object["crc32c"] = meta.crc32c ? Json(crc_text(*meta.crc32c)) : Json(nullptr);
  return object;
}

}  // namespace

std::string_view public_host(std::string_view target) {
  const auto scheme = target.find("://");
  if (scheme == std::string_view::npos || scheme > target.find('/')) return {};
  const std::string_view rest = target.substr(scheme + 3);
  return rest.substr(0, rest.find_first_of("/?#"));
}

std::string_view public_path(std::string_view target) {
  const auto scheme = target.find("://");
  if (scheme != std::string_view::npos && scheme < target.find('/')) {
    const auto slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  return target.substr(0, target.find_first_of("?#"));
}

std::optional<std::string> query_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    return percent_decoded(pair.substr(equals + 1));
  }
  return std::nullopt;
}

Explanation::Explanation(EdgeServer& server, const Clock& clock, std::string target,
                         std::function<void(std::string)> explained)
    : server_(server), clock_(clock), target_(std::move(target)), explained_(std::move(explained)) {}

Explanation::~Explanation() {
  if (waits_for_token_) server_.tokens().forget(*this);
  if (waits_for_rental_) server_.origin().rights().forget(*this);
}

void Explanation::start() {
  if (server_.site() != nullptr && !public_path(target_).starts_with("/t/")) return explain_site();
  auto path = access::parse_play_path(public_path(target_));
  if (!path.ok()) {
    verdicts_.push_back({"receive", path.error(), {}});
    return finish(std::nullopt);
  }
  path_ = *path;
  verdicts_.push_back({"receive", std::nullopt, {}});
  name_film_object(kViewAll);
  auto decision = server_.tokens().decide(path_->token, path_->title, *this);
  if (decision) return token_decided(std::move(*decision));
  waits_for_token_ = true;
  self_ = shared_from_this();
}

// Of a text, the form that players ask for.
void Explanation::name_film_object(std::string_view view) {
  home_key_ = cache_key(path_->object_path, view);
  key_ = cache_key(path_->object_path, view, coding_for(path_->object_path, "gzip"));
}

void Explanation::token_decided(Result<Grant> decision) {
  const auto self = shared_from_this();
  waits_for_token_ = false;
  self_.reset();
  if (!decision.ok()) {
    verdicts_.push_back({"authorize", decision.error(), {}});
    return finish(std::nullopt);
  }
  const auto left_s = decision->expires_s - server_.origin().clock().wall_s();
  verdicts_.push_back({"authorize", std::nullopt, fmt::format("key {}, expires in {} s", decision->kid, left_s)});
  const std::string view = access::view_id(decision->view);
  if (access::varies_by_view(decision->view, path_->object_path)) name_film_object(view);
  const auto in_view = access::check_path_in_view(decision->view, path_->object_path);
  if (in_view.ok()) {
    verdicts_.push_back({"view", std::nullopt, view});
  } else {
    verdicts_.push_back({"view", in_view.error(), {}});
    return finish(std::nullopt);
  }
  judge_rental(*decision);
}

void Explanation::judge_rental(const Grant& grant) {
  if (grant.view.preview != 0) {
    verdicts_.push_back({"title", std::nullopt, "a preview: it need not be on"});
    return look_up();
  }
  if (const auto on = server_.origin().rights().check_title(path_->title); !on.ok()) {
    verdicts_.push_back({"title", on.error(), {}});
    return finish(std::nullopt);
  }
  verdicts_.push_back({"title", std::nullopt, "on"});
  if (!grant.entitlement) {
    verdicts_.push_back({"rental", std::nullopt, "none: the token itself is the right"});
    return look_up();
  }
  auto decision = server_.origin().rights().decide(*grant.entitlement, *this);
  if (decision) return rights_decided(std::move(*decision));
  waits_for_rental_ = true;
  self_ = shared_from_this();
}

void Explanation::rights_decided(Result<void> decision) {
  const auto self = shared_from_this();
  waits_for_rental_ = false;
  self_.reset();
  if (decision.ok()) {
    verdicts_.push_back({"rental", std::nullopt, "it holds"});
  } else {
    verdicts_.push_back({"rental", decision.error(), {}});
    return finish(std::nullopt);
  }
  look_up();
}

void Explanation::look_up() {
  server_.probe(home_key_, key_,
                [self = shared_from_this()](const std::optional<Store::Probe>& probe) { self->finish(probe); });
}

void Explanation::explain_site() {
  const std::string_view host = public_host(target_);
  const auto path = target_.find(public_path(target_), host.empty() ? 0 : target_.find("://") + 3 + host.size());
  std::string asked = path == std::string::npos ? "/" : target_.substr(path, target_.find('#', path) - path);
  if (!asked.starts_with('/')) asked.insert(0, "/");
  primary_key_ = key_ = site_cache_key(host.empty() ? server_.site()->upstream_name : host, asked);
  verdicts_.push_back({"receive", std::nullopt, "the site's"});
  look_up_site();
}

void Explanation::look_up_site() {
  server_.probe(primary_key_, key_,
                [self = shared_from_this()](const std::optional<Store::Probe>& probe) { self->look_at(probe); });
}

// A marker leads to the variant of a request that has none of the fields that it names.
void Explanation::look_at(const std::optional<Store::Probe>& probe) {
  const bool is_marker = probe && probe->state == ObjectState::complete && probe->meta.status == 0;
  if (!is_marker || key_ != primary_key_) return finish(probe);
  std::string names;
  for (const std::string& name : probe->meta.vary) names += (names.empty() ? "" : ", ") + name;
  verdicts_.push_back({"vary", std::nullopt, "by " + names + "; looked up as for a request without them"});
  key_ = variant_key_of(probe->meta, primary_key_, {});
  look_up_site();
}

// What a complete stored object means to a request: the answer to "would".
std::string Explanation::judge_stored(const Store::Probe& probe) {
  if (!primary_key_.empty()) return judge_site(probe);
  const std::int64_t now_ms = clock_.wall_ms();
  const bool fresh = probe.meta.fresh_until_ms > now_ms;
  verdicts_.push_back({"reuse", std::nullopt, describe(freshness_of(probe.meta), now_ms)});
  return fresh ? "hit" : "miss";
}

std::string Explanation::judge_site(const Store::Probe& probe) {
  const StoredFreshness freshness = freshness_of(probe.meta);
  const ReuseDecision decision = decide_reuse({}, freshness, clock_.wall_ms());
  std::string detail = describe(freshness, clock_.wall_ms());
  if (!decision.reason.empty()) detail.append("; ").append(decision.reason);
  verdicts_.push_back({"reuse", std::nullopt, std::move(detail)});
  if (lies_in_slices(probe.meta)) {
    verdicts_.push_back({"slices", std::nullopt, "this is its head; each slice is looked up when it is to be sent"});
  }
  switch (decision.reuse) {
    case Reuse::fresh:
    case Reuse::stale_allowed: return "hit";
    case Reuse::stale_while_revalidate: return "hit, stale, and validate in the background";
    case Reuse::validate: return "miss, validate";
    case Reuse::fetch:
    case Reuse::only_if_cached_504: return "miss";
  }
  return "miss";
}

void Explanation::finish(const std::optional<Store::Probe>& probe) {
  if (!explained_) return;
  const std::int64_t now_ms = clock_.wall_ms();
  const bool whole = probe && probe->state == ObjectState::complete;
  const bool refused = !verdicts_.empty() && verdicts_.back().refusal;
  if (!refused) {
    std::string found = "not stored";
    if (probe) found = whole ? "stored in " + tier_text(probe->tier) : "being fetched";
    verdicts_.push_back({"lookup", std::nullopt, std::move(found)});
  }
  std::string would = whole && !refused ? judge_stored(*probe) : "miss";
  Json steps = Json::array();
  for (const Verdict& verdict : verdicts_) {
    Json step{{"step", verdict.step}, {"verdict", verdict.refusal ? "refused" : "ok"}};
    if (verdict.refusal) {
      const ErrorInfo& info = verdict.refusal->info();
      step["code"] = info.name;
      step["detail"] = verdict.refusal->detail.empty() ? std::string(info.meaning) : verdict.refusal->detail;
      would = fmt::format("{} {}", info.http_status, info.name);
    } else if (!verdict.detail.empty()) {
      step["detail"] = verdict.detail;
    }
    steps.push_back(std::move(step));
  }
  Json answer{{"edge_id", server_.config().edge_id},
              {"target", telemetry::redact_path(public_path(target_))},
              {"steps", std::move(steps)},
              {"cache_key", key_.empty() ? Json(nullptr) : Json(key_)},
              {"tier", tier_text(probe ? probe->tier : Tier::none)},
              {"would", would}};
  answer["object"] = probe ? object_json(*probe, now_ms) : Json(nullptr);
  // The target is whatever the asker sent: bytes that are no UTF-8 must not throw.
  explained_(answer.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace reelway::edge
