#include "origin/request/upload_sinks.h"

namespace reelway::origin {
namespace {

Error length_differs(ErrorCode code, std::uint64_t announced, std::uint64_t bytes) {
  Error error;
  error.code = code;
  error.side = Side::client;
  error.detail =
      "the upload was announced with " + std::to_string(announced) + " bytes, the body has " + std::to_string(bytes);
  return error;
}

class WholeUploadSink final : public UploadSink {
 public:
  WholeUploadSink(Uploads& uploads, std::string upload, std::uint64_t bytes)
      : uploads_(uploads), upload_(std::move(upload)), bytes_(bytes) {}

  Result<void> claim() override {
    const auto record = uploads_.get(upload_);
    if (!record) return record.error();
    if (bytes_ > record->size_bytes) {
      return length_differs(ErrorCode::upload_too_large, record->size_bytes, bytes_);
    }
    if (bytes_ < record->size_bytes) {
      return length_differs(ErrorCode::upload_incomplete, record->size_bytes, bytes_);
    }
    auto writer = uploads_.write(upload_);
    if (!writer) return std::move(writer).error();
    writer_ = std::move(writer).value();
    return {};
  }
  Result<void> append(ByteView bytes) override { return writer_->append(bytes); }
  Result<UploadStatus> finish() override {
    auto record = writer_->finish();
    if (!record) return std::move(record).error();
    UploadStatus status;
    status.offset = record->size_bytes;
    status.record = std::move(record).value();
    return status;
  }
  bool keeps_parts() const override { return false; }

 private:
  Uploads& uploads_;
  std::string upload_;
  std::uint64_t bytes_;
  std::unique_ptr<UploadWriter> writer_;
};

class ResumedUploadSink final : public UploadSink {
 public:
  ResumedUploadSink(Uploads& uploads, ResumeRequest request) : uploads_(uploads), request_(std::move(request)) {}

  Result<void> claim() override {
    auto writer = uploads_.resume(request_);
    if (!writer) return std::move(writer).error();
    writer_ = std::move(writer).value();
    return {};
  }
  Result<void> append(ByteView bytes) override { return writer_->append(bytes); }
  Result<UploadStatus> finish() override { return writer_->finish(); }
  bool keeps_parts() const override { return !request_.checksum; }

 private:
  Uploads& uploads_;
  ResumeRequest request_;
  std::unique_ptr<ResumableWriter> writer_;
};

class NewUploadSink final : public UploadSink {
 public:
  NewUploadSink(Uploads& uploads, UploadRequest request, std::optional<ResumeRequest> first)
      : uploads_(uploads), request_(std::move(request)), first_(std::move(first)) {}

  Result<void> claim() override {
    const auto record = uploads_.begin(request_);
    if (!record) return record.error();
    upload_ = record->upload;
    if (!first_) return {};
    first_->upload = upload_;
    auto writer = uploads_.resume(*first_);
    if (!writer) return std::move(writer).error();
    writer_ = std::move(writer).value();
    return {};
  }
  // Without a body's announcement a chunked one may still have bytes.
  Result<void> append(ByteView bytes) override {
    if (writer_) return writer_->append(bytes);
    return Error{ErrorCode::http_bad_request, Side::client, false, "bytes came with a request that announced none"};
  }
  Result<UploadStatus> finish() override { return writer_ ? writer_->finish() : uploads_.status(upload_); }
  bool keeps_parts() const override { return first_ && !first_->checksum; }

 private:
  Uploads& uploads_;
  UploadRequest request_;
  std::optional<ResumeRequest> first_;
  std::string upload_;
  std::unique_ptr<ResumableWriter> writer_;
};

}  // namespace

std::unique_ptr<UploadSink> whole_upload_sink(Uploads& uploads, std::string upload, std::uint64_t bytes) {
  return std::make_unique<WholeUploadSink>(uploads, std::move(upload), bytes);
}
std::unique_ptr<UploadSink> resumed_upload_sink(Uploads& uploads, ResumeRequest request) {
  return std::make_unique<ResumedUploadSink>(uploads, std::move(request));
}
std::unique_ptr<UploadSink> new_upload_sink(Uploads& uploads, UploadRequest request,
                                            std::optional<ResumeRequest> first) {
  return std::make_unique<NewUploadSink>(uploads, std::move(request), std::move(first));
}

}  // namespace reelway::origin
