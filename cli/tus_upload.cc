// The client's side of tus 1.0 (docs/ingest.md). The origin knows how far an upload is; this side keeps nothing, so a
// command that died is taken up by the next one, on this machine or another that has the same file.

#include "cli/tus_upload.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>

#include "common/access/title_name.h"
#include "common/base/encoding.h"

namespace reelway::cli {
namespace {

constexpr const char* kVersion = "Tus-Resumable: 1.0.0";
constexpr std::string_view kFolder = "/v1/tus/";
// Each part is acknowledged by itself, and is small enough for proxies that bound a body.
constexpr std::uint64_t kPartBytes = 64u << 20;

std::string upload_path(const std::string& id) {
  return std::string(kFolder) + id;
}

Result<std::uint64_t> offset_of(const HttpClient::Headers& headers) {
  std::uint64_t offset = 0;
  const auto found = headers.find("upload-offset");
  const std::string text = found == headers.end() ? "" : found->second;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (failure == std::errc() && end == text.data() + text.size()) return offset;
  return Error{ErrorCode::upstream_failed, Side::upstream, false, "the origin named no Upload-Offset"};
}

// Whether going on from the offset that HEAD says may help.
bool may_go_on(const Error& error) {
  return error.retry || error.code == ErrorCode::upload_locked || error.code == ErrorCode::upload_offset_differs;
}

// One attempt: the offset, then parts until the end. `reached` is what the origin has acknowledged.
Result<void> send_once(const HttpClient& origin, const TusFile& film, const std::string& path, std::uint64_t& reached,
                       const TusEvents& events) {
  const auto head = origin.call("HEAD", path, {kVersion});
  if (!head) return head.error();
  auto offset = offset_of(*head);
  while (offset) {
    reached = std::max(reached, *offset);
    if (events.progress) events.progress(*offset);
    if (*offset >= film.size_bytes) return {};
    HttpClient::FilePart part{film.file, *offset, std::min(kPartBytes, film.size_bytes - *offset), {}};
    if (events.progress) part.progress = [&](std::uint64_t sent) { events.progress(part.offset + sent); };
    const auto sent = origin.call(
        "PATCH", path,
        {kVersion, fmt::format("Upload-Offset: {}", part.offset), "Content-Type: application/offset+octet-stream"},
        &part);
    if (!sent) return sent.error();
    offset = offset_of(*sent);
  }
  return offset.error();
}

}  // namespace

std::chrono::milliseconds retry_pause(const RetryPace& pace, int attempt) {
  std::chrono::milliseconds pause = pace.first;
  for (int i = 0; i < attempt && pause < pace.longest; ++i) pause *= 2;
  return std::min(pause, pace.longest);
}

std::string tus_metadata(const TusFile& film) {
  std::string text;
  const auto add = [&](std::string_view key, std::string_view value) {
    text.append(text.empty() ? "" : ",").append(key).append(" ").append(base64(as_bytes(value)));
  };
  add("filename", access::file_name(film.file));
  if (!film.title.empty()) add("title", film.title);
  add("new_version", film.new_version ? "true" : "false");
  add("fingerprint", film.fingerprint);
  return text;
}

std::optional<TusUpload> find_upload(const Json& uploads, const TusFile& film) {
  for (const Json& entry : list_at(uploads, "uploads")) {
    const bool same = text_at(entry, "fingerprint") == film.fingerprint &&
                      text_at(entry, "filename") == access::file_name(film.file) &&
                      text_at(entry, "title") == film.title && flag_at(entry, "new_version") == film.new_version &&
                      flag_at(entry, "resumable") && !flag_at(entry, "partial");
    if (!same) continue;
    return TusUpload{text_at(entry, "upload"), count_at(entry, "offset"), text_at(entry, "state") == "complete"};
  }
  return std::nullopt;
}

Result<TusUpload> open_upload(const HttpClient& origin, const TusFile& film) {
  const auto uploads = origin.get("/v1/uploads");
  if (!uploads) return uploads.error();
  if (auto found = find_upload(*uploads, film)) return std::move(*found);
  const auto created = origin.call(
      "POST", "/v1/tus",
      {kVersion, fmt::format("Upload-Length: {}", film.size_bytes), "Upload-Metadata: " + tus_metadata(film)});
  if (!created) return created.error();
  const auto location = created->find("location");
  if (location == created->end() || !location->second.starts_with(kFolder)) {
    return Error{ErrorCode::upstream_failed, Side::upstream, false, "the origin named no Location of the upload"};
  }
  return TusUpload{location->second.substr(kFolder.size()), 0, false};
}

Result<void> send_upload(const HttpClient& origin, const TusFile& film, TusUpload upload, const RetryPace& pace,
                         const Clock& clock, const TusEvents& events) {
  if (upload.complete) return {};
  std::uint64_t reached = upload.offset;
  auto last_progress = clock.monotonic();
  for (int attempt = 0;; ++attempt) {
    const std::uint64_t before = reached;
    const auto sent = send_once(origin, film, upload_path(upload.id), reached, events);
    if (sent.ok() || !may_go_on(sent.error())) return sent;
    if (reached > before) {
      attempt = 0;
      last_progress = clock.monotonic();
    }
    if (clock.monotonic() - last_progress > pace.give_up) return sent;
    if (events.broke_off) events.broke_off(sent.error());
    if (events.wait) events.wait(retry_pause(pace, attempt));
  }
}

}  // namespace reelway::cli
