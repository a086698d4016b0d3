// pugixml expands no entity but XML's own five and reads no external ones, so a hostile answer costs its own length.
// It forgives much that is not well-formed XML; what matters is asked for by name here and checked.

#include "origin/objects/object_answers.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <pugixml.hpp>
#include <sstream>

#include "common/base/encoding.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kObjectsMax = 1000;
constexpr std::size_t kKeyBytesMax = 1024;
constexpr std::size_t kTextMax = 8192;  // tokens and ids
constexpr std::size_t kMessageMax = 300;
// A key may be a single blank, so text of nothing but blanks counts where it is all that an element has.
constexpr unsigned kParse = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_ws_pcdata_single;

Error malformed(std::string detail) {
  return {ErrorCode::object_store_answer_malformed, Side::upstream, false, std::move(detail)};
}

// The root of a document, or nothing when it is not well formed or has another name.
std::optional<pugi::xml_node> root_of(pugi::xml_document& document, std::string_view xml, const char* name) {
  if (!document.load_buffer(xml.data(), xml.size(), kParse, pugi::encoding_utf8)) return std::nullopt;
  const pugi::xml_node root = document.document_element();
  if (name != std::string_view(root.name())) return std::nullopt;
  return root;
}

// The one child of this name: nothing when there is none, or more than one.
std::optional<pugi::xml_node> only_child(pugi::xml_node parent, const char* name) {
  const pugi::xml_node child = parent.child(name);
  if (!child || child.next_sibling(name)) return std::nullopt;
  return child;
}

std::optional<std::uint64_t> number(const char* text) {
  std::uint64_t value = 0;
  const char* end = text + std::strlen(text);
  const auto [at, failure] = std::from_chars(text, end, value);
  if (failure != std::errc() || at != end || at == text) return std::nullopt;
  return value;
}

// With encoding-type=url a blank is a '+', as in a form (RFC 1866, section 8.2.1), and a '+' is "%2B".
std::optional<std::string> decoded(std::string text, bool is_encoded) {
  if (!is_encoded) return text;
  std::replace(text.begin(), text.end(), '+', ' ');
  return percent_decoded(text);
}

Result<ListedObject> listed(pugi::xml_node contents, bool is_encoded) {
  const auto key = only_child(contents, "Key");
  const auto size = only_child(contents, "Size");
  if (!key || !size) return malformed("an object of a listing has no Key or no Size");
  ListedObject object;
  const auto name = decoded(key->text().get(), is_encoded);
  if (!name || name->empty() || name->size() > kKeyBytesMax || name->find('\0') != std::string::npos ||
      !is_utf8(*name)) {
    return malformed("a listing has a Key that is none: it is empty, too long or wrongly encoded");
  }
  object.key = *name;
  const auto bytes = number(size->text().get());
  if (!bytes) return malformed("a listing has a Size that is no number");
  object.size_bytes = *bytes;
  object.etag = contents.child("ETag").text().get();
  object.last_modified = contents.child("LastModified").text().get();
  if (!is_plain(object.etag) || !is_plain(object.last_modified)) {
    return malformed("a listing has an ETag or a LastModified that is none");
  }
  return object;
}

// For a person: without control bytes, and cut at a length.
std::string printable_text(const char* text) {
  std::string out;
  for (; *text != '\0' && out.size() < kMessageMax; ++text) {
    const auto byte = static_cast<unsigned char>(*text);
    out.push_back(byte < 0x20 || byte == 0x7f ? ' ' : *text);
  }
  return out;
}

}  // namespace

bool is_plain(std::string_view text) {
  return text.size() <= kTextMax && std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

Result<ListPage> parse_list_page(std::string_view xml) {
  pugi::xml_document document;
  const auto root = root_of(document, xml, "ListBucketResult");
  if (!root) return malformed("the answer to a listing is no ListBucketResult");
  const std::string_view encoding = root->child("EncodingType").text().get();
  if (!encoding.empty() && encoding != "url") return malformed("the listing's EncodingType is not url");

  ListPage page;
  for (const pugi::xml_node contents : root->children("Contents")) {
    if (page.objects.size() == kObjectsMax) return malformed("a page of a listing has more than 1000 objects");
    Result<ListedObject> object = listed(contents, encoding == "url");
    if (!object.ok()) return std::move(object).error();
    page.objects.push_back(std::move(object).value());
  }
  const auto truncated = only_child(*root, "IsTruncated");
  const std::string_view more = truncated ? truncated->text().get() : "";
  if (more != "true" && more != "false") return malformed("the listing does not say whether there is more");
  if (more == "false") return page;
  page.next_token = root->child("NextContinuationToken").text().get();
  if (page.next_token.empty() || !is_plain(page.next_token)) {
    return malformed("the listing goes on, but says not where");
  }
  return page;
}

Result<std::string> parse_upload_id(std::string_view xml) {
  pugi::xml_document document;
  const auto root = root_of(document, xml, "InitiateMultipartUploadResult");
  const std::string id = root ? root->child("UploadId").text().get() : "";
  if (id.empty() || !is_plain(id)) return malformed("the answer to a new multipart upload names no UploadId");
  return id;
}

ObjectStoreFault parse_fault(std::string_view xml) {
  pugi::xml_document document;
  const auto root = root_of(document, xml, "Error");
  if (!root) return {};
  const auto text = [&](const char* name) { return printable_text(root->child(name).text().get()); };
  return {text("Code"), text("Message"), text("Region"), text("Endpoint"), text("ServerTime"), text("RequestId")};
}

bool is_fault(std::string_view xml) {
  pugi::xml_document document;
  return root_of(document, xml, "Error").has_value();
}

std::string complete_upload_body(const std::vector<UploadedPart>& parts) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("CompleteMultipartUpload");
  root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    pugi::xml_node part = root.append_child("Part");
    part.append_child("PartNumber").text() = static_cast<unsigned>(i + 1);
    part.append_child("ETag").text() = parts[i].etag.c_str();
    if (!parts[i].checksum_sha256.empty())
      part.append_child("ChecksumSHA256").text() = parts[i].checksum_sha256.c_str();
  }
  std::ostringstream out;
  document.save(out, "", pugi::format_raw);
  return out.str();
}

}  // namespace reelway::origin
