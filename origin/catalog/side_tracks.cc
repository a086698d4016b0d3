#include "origin/catalog/side_tracks.h"

#include "origin/catalog/record_fields.h"

namespace reelway::origin {
namespace {

using Json = nlohmann::json;

Json file_value(const KeptFile& file) {
  return {{"file", file.file}, {"bytes", file.bytes}, {"sha256", file.sha256}};
}

// Names that our own code gave; whatever else stands there must not lead out of the folder.
bool is_plain(std::string_view name) {
  return !name.empty() && name.find('/') == std::string_view::npos && !name.starts_with('.');
}

KeptFile file_of(std::string_view key, RecordFields& fields, const char* name) {
  const Json* field = fields.find(name);
  if (field == nullptr) return fields.fail(name), KeptFile{};
  RecordFields inner(key, *field);
  const KeptFile file{inner.text("file"), inner.number<std::uint64_t>("bytes"), inner.text("sha256")};
  if (!inner.finish(file).ok() || !is_plain(file.file)) fields.fail(name);
  return file;
}

// The objects of an array that may be absent, each read by `parse`.
template <class Record, class Parse>
Result<std::vector<Record>> records_of(std::string_view key, const Json* field, std::size_t count_max, Parse parse) {
  std::vector<Record> records;
  if (field == nullptr) return records;
  RecordFields whole(key, Json::object());
  if (!field->is_array() || field->size() > count_max) whole.fail("a list of tracks");
  for (const Json& entry : *field) {
    RecordFields fields(key, entry);
    Result<Record> read = fields.finish(parse(fields));
    if (!read.ok()) return std::move(read).error();
    records.push_back(std::move(read).value());
  }
  return whole.finish(std::move(records));
}

}  // namespace

Json texts_value(const std::vector<TextTrackRecord>& texts) {
  Json list = Json::array();
  for (const TextTrackRecord& text : texts) {
    list.push_back({{"id", text.id},
                    {"name", text.name},
                    {"language", text.language},
                    {"forced", text.forced},
                    {"for_deaf", text.for_deaf},
                    {"cues", file_value(text.cues)}});
    if (text.ttml) list.back()["ttml"] = file_value(*text.ttml);
  }
  return list;
}

Json images_value(const std::vector<ImageTrackRecord>& images) {
  Json list = Json::array();
  for (const ImageTrackRecord& image : images) {
    list.push_back({{"id", image.id},
                    {"index", file_value(image.index)},
                    {"sheets", file_value(image.sheets)},
                    {"bif", file_value(image.bif)}});
  }
  return list;
}

Result<std::vector<TextTrackRecord>> text_tracks(std::string_view key, const Json* field) {
  return records_of<TextTrackRecord>(key, field, kTextTracksMax, [key](RecordFields& fields) {
    TextTrackRecord text{fields.text("id"),     fields.text("name"),     fields.text("language"),
                         fields.flag("forced"), fields.flag("for_deaf"), file_of(key, fields, "cues")};
    if (fields.find("ttml") != nullptr) text.ttml = file_of(key, fields, "ttml");
    return text;
  });
}

Result<std::vector<ImageTrackRecord>> image_tracks(std::string_view key, const Json* field) {
  return records_of<ImageTrackRecord>(key, field, kImageTracksMax, [key](RecordFields& fields) {
    return ImageTrackRecord{fields.text("id"), file_of(key, fields, "index"), file_of(key, fields, "sheets"),
                            file_of(key, fields, "bif")};
  });
}

}  // namespace reelway::origin
