#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace reelway::config {

// A YAML text as values that know their lines, for documents that are no configuration. Aliases are read as what they
// stand for.
struct Node {
  enum class Kind : std::uint8_t { nothing, scalar, list, map };
  struct Entry;

  Kind kind = Kind::nothing;
  std::string text;         // of a scalar
  int line = 1;             // from 1
  std::vector<Node> items;  // of a list
  std::vector<Entry> entries;

  const Node* find(std::string_view key) const;  // of a map; null without it
};
struct Node::Entry {
  std::string key;
  int line = 1;
  Node value;
};

inline constexpr std::size_t kDocumentBytesMax = 256 << 10;
inline constexpr std::size_t kDocumentNodesMax = 10'000;
inline constexpr int kDocumentDepthMax = 8;

// Errors are of `code` and name file and line: no YAML, a key that stands twice or is no text, or over a limit.
Result<Node> parse_document(std::string_view yaml, std::string_view file_name, ErrorCode code);

}  // namespace reelway::config
