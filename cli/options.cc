#include "cli/options.h"

#include <array>
#include <sstream>

namespace reelway::cli {
namespace {

using config::Kind;
using config::Option;

constexpr std::array kOptions{
    Option{"origin.url", Kind::url, "http://127.0.0.1:8080", false, 0, 0,
           "Address of the origin's API port. Use https:// when it is not on this machine: each call carries the "
           "credential."},
    Option{"origin.credential_file", Kind::path, "", true, 0, 0,
           "File whose first line is the credential of the origin's API port, at least 16 characters. Only its owner "
           "may read "
           "it (mode 0600)."},
    Option{"edges", Kind::text_list, "[]", false, 0, 0,
           "Edges that the commands explain and purge ask, each as one text of three parts with a space between them: "
           "the edge's "
           "public "
           "base URL, the URL of its admin port, and the file with that port's credential. For example "
           "\"http://127.0.0.1:8090 http://127.0.0.1:8091 /etc/reelway/edge-admin.secret\"."},
};

bool is_http_url(const std::string& text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

std::string without_trailing_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

}  // namespace

std::span<const config::Option> options() {
  return kOptions;
}

Result<EdgeAddress> parse_edge_address(const std::string& text) {
  std::istringstream words{text};
  EdgeAddress edge;
  words >> edge.public_url >> edge.admin_url;
  std::getline(words >> std::ws, edge.credential_file);
  if (!is_http_url(edge.public_url) || !is_http_url(edge.admin_url) || edge.credential_file.empty()) {
    return Error{ErrorCode::config_value_invalid, Side::client, false,
                 "edges: '" + text + "' is not of the form '<public base URL> <admin URL> <admin credential file>'"};
  }
  edge.public_url = without_trailing_slash(edge.public_url);
  edge.admin_url = without_trailing_slash(edge.admin_url);
  return edge;
}

Result<CliConfig> load_config(const std::string& file) {
  const auto settings = config::load(options(), file);
  if (!settings) return settings.error();
  CliConfig result;
  result.origin_url = without_trailing_slash(settings->text("origin.url"));
  result.origin_credential_file = settings->text("origin.credential_file");
  for (const std::string& text : settings->list("edges")) {
    auto edge = parse_edge_address(text);
    if (!edge) return edge.error();
    result.edges.push_back(std::move(*edge));
  }
  return result;
}

}  // namespace reelway::cli
