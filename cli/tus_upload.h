#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "cli/http_client.h"
#include "common/base/clock.h"

namespace reelway::cli {

// The film to be uploaded, and what the origin is told of it before its first byte.
struct TusFile {
  std::string file;
  std::uint64_t size_bytes = 0;
  std::string fingerprint;  // file_fingerprint()
  std::string title;        // empty: of a delivery, whose manifest names it
  bool new_version = false;
};

// An upload at the origin.
struct TusUpload {
  std::string id;
  std::uint64_t offset = 0;  // what the origin has already
  bool complete = false;
};

// How often and how long a transfer that broke off is taken up again.
struct RetryPace {
  std::chrono::milliseconds first{500};  // before the first attempt; then twice as long each time
  std::chrono::milliseconds longest{15'000};
  std::chrono::minutes give_up{15};  // without one byte of progress
};

// The pause before an attempt, the first of which is 0.
std::chrono::milliseconds retry_pause(const RetryPace& pace, int attempt);

// Value of Upload-Metadata.
std::string tus_metadata(const TusFile& film);

// Among the origin's uploads (the answer to GET /v1/uploads) one of this very file for the same title, which an earlier
// command did not bring to its end.
std::optional<TusUpload> find_upload(const Json& uploads, const TusFile& film);

// What a transfer tells while it runs; each may be empty.
struct TusEvents {
  std::function<void(std::uint64_t done_bytes)> progress;  // of the whole file
  std::function<void(const Error&)> broke_off;             // it is taken up again
  std::function<void(std::chrono::milliseconds)> wait;     // between attempts
};

// Takes up an upload of this film that was begun before, or begins one.
Result<TusUpload> open_upload(const HttpClient& origin, const TusFile& film);

// Sends what is missing, in parts, and goes on after each break from the offset that the origin says. Blocking.
Result<void> send_upload(const HttpClient& origin, const TusFile& film, TusUpload upload, const RetryPace& pace,
                         const Clock& clock, const TusEvents& events);

}  // namespace reelway::cli
