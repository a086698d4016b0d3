#include "origin/client/web_url.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "common/base/encoding.h"

namespace reelway::origin {
namespace {

struct CurlFree {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(char* text) const { curl_free(text); }
};
using Parts = std::unique_ptr<CURLU, CurlFree>;

Error refused(std::string detail) {
  return {ErrorCode::url_refused, Side::client, false, std::move(detail)};
}

std::optional<std::string> part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return std::nullopt;
  const std::unique_ptr<char, CurlFree> owned(text);
  return std::string(text);
}

Result<void> set_url(CURLU* url, std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f;
  });
  if (!plain) return refused("the URL has blanks or control characters in it; write them as %20 and the like");
  if (text.size() > kWebUrlBytesMax) {
    return refused("the URL has " + std::to_string(text.size()) + " bytes, at most " + std::to_string(kWebUrlBytesMax));
  }
  const CURLUcode code = curl_url_set(url, CURLUPART_URL, std::string(text).c_str(), CURLU_PATH_AS_IS);
  if (code != CURLUE_OK) return refused(std::string("not a URL of http or https: ") + curl_url_strerror(code));
  return {};
}

void drop(CURLU* url, CURLUPart which) {
  curl_url_set(url, which, nullptr, 0);
}

// Takes the parts and, from `url`, all that is not for the request.
Result<WebUrl> taken_apart(CURLU* url) {
  WebUrl out;
  out.scheme = part(url, CURLUPART_SCHEME).value_or("");
  if (out.scheme != "http" && out.scheme != "https") {
    return refused("expected http:// or https://, found " + out.scheme + "://");
  }
  if (part(url, CURLUPART_ZONEID)) return refused("an address with a zone leads to this machine's own network");
  out.host = part(url, CURLUPART_HOST).value_or("");
  std::transform(out.host.begin(), out.host.end(), out.host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (out.host.starts_with('[')) out.host = out.host.substr(1, out.host.size() - 2);
  if (out.host.ends_with('.')) out.host.pop_back();
  if (out.host.empty()) return refused("the URL names no host");
  const auto user = part(url, CURLUPART_USER, CURLU_URLDECODE),
             password = part(url, CURLUPART_PASSWORD, CURLU_URLDECODE);
  if (user || password) {
    out.authorization = "Basic " + base64(as_bytes(user.value_or("") + ":" + password.value_or("")));
  }
  for (const CURLUPart secret : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_FRAGMENT}) {
    drop(url, secret);
  }
  out.request = part(url, CURLUPART_URL).value_or("");
  out.shown = out.request.substr(0, out.request.find('?'));
  const std::string path = part(url, CURLUPART_PATH).value_or("");
  out.file_name = percent_decoded(path.substr(path.rfind('/') + 1)).value_or("");
  if (!is_utf8(out.file_name)) out.file_name.clear();
  return out;
}

}  // namespace

Result<WebUrl> parse_web_url(std::string_view text) {
  const Parts url(curl_url());
  CHECK(url != nullptr);
  REELWAY_TRY(set_url(url.get(), text));
  return taken_apart(url.get());
}

Result<WebUrl> redirected(const WebUrl& from, std::string_view location) {
  const Parts url(curl_url());
  CHECK(url != nullptr);
  REELWAY_TRY(set_url(url.get(), from.request));
  REELWAY_TRY(set_url(url.get(), location));
  Result<WebUrl> to = taken_apart(url.get());
  if (to.ok() && !to->authorization.empty()) return refused("it redirects to a URL with a user in it");
  return to;
}

bool is_host_pattern(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(2);
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == ':';
  });
}

bool host_matches(std::string_view host, std::span<const std::string> patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
    if (!pattern.starts_with("*.")) return host == pattern;
    const std::string_view ending = pattern.substr(1);
    return host.size() > ending.size() && host.ends_with(ending);
  });
}

}  // namespace reelway::origin
