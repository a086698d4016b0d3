#pragma once

#include <string>

#include "common/http/message.h"

namespace reelway::edge {

// A request's header fields, outliving the request.
class KeptHeaders {
 public:
  explicit KeptHeaders(const http::HeaderList& headers);
  KeptHeaders(const KeptHeaders&) = delete;
  KeptHeaders& operator=(const KeptHeaders&) = delete;
  const http::HeaderList& list() const { return list_; }

 private:
  std::string text_;
  http::HeaderList list_;  // views of text_
};

// All of its head.
class KeptHead {
 public:
  explicit KeptHead(const http::RequestHead& head);
  KeptHead(const KeptHead&) = delete;
  KeptHead& operator=(const KeptHead&) = delete;
  const http::RequestHead& head() const { return head_; }

 private:
  const std::string method_;
  const std::string target_;
  const KeptHeaders headers_;
  http::RequestHead head_;  // views of these
};

}  // namespace reelway::edge
