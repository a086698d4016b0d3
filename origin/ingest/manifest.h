#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// What a vendor's delivery consists of, as its manifest says: docs/ingest.md has the form. Pure.

namespace reelway::origin {

inline constexpr std::string_view kManifestName = "delivery.yaml";  // within a delivery's folder
inline constexpr std::size_t kManifestFilesMax = 100;

// A file that the manifest names. What does not apply to its part of the manifest is empty.
struct ManifestFile {
  std::string file;      // a name without folders
  std::string sha256;    // that it must have; may be empty
  std::string language;  // BCP 47
  std::string role;      // see DeliveredFile
  std::string layout;
  int line = 1;  // where it is named
};

struct Manifest {
  std::string title;
  std::string name;      // may be empty
  std::string language;  // of sound whose file names none
  bool new_version = false;
  ManifestFile picture;
  std::vector<ManifestFile> audio;  // none: the picture's own sound is used
  std::vector<ManifestFile> music_and_effects;
  std::vector<ManifestFile> subtitles;
  std::vector<ManifestFile> artwork;

  // All of them, the picture first.
  std::vector<const ManifestFile*> files() const;
};

// `file_name` is what complaints call it. manifest_invalid, with the line and what was expected there: no YAML, a key
// that does not exist, a value of another form, a language that is none, a file named twice, two tracks that would be
// the same, too many files.
Result<Manifest> parse_manifest(std::string_view yaml, std::string_view file_name);

// The primary language of a BCP 47 tag that begins with a language of ISO 639, in its shortest form: "es" for "es-419".
// Empty for others ("eng", which is "en", "english", "xx").
std::string primary_language(std::string_view tag);

}  // namespace reelway::origin
