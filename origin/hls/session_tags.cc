#include "origin/hls/session_tags.h"

#include <algorithm>

#include "origin/hls/attribute_list.h"

// Model: variables (RFC 8216bis section 4.4.2.3) are used for one purpose: a steering server that needs to know which
// session asks finds that in the query of the play URL, which is no part of what an edge stores. They need players of
// version 11, so they are there only when the configuration asks for them.

namespace reelway::origin::hls {
namespace {

constexpr int kUsualVersion = 7;
constexpr int kQueryParameterVersion = 11;
constexpr std::string_view kTitleData = "org.reelway.title";

bool is_variable_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// The names between "{$" and "}", each once; one that is not closed has no name.
std::vector<std::string> variables_of(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t at = text.find("{$"); at != std::string_view::npos; at = text.find("{$", at + 2)) {
    const std::size_t end = text.find('}', at);
    std::string name(end == std::string_view::npos ? std::string_view{} : text.substr(at + 2, end - at - 2));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

std::string steering_line(const Steering& steering) {
  if (steering.server_uri.empty()) return {};
  TagLine tag("EXT-X-CONTENT-STEERING");
  return tag.quoted("SERVER-URI", steering.server_uri).quoted("PATHWAY-ID", steering.pathway).line();
}

}  // namespace

Result<void> check_steering(const Steering& steering) {
  const auto invalid = [](std::string detail) {
    return Error{ErrorCode::config_value_invalid, Side::client, false, std::move(detail)};
  };
  for (const char c : steering.server_uri) {
    if (c <= ' ' || c == '"' || c == '\x7f') return invalid("the URI of the steering server has blanks or quotes");
  }
  for (const std::string& name : variables_of(steering.server_uri)) {
    if (!is_variable_name(name)) return invalid("'{$" + name + "}' is no variable: a name of letters, digits, - and _");
  }
  const bool is_pathway = std::all_of(steering.pathway.begin(), steering.pathway.end(),
                                      [](char c) { return is_variable_name(std::string_view(&c, 1)) || c == '.'; });
  if (steering.pathway.empty() || !is_pathway) return invalid("a pathway is named with letters, digits, . - and _");
  return {};
}

std::string session_tags(const MultivariantOrder& order) {
  const std::vector<std::string> variables = variables_of(order.steering.server_uri);
  const int version = variables.empty() ? kUsualVersion : kQueryParameterVersion;
  std::string text = "#EXT-X-VERSION:" + std::to_string(version) + "\n#EXT-X-INDEPENDENT-SEGMENTS\n";
  for (const std::string& name : variables) text += TagLine("EXT-X-DEFINE").quoted("QUERYPARAM", name).line();
  text += steering_line(order.steering);
  if (!order.title.empty()) {
    text += TagLine("EXT-X-SESSION-DATA").quoted("DATA-ID", kTitleData).quoted("VALUE", order.title).line();
  }
  return text + order.session_keys;
}

}  // namespace reelway::origin::hls
