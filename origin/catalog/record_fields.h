#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "common/base/result.h"
#include "origin/catalog/records.h"

// The common form of what the origin keeps in the control store: JSON objects with "format":1. For the .cc files that
// define records.

namespace reelway::origin {

inline constexpr int kRecordFormat = 1;

// Reads one record's fields. The first field that is missing or of another kind makes the whole record corrupt.
class RecordFields {
 public:
  RecordFields(std::string_view key, std::string_view text)
      : key_(key), json_(nlohmann::json::parse(text, nullptr, false)) {
    if (!json_.is_object() || json_.value("format", 0) != kRecordFormat) fail("format");
  }
  RecordFields(std::string_view key, nlohmann::json json) : key_(key), json_(std::move(json)) {
    if (!json_.is_object()) fail("object");
  }

  std::string text(const char* name) {
    const nlohmann::json* field = find(name);
    if (field != nullptr && field->is_string()) return field->get<std::string>();
    fail(name);
    return {};
  }
  template <class Number>
  Number number(const char* name) {
    const nlohmann::json* field = find(name);
    const bool fits = std::is_integral_v<Number> ? field != nullptr && field->is_number_integer()
                                                 : field != nullptr && field->is_number();
    if (fits) return field->get<Number>();
    fail(name);
    return {};
  }
  bool flag(const char* name) {
    const nlohmann::json* field = find(name);
    if (field != nullptr && field->is_boolean()) return field->get<bool>();
    fail(name);
    return false;
  }
  template <class State, std::size_t kCount>
  State state(const char* name, const std::array<std::string_view, kCount>& names) {
    const std::string given = text(name);
    for (std::size_t i = 0; i < kCount; ++i) {
      if (names[i] == given) return static_cast<State>(i);
    }
    fail(name);
    return {};
  }
  std::optional<Error> error();
  const nlohmann::json* find(const char* name) const {
    const auto place = json_.is_object() ? json_.find(name) : json_.end();
    return place == json_.end() ? nullptr : &*place;
  }

  void fail(const char* name) {
    if (!broken_) broken_ = name;
  }
  template <class Record>
  Result<Record> finish(Record record) const {
    if (!broken_) return record;
    return Error{ErrorCode::stored_data_corrupt, Side::disk, false,
                 "control store, key " + key_ + ": " + *broken_ + " is missing or not as expected"};
  }

 private:
  std::string key_;
  nlohmann::json json_;
  std::optional<std::string> broken_;
};

nlohmann::json error_value(const std::optional<Error>& error);
nlohmann::json cost_value(const JobCost& cost);
// The field "cost", which records of before costs were kept do not have.
JobCost cost_of(std::string_view key, RecordFields& fields);

nlohmann::json probe_value(const RateProbe& probe);
// The field "probe", which records of before rates were chosen for each film do not have.
RateProbe probe_of(std::string_view key, RecordFields& fields);

// The text of a record. Names and details may hold bytes that are not UTF-8.
std::string dump_record(nlohmann::json json);
// What of a key follows its prefix.
std::string after_prefix(std::string_view key, std::string_view prefix);

}  // namespace reelway::origin
