#include "origin/catalog/delivered_file.h"

#include "origin/catalog/record_fields.h"

namespace reelway::origin {
namespace {

constexpr std::array<std::string_view, 4> kKinds{"audio", "music_and_effects", "subtitles", "artwork"};

// Names that our own code gave; whatever else stands there must not lead out of the folder.
bool is_plain(std::string_view name) {
  return !name.empty() && name.find('/') == std::string_view::npos && !name.starts_with('.');
}

}  // namespace

std::string_view name_of(DeliveredKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

nlohmann::json delivered_value(const std::vector<DeliveredFile>& files) {
  nlohmann::json list = nlohmann::json::array();
  for (const DeliveredFile& file : files) {
    list.push_back({{"kind", name_of(file.kind)},
                    {"name", file.name},
                    {"filename", file.filename},
                    {"language", file.language},
                    {"role", file.role},
                    {"layout", file.layout},
                    {"place", file.place},
                    {"bytes", file.bytes},
                    {"sha256", file.sha256},
                    {"upload", file.upload}});
  }
  return list;
}

Result<std::vector<DeliveredFile>> delivered_files(std::string_view key, const nlohmann::json* field) {
  std::vector<DeliveredFile> files;
  if (field == nullptr) return files;
  for (const nlohmann::json& entry : *field) {
    RecordFields fields(key, entry);
    DeliveredFile file;
    file.kind = fields.state<DeliveredKind>("kind", kKinds);
    file.name = fields.text("name");
    if (!is_plain(file.name)) fields.fail("name");
    file.filename = fields.text("filename");
    file.language = fields.text("language");
    file.role = fields.text("role");
    file.layout = fields.text("layout");
    file.place = fields.text("place");
    file.bytes = fields.number<std::uint64_t>("bytes");
    file.sha256 = fields.text("sha256");
    file.upload = fields.text("upload");
    Result<DeliveredFile> read = fields.finish(std::move(file));
    if (!read.ok()) return std::move(read).error();
    files.push_back(std::move(read).value());
  }
  return files;
}

}  // namespace reelway::origin
