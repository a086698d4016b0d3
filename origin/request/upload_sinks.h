#pragma once

#include <memory>
#include <optional>
#include <string>

#include "origin/request/upload_receiver.h"

namespace reelway::origin {

// PUT: the whole of an upload that was announced with just this many bytes; a part is removed.
std::unique_ptr<UploadSink> whole_upload_sink(Uploads& uploads, std::string upload, std::uint64_t bytes);
// PATCH: goes on at the offset; what came of a body that broke off is kept.
std::unique_ptr<UploadSink> resumed_upload_sink(Uploads& uploads, ResumeRequest request);
// POST of tus: announces an upload, and takes its first bytes when `first` is there (with another upload and offset to
// be filled in).
std::unique_ptr<UploadSink> new_upload_sink(Uploads& uploads, UploadRequest request,
                                            std::optional<ResumeRequest> first);

}  // namespace reelway::origin
