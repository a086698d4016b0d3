#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace reelway::origin {

// The fields of a query, "a=1&b=x". Values are of unreserved characters (RFC 3986, section 2.3) and stand as they are:
// nothing is decoded, so one value has one text.
class QueryFields {
 public:
  static constexpr std::size_t kFieldsMax = 16;
  static constexpr std::size_t kValueBytesMax = 256;

  QueryFields() = default;
  // http_bad_request: another shape, a field twice, or a limit.
  static Result<QueryFields> parse(std::string_view query);

  // Nothing when it is absent.
  std::optional<std::string> text(std::string_view name) const;
  // http_bad_request names the field that is absent or has another form.
  Result<std::string> required(std::string_view name) const;
  Result<std::int64_t> number(std::string_view name) const;                          // decimal, 0 or more
  Result<std::optional<std::int64_t>> optional_number(std::string_view name) const;  // the same
  Result<bool> flag(std::string_view name) const;                                    // "0" or "1"; absent: false

 private:
  std::map<std::string, std::string, std::less<>> fields_;
};

}  // namespace reelway::origin
