#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace reelway::origin {

// A playlist, manifest or init segment as it is sent. Immutable.
struct Rendered {
  // One content coding of it: bytes with validators of their own.
  struct Form {
    std::shared_ptr<const std::string> body;
    std::string etag;
    std::string digest;  // value of Content-Digest
  };
  std::string content_type;
  Form plain;
  Form gzip;  // of texts, made once; without a body for what is none
};

// The texts made lately, by path. A published version never changes, so an entry is dropped only for room, least
// recently used first. Loop thread only.
class RenderedCache {
 public:
  static constexpr std::uint64_t kBytesMax = 64ULL * 1024 * 1024;

  explicit RenderedCache(std::uint64_t bytes_max = kBytesMax) : bytes_max_(bytes_max) {}
  std::shared_ptr<const Rendered> find(std::string_view path);
  void add(std::string path, std::shared_ptr<const Rendered> rendered);

 private:
  struct Entry {
    std::string path;
    std::shared_ptr<const Rendered> rendered;
  };
  static std::uint64_t cost(const Entry& entry);
  void drop_last();

  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
  std::list<Entry> recent_;  // most recently used first; the keys below are views into its paths
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_path_;
};

}  // namespace reelway::origin
