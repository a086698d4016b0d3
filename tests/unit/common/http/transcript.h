#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/http/parser.h"

namespace reelway::http {

// What a parser said about a run of bytes, as text: heads, decoded bodies and ends in order, or the error. Pieces of a
// body are joined, because where they are cut depends on how the input came.
template <class Parser>
struct Transcript {
  std::string text;
  std::string error_code;
  std::string detail;
};

inline std::string describe_head(const RequestHead& head) {
  std::string text = "[" + std::string(head.method_text) + "|" + std::string(head.target) + "|1." +
                     std::to_string(head.minor_version) + (head.keep_alive ? "|keep" : "|close") +
                     (head.chunked ? "|chunked" : "") +
                     (head.content_length ? "|" + std::to_string(*head.content_length) : "");
  for (const Header& header : head.headers) {
    text.append("|").append(header.name).append("=").append(header.value);
  }
  return text + "]";
}

inline std::string describe_head(const ResponseHead& head) {
  std::string text = "[" + std::to_string(head.status) + "|1." + std::to_string(head.minor_version) +
                     (head.keep_alive ? "|keep" : "|close") + (head.chunked ? "|chunked" : "") +
                     (head.content_length ? "|" + std::to_string(*head.content_length) : "");
  for (const Header& header : head.headers) {
    text.append("|").append(header.name).append("=").append(header.value);
  }
  return text + "]";
}

// Feeds one arrived input until it is used up. False after an error.
template <class Parser>
bool feed_all(Parser& parser, std::string_view input, Transcript<Parser>& out) {
  ByteView rest = as_bytes(input);
  while (true) {
    auto step = parser.feed(rest);
    if (!step.ok()) {
      out.error_code = step.error().info().name;
      out.detail = step.error().detail;
      return false;
    }
    EXPECT_LE(step->consumed, rest.size());
    rest = rest.subspan(step->consumed);
    switch (step->event) {
      case ParseEvent::need_more: EXPECT_TRUE(rest.empty()); return true;
      case ParseEvent::head: out.text += describe_head(parser.head()); break;
      case ParseEvent::body: out.text += as_text(step->body); break;
      case ParseEvent::complete:
        out.text += ".";
        parser.reset();
        break;
    }
  }
}

template <class Parser>
Transcript<Parser> read_pieces(const std::vector<std::string_view>& pieces, const Limits& limits = {}) {
  Parser parser(limits);
  Transcript<Parser> out;
  for (std::string_view piece : pieces) {
    // A copy of the exact size, so that a sanitizer sees a view that outlives its input.
    const std::string owned(piece);
    if (!feed_all(parser, owned, out)) break;
  }
  return out;
}

inline Transcript<RequestParser> read_request(std::string_view text, const Limits& limits = {}) {
  return read_pieces<RequestParser>({text}, limits);
}

inline std::string with_host(std::string_view lines) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}

}  // namespace reelway::http
