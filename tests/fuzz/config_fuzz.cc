#include <array>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/config/settings.h"

// Any bytes as a configuration file: an error that names the file, or values within their limits.

namespace {

using reelway::config::Kind;
using reelway::config::Option;

constexpr auto kTable = std::to_array<Option>({
    {"name", Kind::text, "", true, 0, 0, "A name."},
    {"listen", Kind::endpoint, "127.0.0.1:80", false, 0, 0, "An address."},
    {"store.path", Kind::path, "", false, 0, 0, "A path."},
    {"store.bytes", Kind::bytes, "1MiB", false, 1024, 1 << 30, "A size."},
    {"store.on", Kind::flag, "true", false, 0, 0, "A flag."},
    {"store.deep.count", Kind::integer, "1", false, 1, 100, "A number."},
    {"time", Kind::duration, "5s", false, 1, 3'600'000, "A time."},
    {"url", Kind::url, "http://a:1", false, 0, 0, "A URL."},
    {"list", Kind::text_list, "[]", false, 0, 0, "A list."},
});

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto settings = reelway::config::parse(kTable, reelway::as_text({data, size}), "file");
  if (!settings.ok()) {
    CHECK(settings.error().detail.starts_with("file:"));
    return 0;
  }
  CHECK(!settings->text("name").empty());
  CHECK(settings->bytes("store.bytes") >= 1024 && settings->bytes("store.bytes") <= 1 << 30);
  CHECK(settings->integer("store.deep.count") >= 1 && settings->integer("store.deep.count") <= 100);
  CHECK(settings->duration("time").count() >= 1);
  CHECK(!settings->endpoint("listen").host.empty());
  CHECK(settings->text("url").starts_with("http://") && !settings->text("url").ends_with('/'));
  settings->flag("store.on");
  settings->list("list");
  return 0;
}
