#include "origin/ingest/tus_headers.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "common/base/encoding.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kNamingBytesMax = 255;  // of each value that we use
constexpr std::size_t kUploadIdDigits = 32;

struct AlgorithmName {
  std::string_view name;
  ChecksumAlgorithm algorithm;
  std::size_t bytes;
};
constexpr std::array<AlgorithmName, 3> kAlgorithms = {{{"sha1", ChecksumAlgorithm::sha1, 20},
                                                       {"sha256", ChecksumAlgorithm::sha256, 32},
                                                       {"crc32", ChecksumAlgorithm::crc32, 4}}};

Error wrong(std::string_view field, std::string_view what) {
  return {ErrorCode::http_bad_request, Side::client, false, std::string(field).append(": ").append(what)};
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// Takes what stands before the next `separator`, or the rest.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view part = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return part;
}

bool is_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f && c != ','; });
}

Result<MetadataEntry> parse_entry(std::string_view text) {
  constexpr std::string_view kField = "Upload-Metadata";
  std::string_view rest = text;
  const std::string_view key = take_until(rest, ' ');
  if (!is_key(key)) return wrong(kField, "a key is empty or not of printable ASCII");
  const auto value = from_base64(trimmed(rest));
  if (!value) return wrong(kField, "the value of " + std::string(key) + " is no Base64");
  return MetadataEntry{std::string(key), std::string(as_text(*value))};
}

// A value that goes into a record: text without control characters, of a bounded length.
Result<std::string> naming_value(const MetadataEntry& entry) {
  const bool control = std::any_of(entry.value.begin(), entry.value.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (!control && entry.value.size() <= kNamingBytesMax) return entry.value;
  return wrong("Upload-Metadata",
               entry.key + " has a control character or more than " + std::to_string(kNamingBytesMax) + " bytes");
}

Result<std::string> part_id(std::string_view url, std::string_view folder) {
  std::string_view path = url;
  if (const std::size_t scheme = path.find("://"); scheme != std::string_view::npos) {
    path.remove_prefix(scheme + 3);
    path.remove_prefix(std::min(path.find('/'), path.size()));
  }
  const std::string_view id = path.starts_with(folder) ? path.substr(folder.size()) : std::string_view{};
  const bool digits =
      std::all_of(id.begin(), id.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (id.size() == kUploadIdDigits && digits) return std::string(id);
  return wrong("Upload-Concat", "expected URLs of uploads, separated by one blank");
}

}  // namespace

Result<std::uint64_t> parse_upload_number(std::string_view field, std::string_view value) {
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool whole = failure == std::errc() && end == value.data() + value.size();
  if (whole && number <= static_cast<std::uint64_t>(INT64_MAX)) return number;
  return wrong(field, "expected a number of bytes in decimal digits");
}

Result<std::vector<MetadataEntry>> parse_upload_metadata(std::string_view value) {
  constexpr std::string_view kField = "Upload-Metadata";
  if (value.size() > kUploadMetadataBytesMax) {
    return wrong(kField, "more than " + std::to_string(kUploadMetadataBytesMax) + " bytes");
  }
  std::vector<MetadataEntry> entries;
  for (std::string_view rest = trimmed(value); !rest.empty();) {
    auto entry = parse_entry(trimmed(take_until(rest, ',')));
    if (!entry) return std::move(entry).error();
    for (const MetadataEntry& other : entries) {
      if (other.key == entry->key) return wrong(kField, "the key " + entry->key + " comes twice");
    }
    if (entries.size() == kUploadMetadataKeysMax) {
      return wrong(kField, "more than " + std::to_string(kUploadMetadataKeysMax) + " keys");
    }
    entries.push_back(std::move(entry).value());
  }
  return entries;
}

Result<UploadNaming> naming_of(const std::vector<MetadataEntry>& metadata) {
  UploadNaming naming;
  for (const MetadataEntry& entry : metadata) {
    if (entry.key == "new_version") {
      if (entry.value != "true" && entry.value != "false") {
        return wrong("Upload-Metadata", "new_version is neither true nor false");
      }
      naming.new_version = entry.value == "true";
      continue;
    }
    std::string* target = nullptr;
    if (entry.key == "filename") target = &naming.filename;
    if (entry.key == "name" && naming.filename.empty()) target = &naming.filename;
    if (entry.key == "title") target = &naming.title;
    if (entry.key == "fingerprint") target = &naming.fingerprint;
    if (target == nullptr) continue;
    auto text = naming_value(entry);
    if (!text) return std::move(text).error();
    *target = std::move(text).value();
  }
  return naming;
}

Result<ChunkChecksum> parse_upload_checksum(std::string_view value) {
  constexpr std::string_view kField = "Upload-Checksum";
  std::string_view rest = value;
  const std::string_view name = take_until(rest, ' ');
  for (const AlgorithmName& known : kAlgorithms) {
    if (known.name != name) continue;
    auto sum = from_base64(trimmed(rest));
    if (sum && sum->size() == known.bytes) return ChunkChecksum{known.algorithm, std::move(*sum)};
    return wrong(kField, "expected " + std::to_string(known.bytes) + " bytes in Base64 after " + std::string(name));
  }
  return wrong(kField, std::string("expected one of ").append(kChecksumAlgorithms));
}

Result<UploadConcat> parse_upload_concat(std::string_view value, std::string_view folder) {
  constexpr std::string_view kFinal = "final;";
  UploadConcat concat;
  if (value == "partial") return concat;
  if (!value.starts_with(kFinal)) return wrong("Upload-Concat", "expected partial, or final; and URLs");
  concat.final = true;
  std::string_view rest = trimmed(value.substr(kFinal.size()));
  do {
    auto id = part_id(take_until(rest, ' '), folder);
    if (!id) return std::move(id).error();
    if (std::find(concat.parts.begin(), concat.parts.end(), *id) != concat.parts.end()) {
      return wrong("Upload-Concat", "a part is named twice");
    }
    if (concat.parts.size() == kUploadPartsMax) {
      return wrong("Upload-Concat", "more than " + std::to_string(kUploadPartsMax) + " parts");
    }
    concat.parts.push_back(std::move(id).value());
  } while (!rest.empty());
  return concat;
}

}  // namespace reelway::origin
