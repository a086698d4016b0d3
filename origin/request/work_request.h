#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/http/message.h"
#include "origin/jobs/work_desk.h"
#include "origin/request/stepped_request.h"

namespace reelway::origin {

// What requests on the work port share. All of it outlives them.
struct WorkServices {
  EventLoop& loop;
  WorkDesk& desk;
  const std::string& credential;
};

// One request of a worker (docs/formats/work_port.md).
class WorkRequest final : public SteppedRequest<WorkRequest> {
 public:
  WorkRequest(const WorkServices& services, Responder& responder);

  static std::span<const Step<WorkRequest>> steps();

  void begin(const http::RequestHead& head) override;
  void body(ByteView part) override;
  void body_end() override;
  void body_cut(const Error& error) override;

  Verdict fail(const Error& error);

 private:
  // What is asked for, from method and path.
  enum class Action : std::uint8_t { none, claim, renew, complete, fail, release, source, write };

  Verdict authenticate();
  Verdict route();
  Verdict receive_body();
  Verdict call();
  Verdict reply();

  Result<nlohmann::json> run();  // on a worker
  Result<nlohmann::json> run_claim(const nlohmann::json& body);

  const WorkServices& services_;
  const http::RequestHead* head_ = nullptr;  // the connection's, until answered
  Action action_ = Action::none;
  ClaimId claim_;
  std::string file_;
  std::uint64_t offset_ = 0;
  std::string text_;  // the body
  bool body_ended_ = false;
  std::optional<WorkDesk::Source> source_;
  std::optional<Result<nlohmann::json>> result_;
};

}  // namespace reelway::origin
