// pugixml expands no entity but XML's own five and reads no external ones, so a hostile answer costs its own length. It
// knows no namespaces: elements are found by their names after the colon, wherever their prefix points.

#include "origin/protection/cpix.h"

#include <algorithm>
#include <pugixml.hpp>
#include <sstream>

#include "common/base/encoding.h"
#include "origin/mp4/box.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kElementsMax = 256;  // of one list
constexpr std::uint64_t kSdPixels = 1024ULL * 576, kHdPixels = 1920ULL * 1080;

Error malformed(const std::string& what) {
  return {ErrorCode::cpix_malformed, Side::upstream, false, what};
}

std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node child(const pugi::xml_node& parent, std::string_view name) {
  for (const pugi::xml_node node : parent.children()) {
    if (local_name(node) == name) return node;
  }
  return {};
}

std::optional<Bytes> base64_text(const pugi::xml_node& node) {
  std::string text = node.text().get();
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; });
  return from_base64(text);
}

template <std::size_t kBytes>
bool copy_exact(const std::optional<Bytes>& from, std::array<std::uint8_t, kBytes>& to) {
  if (!from || from->size() != kBytes) return false;
  std::copy(from->begin(), from->end(), to.begin());
  return true;
}

// The label whose key has this id.
ProvidedKey* key_of(VersionKeys& keys, const pugi::xml_node& node) {
  const auto id = parse_uuid(node.attribute("kid").value());
  for (auto& [label, key] : keys) {
    if (id && key.id == *id) return &key;
  }
  return nullptr;
}

Result<void> read_key(const pugi::xml_node& node, ProvidedKey& key) {
  const pugi::xml_node secret = child(child(node, "Data"), "Secret");
  if (child(secret, "EncryptedValue")) {
    return Error{ErrorCode::key_provider_refused, Side::upstream, false,
                 "it encrypts the keys in its documents; they must come in the clear, over TLS"};
  }
  if (!copy_exact(base64_text(child(secret, "PlainValue")), key.key)) {
    return malformed("key " + uuid_text(key.id) + " has no PlainValue of 16 bytes");
  }
  const pugi::xml_attribute iv = node.attribute("explicitIV");
  if (!iv) return {};
  key.iv.emplace();
  if (!copy_exact(from_base64(iv.value()), *key.iv)) return malformed("an explicitIV has not 16 bytes");
  return {};
}

// Whole pssh boxes, one after another, and nothing else: they go into init segments as they are.
bool is_pssh(ByteView bytes) {
  const auto walked = mp4::for_each_child(bytes, mp4::four_cc("moov"), [](const mp4::Box& box) -> Result<void> {
    // A size of 0 ("to the end") would not hold where the box is copied to.
    const bool stated = ByteReader(box.whole).u32() == box.whole.size();
    if (box.type == mp4::four_cc("pssh") && stated) return {};
    return mp4::malformed(box.type, "no pssh");
  });
  return walked.ok() && !bytes.empty();
}

// The lines of a tag, as they may stand in a playlist.
Result<std::string> signalling(const pugi::xml_node& node, std::string_view tag) {
  const auto bytes = base64_text(node);
  if (!bytes) return malformed("an HLSSignalingData that is no base64");
  std::istringstream lines{std::string(as_text(*bytes))};
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    const bool plain = std::all_of(line.begin(), line.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
    if (!line.starts_with(tag) || !plain || !is_utf8(line)) {
      return malformed("an HLSSignalingData with another line than " + std::string(tag));
    }
    text += line + "\n";
  }
  return text;
}

Result<void> read_system(const pugi::xml_node& node, ProvidedKey& key) {
  if (const pugi::xml_node pssh = child(node, "PSSH"); pssh && !pssh.text().empty()) {
    const auto bytes = base64_text(pssh);
    if (!bytes || !is_pssh(*bytes)) return malformed("a PSSH that is no pssh box");
    key.pssh.insert(key.pssh.end(), bytes->begin(), bytes->end());
  }
  for (const pugi::xml_node data : node.children()) {
    if (local_name(data) != "HLSSignalingData" || data.text().empty()) continue;
    const bool master = std::string_view(data.attribute("playlist").value()) == "master";
    auto text = signalling(data, master ? "#EXT-X-SESSION-KEY:" : "#EXT-X-KEY:");
    if (!text) return std::move(text).error();
    (master ? key.session_tags : key.media_tags) += *text;
  }
  if (key.pssh.size() > kPsshBytesMax) return malformed("over 64 KiB of pssh boxes for one key");
  if (std::max(key.session_tags.size(), key.media_tags.size()) > kSignallingBytesMax) {
    return malformed("over 64 KiB of HLS signalling for one key");
  }
  return {};
}

