#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace reelway::origin {

// Reads the fields of a request's JSON object. The first field that is missing or of the wrong kind is kept as the
// error; later reads return empty values, so a route reads all it needs and asks once.
class BodyFields {
 public:
  static constexpr std::size_t kTextBytesMax = 4096;
  static constexpr std::size_t kListMax = 64;

  explicit BodyFields(const nlohmann::json& body);

  std::string text(const char* name);                          // required, not empty
  std::optional<std::string> optional_text(const char* name);  // absent or null: nothing
  // Absent or null: nothing. At most kListMax texts.
  std::optional<std::vector<std::string>> optional_texts(const char* name);
  std::uint64_t count(const char* name);  // required, 0 or more
  std::optional<std::int64_t> optional_integer(const char* name);
  bool flag(const char* name);  // absent: false

  Result<void> finish() const;  // http_bad_request names the field

 private:
  const nlohmann::json* find(const char* name);
  void refuse(const char* name, std::string_view expected);

  const nlohmann::json& body_;
  std::optional<Error> error_;
};

}  // namespace reelway::origin
