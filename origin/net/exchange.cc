#include "origin/net/exchange.h"

namespace reelway::origin {

Response json_response(std::uint16_t status, std::string json) {
  Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
  response.text = std::make_shared<const std::string>(std::move(json));
  return response;
}

Response error_reply(const Error& error) {
  Response response = json_response(error.info().http_status, error_json(error));
  response.headers.emplace_back("Reelway-Error", error.info().name);
  if (error.info().http_status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace reelway::origin
