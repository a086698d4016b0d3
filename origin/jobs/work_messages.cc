#include "origin/jobs/work_messages.h"

#include "origin/catalog/record_fields.h"

namespace reelway::origin {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kNameMax = 64;

Error bad(const char* message, std::string what) {
  return {ErrorCode::http_bad_request, Side::client, false, std::string(message) + ": " + std::move(what)};
}

// A record inside a message is told by its own text, so that it has one form and one parser.
Json embedded(const std::string& record) {
  return Json::parse(record, nullptr, false);
}

std::string text_of(const Json& message, const char* name) {
  const auto place = message.is_object() ? message.find(name) : message.end();
  return place != message.end() && place->is_string() ? place->get<std::string>() : std::string();
}

template <class Number>
Number number_of(const Json& message, const char* name) {
  const auto place = message.is_object() ? message.find(name) : message.end();
  return place != message.end() && place->is_number() ? place->get<Number>() : Number();
}

}  // namespace

Json to_message(const Assignment& assignment) {
  return {{"job", assignment.claim.job},
          {"part", assignment.claim.part},
          {"token", assignment.claim.token},
          {"lease_ms", assignment.lease.count()},
          {"source",
           {{"title", assignment.source.title},
            {"version", assignment.source.version},
            {"bytes", assignment.source.bytes},
            {"sha256", assignment.source.sha256}}},
          {"plan", embedded(to_json(assignment.plan))}};
}

Result<Assignment> parse_assignment(const Json& message) {
  Assignment assignment;
  assignment.claim = {text_of(message, "job"), text_of(message, "part"), number_of<Revision>(message, "token")};
  assignment.lease = std::chrono::milliseconds(number_of<std::int64_t>(message, "lease_ms"));
  const Json source = message.is_object() ? message.value("source", Json()) : Json();
  assignment.source = {text_of(source, "title"), text_of(source, "version"), number_of<std::uint64_t>(source, "bytes"),
                       text_of(source, "sha256")};
  if (!is_plain_name(assignment.claim.job) || !is_plain_name(assignment.claim.part) || assignment.claim.token <= 0 ||
      assignment.lease.count() <= 0 || assignment.source.sha256.size() != 64 ||
      !is_plain_name(assignment.source.sha256)) {
    return bad("assignment", "job, token, lease or source is missing");
  }
  Result<EncodePlan> plan = parse_plan("plan", message.value("plan", Json()).dump());
  if (!plan.ok()) return bad("assignment", plan.error().detail);
  assignment.plan = std::move(plan).value();
  for (const EncodePart& part : encode_parts(assignment.plan)) {
    if (part.name == assignment.claim.part) assignment.part = part;
  }
  // A worker that cuts the plan otherwise than the origin would make something else than was asked for.
  if (assignment.part.name.empty()) return bad("assignment", "the plan has no part " + assignment.claim.part);
  return assignment;
}

Json to_message(const TaskOutcome& outcome) {
  TaskRecord record;
  record.files = outcome.files;
  record.cost = outcome.cost;
  return embedded(to_json(record));
}

Result<TaskOutcome> parse_outcome(const Json& message) {
  Result<TaskRecord> record = parse_task("outcome", message.dump());
  if (!record.ok()) return bad("outcome", record.error().detail);
  return TaskOutcome{std::move(record->files), record->cost};
}

Json failure_message(const Error& error, const JobCost& cost) {
  return {{"error", error_value(error)}, {"film_at_fault", error.side == Side::client}, {"cost", cost_value(cost)}};
}

Result<Failure> parse_failure(const Json& message) {
  RecordFields fields("failure", message);
  std::optional<Error> error = fields.error();
  if (!error) fields.fail("error");
  const bool film_at_fault = fields.flag("film_at_fault");
  Failure failure{error.value_or(Error{}), cost_of("failure", fields)};
  failure.error.side = film_at_fault ? Side::client : Side::upstream;
  Result<Failure> parsed = fields.finish(std::move(failure));
  if (!parsed.ok()) return bad("failure", parsed.error().detail);
  return parsed;
}

bool is_plain_name(std::string_view text) {
  if (text.empty() || text.size() > kNameMax || text.front() == '.') return false;
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
         std::string_view::npos;
}

std::string claim_path(const ClaimId& claim) {
  return "/v1/work/claims/" + claim.job + "/" + claim.part + "/" + std::to_string(claim.token);
}

}  // namespace reelway::origin
