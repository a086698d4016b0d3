#include "cli/film_url.h"

#include <iostream>

#include "cli/bucket_url.h"
#include "cli/session.h"
#include "common/base/encoding.h"

namespace reelway::cli {

Result<std::optional<FilmUrl>> film_url(const std::string& text) {
  FilmUrl url;
  url.text = text;
  if (text == "-") {
    std::getline(std::cin, url.text);
    while (!url.text.empty() && (url.text.back() == '\r' || url.text.back() == ' ')) url.text.pop_back();
  }
  const bool is_web = url.text.starts_with("http://") || url.text.starts_with("https://");
  if (!is_web && text == "-") return usage_error("expected a URL of http or https on standard input");
  if (!is_web) return std::optional<FilmUrl>();
  url.shown = url.text.substr(0, url.text.find_first_of("?#"));
  const auto host = url.shown.find("://") + 3, path = url.shown.find('/', host);
  const auto user_end = url.shown.substr(0, path).rfind('@');
  if (user_end != std::string::npos) url.shown.erase(host, user_end + 1 - host);
  const std::string name = url.shown.substr(url.shown.rfind('/') + 1);
  if (path != std::string::npos) url.title = title_of_key(percent_decoded(name).value_or(name), false);
  return std::optional(std::move(url));
}

}  // namespace reelway::cli
