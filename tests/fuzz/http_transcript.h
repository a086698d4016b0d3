#pragma once

#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/http/parser.h"

namespace reelway::fuzz {

// Small, so that short inputs reach every limit.
inline http::Limits small_limits() {
  return {.head_bytes_max = 512, .target_bytes_max = 64, .headers_max = 8, .body_bytes_max = 256};
}

// What a parser said, bodies joined, as one text that ends with "!" after an error.
struct Transcript {
  std::string text;
  bool failed = false;
};

inline void check_head(const http::RequestHead& head) {
  CHECK(!head.target.empty() && head.target.size() <= small_limits().target_bytes_max);
  CHECK(head.target.find_first_of(" \t\r\n") == std::string_view::npos);
  CHECK(head.headers.count("host") <= 1 && (head.minor_version == 0 || head.headers.count("host") == 1));
  CHECK(!head.chunked || !head.content_length);
}

inline void check_head(const http::ResponseHead& head) {
  CHECK(head.status >= 100 && head.status <= 599);
  CHECK(!head.chunked || !head.content_length);
}

template <class Head>
void append_head(std::string& text, const Head& head) {
  check_head(head);
  CHECK(head.headers.size() <= small_limits().headers_max);
  for (const http::Header& header : head.headers) {
    CHECK(!header.name.empty() && header.value.find_first_of("\r\n") == std::string_view::npos);
    CHECK(header.value.find('\0') == std::string_view::npos);
    text.append("[").append(header.name).append(":").append(header.value).append("]");
  }
  text.append(head.keep_alive ? "keep" : "close").append(head.chunked ? "chunked" : "");
}

// Feeds `input` in pieces of `piece` bytes, each as a copy of its exact size.
template <class Parser>
void feed_in_pieces(Parser& parser, ByteView input, std::size_t piece, Transcript& out) {
  while (!input.empty() && !out.failed) {
    const Bytes copy(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(std::min(piece, input.size())));
    input = input.subspan(copy.size());
    ByteView rest(copy);
    while (true) {
      auto step = parser.feed(rest);
      if (!step.ok()) {
        CHECK(!step.error().detail.empty() && !parser.feed(rest).ok());
        out.failed = true;
        break;
      }
      CHECK(step->consumed <= rest.size());
      rest = rest.subspan(step->consumed);
      if (step->event == http::ParseEvent::need_more) {
        CHECK(rest.empty());
        break;
      }
      if (step->event == http::ParseEvent::head) append_head(out.text, parser.head());
      if (step->event == http::ParseEvent::body) {
        CHECK(!step->body.empty());
        out.text += as_text(step->body);
      }
      if (step->event == http::ParseEvent::complete) {
        out.text += "|";
        parser.reset();
      }
    }
  }
}

}  // namespace reelway::fuzz
