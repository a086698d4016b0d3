#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/http/message.h"
#include "common/http/multipart_ranges.h"
#include "edge/policy/cache_status.h"
#include "edge/store/object.h"

namespace reelway::edge {

// How the end of a body is shown to the client.
enum class Framing : std::uint8_t {
  none,     // no body: 304, or an answer to HEAD
  length,   // Content-Length
  chunked,  // the length is not known yet
  close,    // not known, and the client is HTTP/1.0
};

// Which part of an object answers a request, and as what. Decided from the request's and the object's heads alone.
struct AnswerPlan {
  std::uint16_t status = 200;  // 200, 206, 304 or 416
  Framing framing = Framing::none;
  std::uint64_t first = 0;
  std::optional<std::uint64_t> end;  // one past the last byte; empty while the length is not known
  // A 206 or a 416 of the edge's own, for the client's Range; not one that the upstream sent.
  bool is_own_range = false;
  bool is_unsatisfiable = false;
  // Several ranges: the body is multipart/byteranges, and first and end are those of the part that is sent.
  std::shared_ptr<const http::MultipartRanges> parts;
  std::size_t part = 0;
};

// Of the plan's body, with the frame around several ranges; the end must be known.
std::uint64_t body_length(const AnswerPlan& plan);

AnswerPlan plan_answer(const http::RequestHead& request, const Object& object);
// Of it what follows the preconditions.
AnswerPlan plan_whole_or_range(const http::RequestHead& request, const Object& object);

std::optional<std::uint64_t> known_length(const Object& object);
Framing framing_of(const http::RequestHead& request, std::optional<std::uint64_t> length);

struct AnswerContext {
  std::string_view edge_id;
  CacheOutcome outcome = CacheOutcome::none;
  bool stored = false;
  bool keep_alive = true;
  std::uint8_t minor_version = 1;  // of the request
  std::int64_t now_ms = 0;
  std::int64_t token_expires_s = 0;
  std::string_view cors_lines;
  bool has_codings = false;  // of the object, so that its answers vary by Accept-Encoding
};

// The head that goes with the plan (not for 416, which is an error's answer).
std::string answer_head(const AnswerPlan& plan, const Object& object, const AnswerContext& context);

// Via and Cache-Status as header lines, for answers that are made otherwise.
std::string identity_lines(const AnswerContext& context);

// Inserts header lines, each with its end, before the empty line that ends the head.
std::string with_lines(std::string head, std::string_view lines);

}  // namespace reelway::edge
