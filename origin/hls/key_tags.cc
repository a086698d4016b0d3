#include "origin/hls/key_tags.h"

#include <algorithm>

#include "common/base/encoding.h"

// Which tag which player takes was read in the players' sources and tried (docs/protection.md):
//   AES-128, SAMPLE-AES in transport streams   every player, by the format "identity"
//   cbcs    hls.js by "org.w3.clearkey"; with "identity" beside it hls.js takes that one and then cannot decrypt
//   cenc    Shaka by "identity", hls.js by "org.w3.clearkey"; hls.js passes over "identity" of SAMPLE-AES-CTR

namespace reelway::origin::hls {
namespace {

std::string_view method_of(Protection protection) {
  switch (protection) {
    case Protection::none: return "NONE";
    case Protection::whole_segment: return "AES-128";
    case Protection::sample_aes:
    case Protection::cbcs: return "SAMPLE-AES";
    case Protection::cenc: return "SAMPLE-AES-CTR";
  }
  return "NONE";
}

std::string method_and_uri(Protection protection, const std::string& uri) {
  return "METHOD=" + std::string(method_of(protection)) + ",URI=\"" + uri + "\"";
}

std::string clearkey_attributes(Protection protection, const std::string& folder, const ContentKey& key) {
  return method_and_uri(protection, folder + "clearkey.json") +
         ",KEYFORMAT=\"org.w3.clearkey\",KEYFORMATVERSIONS=\"1\",KEYID=0x" + hex(key.id);
}

std::string own_tags(std::string_view tag, Packaging packaging, const std::string& folder, const ContentKey& key) {
  const Protection protection = traits(packaging).protection;
  const std::string begin = "#" + std::string(tag) + ":";
  switch (protection) {
    case Protection::none: return {};
    case Protection::whole_segment:
    case Protection::sample_aes:
      return begin + method_and_uri(protection, folder + "key") + ",IV=0x" + hex(key.iv) + "\n";
    case Protection::cbcs:
    case Protection::cenc: break;
  }
  return begin + clearkey_attributes(protection, folder, key) + "\n";
}

// The attribute's value, in any place of the line.
bool has_method(std::string_view line, std::string_view method) {
  const std::string wanted = "METHOD=" + std::string(method);
  for (std::size_t at = line.find(wanted); at != std::string_view::npos; at = line.find(wanted, at + 1)) {
    const std::size_t end = at + wanted.size();
    const bool begins = at > 0 && (line[at - 1] == ':' || line[at - 1] == ',');
    if (begins && (end == line.size() || line[end] == ',')) return true;
  }
  return false;
}

std::string fitting_lines(Packaging packaging, std::string_view lines) {
  const Protection protection = traits(packaging).protection;
  if (protection != Protection::cbcs && protection != Protection::cenc) return {};
  std::string text;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    if (has_method(line, method_of(protection))) text.append(line).append("\n");
  }
  return text;
}

}  // namespace

std::string key_tags(Packaging packaging, const ContentKey& key, std::string_view provider_tags) {
  std::string text = own_tags("EXT-X-KEY", packaging, "", key);
  if (packaging == Packaging::cenc) {
    text += "#EXT-X-KEY:" + method_and_uri(Protection::cenc, "key") + ",KEYFORMAT=\"identity\"\n";
  }
  return text + fitting_lines(packaging, provider_tags);
}

// Without the format "identity" for samples: a player could not tell of which track's the key is.
std::string session_key_tags(Packaging packaging, std::string_view track_id, const ContentKey& key,
                             std::string_view provider_tags) {
  return own_tags("EXT-X-SESSION-KEY", packaging, std::string(track_id) + "/", key) +
         fitting_lines(packaging, provider_tags);
}

}  // namespace reelway::origin::hls