void write_rule(std::string& xml, KeyLabel label, const KeyId& id) {
  static constexpr std::array<std::string_view, 4> kTypes = {"AUDIO", "SD", "HD", "UHD"};
  const auto pixels = [](std::string_view name, std::uint64_t value) {
    return " " + std::string(name) + "=\"" + std::to_string(value) + "\"";
  };
  std::string filter;
  switch (label) {
    case KeyLabel::audio: filter = "<cpix:AudioFilter/>"; break;
    case KeyLabel::sd: filter = "<cpix:VideoFilter" + pixels("maxPixels", kSdPixels) + "/>"; break;
    case KeyLabel::hd:
      filter = "<cpix:VideoFilter" + pixels("minPixels", kSdPixels + 1) + pixels("maxPixels", kHdPixels) + "/>";
      break;
    case KeyLabel::uhd: filter = "<cpix:VideoFilter" + pixels("minPixels", kHdPixels + 1) + "/>"; break;
  }
  xml += "<cpix:ContentKeyUsageRule kid=\"" + uuid_text(id) + "\" intendedTrackType=\"";
  xml.append(kTypes[static_cast<std::size_t>(label)]).append("\">").append(filter);
  xml += "</cpix:ContentKeyUsageRule>";
}

}  // namespace

std::string uuid_text(const KeyId& id) {
  std::string text = hex(id);
  for (const std::size_t place : {8u, 13u, 18u, 23u}) text.insert(place, "-");
  return text;
}

std::optional<KeyId> parse_uuid(std::string_view text) {
  constexpr std::size_t kCharacters = 36;
  if (text.size() != kCharacters) return std::nullopt;
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-')) return std::nullopt;
    if (!dash) digits += text[i] >= 'A' && text[i] <= 'F' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
  }
  KeyId id{};
  if (!copy_exact(from_hex(digits), id)) return std::nullopt;
  return id;
}

std::string cpix_document(const CpixRequest& request) {
  std::string xml =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<cpix:CPIX contentId=\"" +
      request.content_id +
      "\" version=\"2.3\" xmlns:cpix=\"urn:dashif:org:cpix\" xmlns:pskc=\"urn:ietf:params:xml:ns:keyprov:pskc\">"
      "<cpix:ContentKeyList>";
  for (const auto& [label, id] : request.ids) {
    xml += "<cpix:ContentKey kid=\"" + uuid_text(id) + "\" commonEncryptionScheme=\"cbcs\"/>";
  }
  xml += "</cpix:ContentKeyList><cpix:DRMSystemList>";
  for (const std::string& system : request.systems) {
    for (const auto& [label, id] : request.ids) {
      xml += "<cpix:DRMSystem kid=\"" + uuid_text(id) + "\" systemId=\"" + system +
             "\"><cpix:PSSH/><cpix:HLSSignalingData playlist=\"media\"/><cpix:HLSSignalingData playlist=\"master\"/>"
             "</cpix:DRMSystem>";
    }
  }
  xml += "</cpix:DRMSystemList><cpix:ContentKeyUsageRuleList>";
  for (const auto& [label, id] : request.ids) write_rule(xml, label, id);
  return xml + "</cpix:ContentKeyUsageRuleList></cpix:CPIX>\n";
}

Result<VersionKeys> parse_cpix(std::string_view xml, const CpixRequest& request) {
  if (xml.size() > kCpixBytesMax) return malformed("it has over 1 MiB");
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size(), pugi::parse_cdata | pugi::parse_escapes, pugi::encoding_utf8)) {
    return malformed("it is no XML");
  }
  const pugi::xml_node root = document.document_element();
  if (local_name(root) != "CPIX") return malformed("its root is no CPIX");
  VersionKeys keys;
  for (const auto& [label, id] : request.ids) keys[label].id = id;
  std::size_t read = 0, elements = 0;
  std::vector<const ProvidedKey*> seen;
  for (const pugi::xml_node node : child(root, "ContentKeyList").children()) {
    if (local_name(node) != "ContentKey") continue;
    if (++elements > kElementsMax) return malformed("it has over 256 keys");
    ProvidedKey* key = key_of(keys, node);
    if (key == nullptr) continue;  // of other contents
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) return malformed("it has one key twice");
    seen.push_back(key);
    REELWAY_TRY(read_key(node, *key));
    ++read;
  }
  if (read != keys.size()) return malformed("it lacks the key of an id that was asked for");
  elements = 0;
  for (const pugi::xml_node node : child(root, "DRMSystemList").children()) {
    if (local_name(node) != "DRMSystem") continue;
    if (++elements > kElementsMax) return malformed("it has over 256 DRMSystem elements");
    if (ProvidedKey* key = key_of(keys, node)) REELWAY_TRY(read_system(node, *key));
  }
  return keys;
}

}  // namespace reelway::origin
