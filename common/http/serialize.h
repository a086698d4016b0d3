#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/error.h"

namespace reelway::http {

std::string_view reason_phrase(std::uint16_t status);

// Builds a message head in one string. A name or value with a control byte is a programmer fault (CHECK):
// whatever comes from outside is validated by the parser first.
class ResponseBuilder {
 public:
  explicit ResponseBuilder(std::uint16_t status);
  ResponseBuilder& header(std::string_view name, std::string_view value);
  ResponseBuilder& header(std::string_view name, std::uint64_t value);
  std::string finish();  // with the empty line

 private:
  std::string text_;
};

class RequestBuilder {
 public:
  RequestBuilder(std::string_view method, std::string_view target, std::string_view host);
  RequestBuilder& header(std::string_view name, std::string_view value);
  RequestBuilder& header(std::string_view name, std::uint64_t value);
  std::string finish();

 private:
  std::string text_;
};

// A whole error response: status of the code, JSON body of error_json(), Reelway-Error: <code>,
// Cache-Control: no-store. `head_only` leaves the body out but keeps its Content-Length (answer to HEAD).
std::string error_response(const Error& error, bool keep_alive, bool head_only = false,
                           std::string_view extra_headers = {});

}  // namespace reelway::http
