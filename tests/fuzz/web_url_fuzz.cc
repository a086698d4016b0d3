#include <algorithm>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "origin/client/web_url.h"

using namespace reelway;

// The input is a URL, and a redirect from one. What is taken means the same when it is read again, and shows no secret.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  if (const auto url = origin::parse_web_url(text)) {
    CHECK(url->scheme == "http" || url->scheme == "https");
    CHECK(!url->host.empty() && url->shown.find('?') == std::string::npos);
    const auto again = origin::parse_web_url(url->request);
    CHECK(again.ok() && again->host == url->host && again->scheme == url->scheme && again->authorization.empty());
    const std::vector<std::string> patterns{url->host};
    CHECK(origin::host_matches(again->host, patterns));
  }
  const auto from = origin::parse_web_url("https://films.example/a/b.mov?c=d");
  CHECK(from.ok());
  if (const auto to = origin::redirected(*from, text)) CHECK(to->authorization.empty() && !to->host.empty());
  return 0;
}
