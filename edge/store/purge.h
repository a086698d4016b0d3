#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace reelway::edge {

// What an operator wants gone.
//   url     the object of this path and query, in all its views and variants
//   prefix  whatever has a path and query that begins so
//   tag     whatever came with this Surrogate-Key or Cache-Tag
// A url or prefix is a path ("/film/v1/") and then of films and of every host's site, or has a host before it
// ("www.example.org/news/", also with "http://" or "https://" in front), and then of that host's site only.
struct PurgeRequest {
  enum class Kind : std::uint8_t { url, prefix, tag };
  static constexpr std::size_t kValueBytesMax = 4096;

  Kind kind = Kind::url;
  std::string value;
  bool soft = false;  // becomes stale, so that it may be validated; else it is never served again
};

struct PurgeResult {
  static constexpr std::size_t kKeysMax = 100;

  std::uint64_t objects = 0;         // matched, each once
  std::uint64_t memory_objects = 0;  // of them in memory
  std::uint64_t disk_objects = 0;    // of them on disk
  std::vector<std::string> keys;     // the first kKeysMax that were met
  bool is_truncated = false;         // there were more
};

}  // namespace reelway::edge
