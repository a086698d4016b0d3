#include "common/config/document.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>

namespace reelway::config {
namespace {

class Walk {
 public:
  Walk(std::string_view file, ErrorCode code) : file_(file), code_(code) {}

  Error fault(int line, std::string_view what) const {
    return {code_, Side::client, false, file_ + ":" + std::to_string(line) + ": " + std::string(what)};
  }

  Result<Node> copy(const YAML::Node& from, int depth) {
    Node node;
    node.line = std::max(from.Mark().line, 0) + 1;
    // An alias of aliases of aliases is small as a text only.
    if (++nodes_ > kDocumentNodesMax) return fault(node.line, "too many values");
    if (depth > kDocumentDepthMax) return fault(node.line, "too many levels");
    if (from.IsScalar()) {
      node.kind = Node::Kind::scalar;
      node.text = from.Scalar();
    } else if (from.IsSequence()) {
      node.kind = Node::Kind::list;
      for (const auto& item : from) {
        Result<Node> copied = copy(item, depth + 1);
        if (!copied.ok()) return copied;
        node.items.push_back(std::move(copied).value());
      }
    } else if (from.IsMap()) {
      REELWAY_TRY(copy_map(from, node, depth));
    }
    return node;
  }

 private:
  Result<void> copy_map(const YAML::Node& from, Node& node, int depth) {
    node.kind = Node::Kind::map;
    for (const auto& entry : from) {
      const int line = std::max(entry.first.Mark().line, 0) + 1;
      if (!entry.first.IsScalar()) return fault(line, "expected a text as key");
      if (node.find(entry.first.Scalar()) != nullptr) return fault(line, entry.first.Scalar() + " stands there twice");
      Result<Node> value = copy(entry.second, depth + 1);
      if (!value.ok()) return std::move(value).error();
      node.entries.push_back({entry.first.Scalar(), line, std::move(value).value()});
    }
    return {};
  }

  const std::string file_;
  const ErrorCode code_;
  std::size_t nodes_ = 0;
};

}  // namespace

const Node* Node::find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &found->value;
}

Result<Node> parse_document(std::string_view yaml, std::string_view file_name, ErrorCode code) {
  Walk walk(file_name, code);
  if (yaml.size() > kDocumentBytesMax) {
    return walk.fault(1, "the file has more than " + std::to_string(kDocumentBytesMax) + " bytes");
  }
  try {
    return walk.copy(YAML::Load(std::string(yaml)), 0);
  } catch (const YAML::Exception& exception) {
    return walk.fault(std::max(exception.mark.line, 0) + 1, exception.msg);
  } catch (const std::exception& exception) {
    return walk.fault(1, exception.what());
  }
}

}  // namespace reelway::config
