#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/http/message.h"
#include "origin/ingest/upload.h"
#include "origin/net/exchange.h"

// tus 1.0.0 (https://tus.io/protocols/resumable-upload) as far as it is header fields: what a request asks, and how it
// is answered. Pure. docs/ingest.md says what is offered.

namespace reelway::origin {

inline constexpr std::string_view kTusFolder = "/v1/tus/";  // what precedes an upload's id in its path
inline constexpr std::string_view kTusVersion = "1.0.0";
inline constexpr std::string_view kTusExtensions =
    "creation,creation-with-upload,expiration,checksum,termination,concatenation";

struct TusCall {
  enum class Kind : std::uint8_t { options, offset, create, concatenate, append, terminate };
  Kind kind = Kind::options;
  std::string upload;                  // for offset, append and terminate
  UploadRequest creation;              // for create
  std::optional<ResumeRequest> bytes;  // for append; for create when it brings bytes
  ConcatRequest concatenation;         // for concatenate
};

// The method that a request means: that of X-HTTP-Method-Override, where a POST bears one.
http::Method tus_method(const http::RequestHead& head);

// `upload` is the id in the path, empty without one. tus_version, http_media_type, http_bad_request.
Result<TusCall> read_tus_call(const http::RequestHead& head, std::string_view upload);

Response tus_options(std::uint64_t upload_bytes_max);
// The answer to a call that succeeded; no status after a termination.
Response tus_answer(const TusCall& call, const std::optional<UploadStatus>& status);
// What every answer bears, that of an error too.
void add_tus_headers(Response& response);

}  // namespace reelway::origin
