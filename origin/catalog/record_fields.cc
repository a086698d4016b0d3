#include "origin/catalog/record_fields.h"

#include <algorithm>

namespace reelway::origin {

std::optional<Error> RecordFields::error() {
  const nlohmann::json* field = find("error");
  if (field == nullptr || field->is_null()) return std::nullopt;
  RecordFields inner(key_, *field);
  Error error;
  const std::string code = inner.text("code");
  error.detail = inner.text("detail");
  for (const ErrorInfo& info : error_table()) {
    if (info.name == code) error.code = info.code;
  }
  if (inner.broken_) fail("error");
  return error;
}

nlohmann::json error_value(const std::optional<Error>& error) {
  if (!error) return nullptr;
  return {{"code", error->info().name}, {"detail", error->detail}};
}

nlohmann::json cost_value(const JobCost& cost) {
  return {{"cpu_s", cost.cpu_s}, {"wall_s", cost.wall_s}, {"bytes", cost.bytes}};
}

JobCost cost_of(std::string_view key, RecordFields& fields) {
  const nlohmann::json* field = fields.find("cost");
  if (field == nullptr) return {};
  RecordFields inner(key, *field);
  const JobCost cost{inner.number<double>("cpu_s"), inner.number<double>("wall_s"),
                     inner.number<std::uint64_t>("bytes")};
  if (!inner.finish(cost).ok()) fields.fail("cost");
  return cost;
}

nlohmann::json probe_value(const RateProbe& probe) {
  return {{"samples", probe.samples}, {"seconds", probe.seconds}, {"cpu_s", probe.cpu_s}};
}

RateProbe probe_of(std::string_view key, RecordFields& fields) {
  const nlohmann::json* field = fields.find("probe");
  if (field == nullptr) return {};
  RecordFields inner(key, *field);
  const RateProbe probe{inner.number<std::uint32_t>("samples"), inner.number<double>("seconds"),
                        inner.number<double>("cpu_s")};
  if (!inner.finish(probe).ok()) fields.fail("probe");
  return probe;
}

std::string dump_record(nlohmann::json json) {
  json["format"] = kRecordFormat;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string after_prefix(std::string_view key, std::string_view prefix) {
  return std::string(key.substr(std::min(key.size(), prefix.size())));
}

}  // namespace reelway::origin
