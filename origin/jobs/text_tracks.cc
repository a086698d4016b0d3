#include "origin/jobs/text_tracks.h"

#include <algorithm>
#include <map>

#include "origin/catalog/published_version.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/file_bytes.h"
#include "origin/ingest/manifest.h"
#include "origin/ingest/sha256.h"
#include "origin/text/language_name.h"
#include "origin/text/read_text.h"

namespace reelway::origin {
namespace {

constexpr std::string_view kForced = "forced", kForDeaf = "sdh";

struct Delivered {
  const DeliveredFile* file;
  DeliveredText text;
};

std::string name_of_track(const DeliveredFile& file) {
  const std::string name = text::language_name(file.language);
  if (file.role == kForDeaf) return name + " (SDH)";
  return file.role == kForced ? name + " (forced)" : name;
}

bool shows_at(const text::TextSheet& sheet, const text::Cue& cue) {
  for (std::size_t i = 0; i < sheet.size(); ++i) {
    const text::Cue other = sheet.cue(i);
    if (other.from_ms >= cue.to_ms) return false;
    if (other.to_ms > cue.from_ms) return true;
  }
  return false;
}

Result<void> complete_full(std::vector<Delivered>& all) {
  for (Delivered& full : all) {
    if (full.file->role == kForced) continue;
    for (const Delivered& forced : all) {
      if (forced.file->role != kForced || forced.file->language != full.file->language) continue;
      REELWAY_TRY(add_forced(full.text.cues, forced.text.cues));
    }
  }
  return {};
}

Result<KeptFile> keep(const text::TextSheet& sheet, const std::string& folder, const std::string& name) {
  const Bytes bytes = sheet.serialize();
  const std::string path = folder + "/" + name;
  REELWAY_TRY(write_durably(path, bytes.data(), bytes.size()));
  // As it will be read.
  const Result<Bytes> written = read_whole_file(path, bytes.size());
  if (!written.ok()) return written.error();
  if (*written != bytes || !text::TextSheet::parse(*written).ok()) {
    return Error{ErrorCode::verification_failed, Side::disk, false, name + " cannot be read back"};
  }
  Sha256 sum;
  sum.add(*written);
  return KeptFile{name, bytes.size(), sum.finish()};
}

Result<DeliveredText> read_any(std::string_view file) {
  if (text::format_of(file) == text::FileFormat::ttml) {
    Result<text::TtmlSheets> sheets = text::read_ttml_sheets(file);
    if (!sheets.ok()) return std::move(sheets).error();
    return DeliveredText{std::move(sheets->webvtt), std::move(sheets->ttml)};
  }
  Result<text::TextSheet> cues = text::read_text(file);
  if (!cues.ok()) return std::move(cues).error();
  return DeliveredText{std::move(cues).value(), std::nullopt};
}

}  // namespace

Result<std::string> delivered_text(const VersionRecord& version, const Catalog& catalog, const DeliveredFile& file) {
  std::string text;
  REELWAY_TRY(read_pieces(catalog.delivered_path(version.title, version.version, file.name), 0,
                          [&](ByteView piece) -> Result<void> {
                            // One piece more than may be: the reader says then that it is too long.
                            if (text.size() <= text::kTextBytesMax) text.append(as_text(piece));
                            return {};
                          }));
  return text;
}

Result<DeliveredText> read_delivered_text(const VersionRecord& version, const Catalog& catalog,
                                          const DeliveredFile& file) {
  const Result<std::string> text = delivered_text(version, catalog, file);
  if (!text.ok()) return text.error();
  Result<DeliveredText> read = read_any(*text);
  if (read.ok()) return read;
  Error error = std::move(read).error();
  error.detail = file.place + ": " + file.filename + ": " + error.detail;
  return error;
}

Result<void> add_forced(text::TextSheet& full, const text::TextSheet& forced) {
  text::TextSheet whole = full;
  bool has_more = false;
  for (std::size_t i = 0; i < forced.size(); ++i) {
    const text::Cue cue = forced.cue(i);
    if (shows_at(full, cue)) continue;
    has_more = true;
    REELWAY_TRY(whole.add(cue));
  }
  if (!has_more) return {};
  const bool has_head = forced.head().empty() || full.head().find(forced.head()) != std::string::npos;
  if (!has_head) REELWAY_TRY(whole.set_head(full.head() + (full.head().empty() ? "" : "\n") + forced.head()));
  whole.sort();
  full = std::move(whole);
  return {};
}

Result<std::vector<TextTrackRecord>> make_text_tracks(const VersionRecord& version, const Catalog& catalog,
                                                      const std::string& folder) {
  std::vector<Delivered> all;
  for (const DeliveredFile& file : version.files) {
    if (file.kind != DeliveredKind::subtitles) continue;
    Result<DeliveredText> text = read_delivered_text(version, catalog, file);
    if (!text.ok()) return std::move(text).error();
    all.push_back({&file, std::move(text).value()});
  }
  REELWAY_TRY(complete_full(all));
  std::vector<TextTrackRecord> records;
  std::map<std::string, int> of_language;
  for (const Delivered& one : all) {
    const std::string language = primary_language(one.file->language);
    const int number = ++of_language[language];
    const std::string name = language + (number == 1 ? "" : "-" + std::to_string(number));
    Result<KeptFile> cues = keep(one.text.cues, folder, "subtitles-" + name + ".text");
    if (!cues.ok()) return std::move(cues).error();
    records.push_back({"subtitles/" + name, name_of_track(*one.file), one.file->language, one.file->role == kForced,
                       one.file->role == kForDeaf, std::move(cues).value()});
    if (!one.text.ttml) continue;
    Result<KeptFile> ttml = keep(*one.text.ttml, folder, "subtitles-" + name + ".ttml");
    if (!ttml.ok()) return std::move(ttml).error();
    records.back().ttml = std::move(ttml).value();
  }
  return records;
}

}  // namespace reelway::origin
