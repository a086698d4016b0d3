#pragma once

#include <string>

#include "edge/request/answer.h"
#include "edge/request/site.h"

namespace reelway::edge {

// As plan_answer() and answer_head(), for a site's request. Preconditions and ranges are the edge's to judge only for a
// 200 to a GET or HEAD that was not passed; whatever else the upstream answered goes on as it is.
AnswerPlan plan_site_answer(const http::RequestHead& request, const Object& object, const SiteState& site);
std::string site_answer_head(const AnswerPlan& plan, const Object& object, const AnswerContext& context,
                             const SiteState& site);

// Cache-Status and Via as header lines. `object` may be null: a refusal.
std::string site_identity_lines(const AnswerContext& context, const SiteState& site, const Object* object);

// An answer of 1xx, as it goes on to the client.
std::string interim_text(const http::ResponseHead& head);

}  // namespace reelway::edge
