#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "origin/catalog/catalog.h"
#include "origin/catalog/records.h"
#include "origin/ingest/tus_headers.h"

namespace reelway::origin {

struct UploadOptions {
  std::string data_dir;
  std::uint64_t upload_bytes_max = 512ull << 30;
  std::uint64_t free_bytes_min = 256ull << 20;  // what must stay free on the disk
  std::size_t writers_max = 16;                 // uploads received at once; more are refused with overloaded
  // Of uploads that no title has taken: their announced bytes and their number; beyond, upload_quota_reached.
  std::uint64_t untaken_bytes_max = 4ull << 40;
  std::size_t untaken_max = 1000;
  // How long after its last byte (or its announcement) an upload that is not whole is kept.
  std::chrono::milliseconds unfinished_keep = std::chrono::hours(72);
  // Of a resumable upload: after so many bytes its progress is made durable, in the midst of a body too.
  std::uint64_t sync_bytes = 16ull << 20;
};

struct UploadRequest {
  std::string filename;
  std::uint64_t size_bytes = 0;
  std::string title;
  bool new_version = false;
  // By tus.
  bool resumable = false;     // a title may then be absent: it is named when one is made of the upload
  bool partial = false;       // only to be concatenated
  std::string metadata{};     // as the client sent it
  std::string fingerprint{};  // of the client's file
};

// A PATCH, before its body.
struct ResumeRequest {
  std::string upload;
  std::uint64_t offset = 0;                 // where the client's bytes begin
  std::optional<std::uint64_t> body_bytes;  // unknown of a chunked body
  std::optional<ChunkChecksum> checksum;
};

struct ConcatRequest {
  std::vector<std::string> parts;  // in their order
  std::string parts_text;          // the Upload-Concat
  UploadNaming naming;
  std::string metadata;
};

// An upload as it stands.
struct UploadStatus {
  UploadRecord record;
  std::uint64_t offset = 0;        // bytes that will not be asked for again
  std::int64_t expires_at_ms = 0;  // 0: never, or no longer
};

class Uploads;

// The right to write one upload's bytes, in order, to <data_dir>/uploads/<id>.part, summing SHA-256 on the way.
// Destroyed without a successful finish() it removes what it wrote, and the upload may be written again.
// One thread at a time, any thread. Must not outlive its Uploads.
class UploadWriter {
 public:
  ~UploadWriter();
  UploadWriter(const UploadWriter&) = delete;
  UploadWriter& operator=(const UploadWriter&) = delete;

  // disk_full, io_failed, upload_too_large (more than announced). After an error only the destructor may follow.
  Result<void> append(ByteView bytes);
  // Syncs file and folder, then records sha256 and state complete. upload_incomplete when bytes are missing.
  Result<UploadRecord> finish();
  std::uint64_t bytes_written() const;

 private:
  friend class Uploads;
  struct State;
  explicit UploadWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The right to go on with one resumable upload. What comes is durable every sync_bytes and at the end of the body, also
// of one that breaks off: the destructor keeps it. A body with a checksum counts as a whole or not at all.
// One thread at a time, any thread. Must not outlive its Uploads.
class ResumableWriter {
 public:
  ~ResumableWriter();
  ResumableWriter(const ResumableWriter&) = delete;
  ResumableWriter& operator=(const ResumableWriter&) = delete;

  // disk_full, io_failed, upload_too_large. After an error only the destructor may follow; it keeps what came before.
  Result<void> append(ByteView bytes);
  // The body has ended. When the upload is whole its record is complete. upload_checksum_differs.
  Result<UploadStatus> finish();

 private:
  friend class Uploads;
  struct State;
  explicit ResumableWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Films on their way in. Blocking, thread-safe.
class Uploads {
 public:
  Uploads(ControlStore& store, Catalog& catalog, const Clock& clock, Random& random, UploadOptions options);
  ~Uploads();

  // At start, before anything else: makes the folder, removes what expired and files that no upload owns.
  Result<void> recover();
  // Now and then: removes uploads that nobody finished within unfinished_keep or made a title of within a week.
  Result<void> remove_expired();

  // Errors before any byte is sent: title_id_invalid, title_exists, title_not_found, upload_too_large, disk_full,
  // upload_quota_reached, http_bad_request (size 0).
  Result<UploadRecord> begin(const UploadRequest& request);
  Result<UploadRecord> get(std::string_view upload);     // upload_not_found
  Result<UploadStatus> status(std::string_view upload);  // upload_not_found
  Result<std::vector<UploadStatus>> list();              // those that no title has taken, by id
  // upload_not_found, upload_in_progress, overloaded. A complete upload that no title has taken may be written again.
  // Not for resumable ones.
  Result<std::unique_ptr<UploadWriter>> write(std::string_view upload);

  // Of resumable uploads. upload_not_found, upload_is_final, upload_offset_differs, upload_too_large, upload_locked,
  // overloaded, disk_full.
  Result<std::unique_ptr<ResumableWriter>> resume(const ResumeRequest& request);
  // Joins whole partial uploads to a new complete one, and removes them. It copies and sums every byte before it
  // returns; one at a time. Errors of begin(), and upload_incomplete, upload_locked, overloaded.
  Result<UploadRecord> concatenate(const ConcatRequest& request);
  // Forgets an upload that no title has taken. upload_not_found, upload_locked.
  Result<void> terminate(std::string_view upload);

  // The part file of an upload.
  std::string part_path(std::string_view upload) const;

  struct State;  // uploads_state.h

 private:
  std::shared_ptr<State> state_;
};

}  // namespace reelway::origin
