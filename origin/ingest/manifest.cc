#include "origin/ingest/manifest.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>

#include "common/access/play_path.h"
#include "common/base/encoding.h"
#include "common/config/document.h"
#include "origin/mp4/language.h"

namespace reelway::origin {
namespace {

using config::Node;

constexpr std::string_view kFormat = "1";
constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kTagBytesMax = 35;  // RFC 5646, section 4.4.1
constexpr std::size_t kSumDigits = 64;
constexpr std::array<std::string_view, 3> kAudioRoles{"main", "commentary", "description"};
constexpr std::array<std::string_view, 3> kSubtitleRoles{"full", "forced", "sdh"};
constexpr std::array<std::string_view, 4> kArtworkRoles{"poster", "backdrop", "logo", "still"};
constexpr std::array<std::string_view, 4> kLayouts{"mono", "stereo", "5.1", "7.1"};

using Words = std::span<const std::string_view>;

std::string listed(Words words) {
  std::string text;
  for (const std::string_view word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

bool is_one_of(std::string_view word, Words words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class ManifestReader {
 public:
  explicit ManifestReader(std::string_view file_name) : file_name_(file_name) {}

  Result<Manifest> read(const Node& root) {
    constexpr std::array<std::string_view, 10> kKeys{"format",  "title", "name",    "language",          "new_version",
                                                     "picture", "audio", "artwork", "music_and_effects", "subtitles"};
    Manifest out;
    REELWAY_TRY(check_keys(root, kKeys));
    REELWAY_TRY(read_head(root, out));
    const Node* picture = root.find("picture");
    if (picture == nullptr) return fault(root.line, "picture: is missing; it names the film's own file");
    constexpr std::array<std::string_view, 2> kPicture{"file", "sha256"};
    REELWAY_TRY(read_file(*picture, kPicture, out.picture));
    REELWAY_TRY(each(root, "audio", out.audio, &ManifestReader::read_audio));
    REELWAY_TRY(each(root, "music_and_effects", out.music_and_effects, &ManifestReader::read_stem));
    REELWAY_TRY(each(root, "subtitles", out.subtitles, &ManifestReader::read_subtitles));
    REELWAY_TRY(each(root, "artwork", out.artwork, &ManifestReader::read_artwork));
    REELWAY_TRY(check_whole(out));
    return out;
  }

 private:
  Error fault(int line, std::string_view what) const {
    return {ErrorCode::manifest_invalid, Side::client, false,
            file_name_ + ":" + std::to_string(line) + ": " + std::string(what)};
  }

  Result<void> check_keys(const Node& node, Words known) const {
    if (node.kind != Node::Kind::map) return fault(node.line, "expected keys with values: " + listed(known));
    for (const Node::Entry& entry : node.entries) {
      if (is_one_of(entry.key, known)) continue;
      return fault(entry.line, "unknown key " + entry.key.substr(0, 64) + "; there are " + listed(known));
    }
    return {};
  }

  Result<void> read_audio(const Node& node, ManifestFile& file) const {
    constexpr std::array<std::string_view, 5> kKeys{"file", "sha256", "language", "role", "layout"};
    REELWAY_TRY(read_file(node, kKeys, file));
    REELWAY_TRY(read_language(node, true, file.language));
    REELWAY_TRY(read_word(node, "role", kAudioRoles, "main", file.role));
    return read_word(node, "layout", kLayouts, "", file.layout);
  }

  Result<void> read_stem(const Node& node, ManifestFile& file) const {
    constexpr std::array<std::string_view, 3> kKeys{"file", "sha256", "layout"};
    REELWAY_TRY(read_file(node, kKeys, file));
    return read_word(node, "layout", kLayouts, "", file.layout);
  }

  Result<void> read_subtitles(const Node& node, ManifestFile& file) const {
    constexpr std::array<std::string_view, 4> kKeys{"file", "sha256", "language", "role"};
    REELWAY_TRY(read_file(node, kKeys, file));
    REELWAY_TRY(read_language(node, true, file.language));
    return read_word(node, "role", kSubtitleRoles, "full", file.role);
  }

  Result<void> read_artwork(const Node& node, ManifestFile& file) const {
    constexpr std::array<std::string_view, 4> kKeys{"file", "sha256", "language", "role"};
    REELWAY_TRY(read_file(node, kKeys, file));
    REELWAY_TRY(read_language(node, false, file.language));
    return read_word(node, "role", kArtworkRoles, "poster", file.role);
  }

  // Empty and no error without the key.
  Result<void> read_text(const Node& node, std::string_view key, std::string& out) const {
    const Node* value = node.find(key);
    if (value == nullptr) return {};
    if (value->kind != Node::Kind::scalar || value->text.empty()) {
      return fault(value->line, std::string(key) + ": expected a text");
    }
    if (value->text.size() > kNameBytesMax || !is_utf8(value->text) ||
        std::any_of(value->text.begin(), value->text.end(),
                    [](char c) { return static_cast<unsigned char>(c) < ' '; })) {
      return fault(value->line, std::string(key) + ": expected at most 255 bytes of UTF-8 on one line");
    }
    out = value->text;
    return {};
  }

  Result<void> read_head(const Node& root, Manifest& out) const {
    std::string format, new_version = "false";
    REELWAY_TRY(read_text(root, "format", format));
    if (format != kFormat)
      return fault(line_of(root, "format"), "format: expected 1, the form that docs/ingest.md has");
    REELWAY_TRY(read_text(root, "title", out.title));
    if (!access::is_title_id(out.title)) {
      return fault(line_of(root, "title"), "title: expected a title id: 1 to 63 of a-z, 0-9 and '-'");
    }
    REELWAY_TRY(read_text(root, "name", out.name));
    REELWAY_TRY(read_language(root, false, out.language));
    REELWAY_TRY(read_text(root, "new_version", new_version));
    if (new_version != "true" && new_version != "false") {
      return fault(line_of(root, "new_version"), "new_version: expected true or false");
    }
    out.new_version = new_version == "true";
    return {};
  }

  static int line_of(const Node& node, std::string_view key) {
    const Node* value = node.find(key);
    return value == nullptr ? node.line : value->line;
  }

  Result<void> read_file(const Node& node, Words keys, ManifestFile& out) const {
    REELWAY_TRY(check_keys(node, keys));
    out.line = line_of(node, "file");
    REELWAY_TRY(read_text(node, "file", out.file));
    const bool is_plain = !out.file.empty() && out.file.find('/') == std::string::npos && !out.file.starts_with('.');
    if (!is_plain) return fault(out.line, "file: expected the name of a file of the delivery, without folders");
    REELWAY_TRY(read_text(node, "sha256", out.sha256));
    std::transform(out.sha256.begin(), out.sha256.end(), out.sha256.begin(),
                   [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (!out.sha256.empty() && (out.sha256.size() != kSumDigits || !from_hex(out.sha256))) {
      return fault(line_of(node, "sha256"), "sha256: expected 64 hexadecimal digits");
    }
    return {};
  }

  Result<void> read_language(const Node& node, bool required, std::string& out) const {
    REELWAY_TRY(read_text(node, "language", out));
    if (out.empty() && !required) return {};
    if (!primary_language(out).empty()) return {};
    return fault(line_of(node, "language"),
                 "language: expected a BCP 47 tag such as en, pt-BR or es-419" + (out.empty() ? "" : ", found " + out));
  }

  Result<void> read_word(const Node& node, std::string_view key, Words words, std::string_view otherwise,
                         std::string& out) const {
    out = otherwise;
    REELWAY_TRY(read_text(node, key, out));
    if (out == otherwise || is_one_of(out, words)) return {};
    return fault(line_of(node, key), std::string(key) + ": expected " + listed(words) + ", found " + out);
  }

  Result<void> each(const Node& root, std::string_view key, std::vector<ManifestFile>& out,
                    Result<void> (ManifestReader::*read_one)(const Node&, ManifestFile&) const) const {
    const Node* list = root.find(key);
    if (list == nullptr) return {};
    if (list->kind != Node::Kind::list)
      return fault(list->line, std::string(key) + ": expected a list, each item a file");
    for (const Node& item : list->items) {
      REELWAY_TRY((this->*read_one)(item, out.emplace_back()));
    }
    return {};
  }

  Result<void> check_whole(const Manifest& manifest) const {
    const auto files = manifest.files();
    if (files.size() > kManifestFilesMax) {
      return fault(1,
                   "it names " + std::to_string(files.size()) + " files, at most " + std::to_string(kManifestFilesMax));
    }
    std::set<std::string> names;
    for (const ManifestFile* file : files) {
      if (!names.insert(file->file).second) return fault(file->line, file->file + " is named twice");
    }
    for (const auto* list : {&manifest.audio, &manifest.subtitles}) {
      std::set<std::string> tracks;
      for (const ManifestFile& file : *list) {
        if (tracks.insert(file.language + " " + file.role).second) continue;
        return fault(file.line, "there is another file with language " + file.language + " and role " + file.role);
      }
    }
    const bool no_main =
        !manifest.audio.empty() && std::none_of(manifest.audio.begin(), manifest.audio.end(),
                                                [](const ManifestFile& file) { return file.role == "main"; });
    if (no_main) return fault(manifest.audio.front().line, "audio: at least one file must have the role main");
    return {};
  }

  const std::string file_name_;
};

}  // namespace

std::vector<const ManifestFile*> Manifest::files() const {
  std::vector<const ManifestFile*> all{&picture};
  for (const auto* list : {&audio, &music_and_effects, &subtitles, &artwork}) {
    for (const ManifestFile& file : *list) all.push_back(&file);
  }
  return all;
}

std::string primary_language(std::string_view tag) {
  const std::string_view first = tag.substr(0, tag.find('-'));
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_plain = [&](char c) {
    return is_letter(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  const bool fits = (first.size() == 2 || first.size() == 3) && std::all_of(first.begin(), first.end(), is_letter) &&
                    tag.size() <= kTagBytesMax && std::all_of(tag.begin(), tag.end(), is_plain) &&
                    !tag.ends_with('-') && tag.find("--") == std::string_view::npos;
  if (!fits || mp4::language_tag(mp4::packed_language(first)) != first) return {};
  return std::string(first);
}

Result<Manifest> parse_manifest(std::string_view yaml, std::string_view file_name) {
  const Result<Node> root = config::parse_document(yaml, file_name, ErrorCode::manifest_invalid);
  if (!root.ok()) return root.error();
  return ManifestReader(file_name).read(*root);
}

}  // namespace reelway::origin
