#include "edge/request/kept_head.h"

namespace reelway::edge {

KeptHeaders::KeptHeaders(const http::HeaderList& headers) {
  std::size_t bytes = 0;
  for (const http::Header& header : headers) bytes += header.name.size() + header.value.size();
  text_.reserve(bytes);  // so that it does not move
  const auto keep = [this](std::string_view part) {
    const std::size_t from = text_.size();
    text_.append(part);
    return std::string_view(text_).substr(from);
  };
  for (const http::Header& header : headers) {
    const std::string_view name = keep(header.name);
    list_.add(name, keep(header.value));
  }
}

KeptHead::KeptHead(const http::RequestHead& head)
    : method_(head.method_text), target_(head.target), headers_(head.headers), head_(head) {
  head_.method_text = method_;
  head_.target = target_;
  head_.headers = headers_.list();
}

}  // namespace reelway::edge
