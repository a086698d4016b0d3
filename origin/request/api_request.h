#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/http/message.h"
#include "origin/request/api_routes.h"
#include "origin/request/stepped_request.h"
#include "origin/request/tus_protocol.h"
#include "origin/request/upload_receiver.h"

namespace reelway::origin {

inline constexpr std::uint64_t kApiBodyBytesMax = 1024 * 1024;  // of JSON; films come by the upload route

// One request on the API port.
class ApiRequest final : public SteppedRequest<ApiRequest> {
 public:
  ApiRequest(const ApiServices& services, Responder& responder);

  static std::span<const Step<ApiRequest>> steps();

  void begin(const http::RequestHead& head) override;
  void body(ByteView part) override;
  void body_end() override;
  void body_cut(const Error& error) override;
  void abandoned() override;

  Verdict fail(const Error& error);

 private:
  Verdict authenticate();
  Verdict route();
  Verdict serve_metrics();
  Verdict read_tus();
  Verdict claim_upload();
  Verdict receive_body();
  Verdict finish_upload();
  Verdict free_upload();
  Verdict call_tus();
  Verdict parse_body();
  Verdict call();
  Verdict reply();

  void receive(std::unique_ptr<UploadSink> sink, std::string active);
  Verdict answer_upload(const UploadStatus& status);
  Verdict send(Response response);

  const ApiServices& services_;
  const http::RequestHead* head_ = nullptr;  // the connection's, until answered
  RouteMatch match_;
  std::string text_;  // of the body, for all routes but uploads
  bool body_ended_ = false;
  std::shared_ptr<UploadReceiver> upload_;
  std::optional<Result<UploadStatus>> uploaded_;
  std::optional<TusCall> tus_;
  std::optional<Result<std::optional<UploadStatus>>> tus_result_;
  ApiCall call_;
  std::optional<Result<Reply>> result_;
};

}  // namespace reelway::origin
