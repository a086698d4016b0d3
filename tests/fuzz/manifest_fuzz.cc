#include <string>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "origin/ingest/manifest.h"

using namespace reelway;

// The input is a manifest. What is taken is bounded and leads nowhere; what is refused names a line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto manifest = origin::parse_manifest(as_text({data, size}), "m");
  if (!manifest.ok()) {
    CHECK(manifest.error().code == ErrorCode::manifest_invalid && manifest.error().detail.starts_with("m:"));
    return 0;
  }
  const auto files = manifest->files();
  CHECK(!files.empty() && files.size() <= origin::kManifestFilesMax);
  for (const origin::ManifestFile* file : files) {
    CHECK(!file->file.empty() && file->file.find('/') == std::string::npos && file->file[0] != '.');
    CHECK(file->sha256.empty() || file->sha256.size() == 64);
  }
  for (const auto& file : manifest->audio) CHECK(!origin::primary_language(file.language).empty());
  return 0;
}
