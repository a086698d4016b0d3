#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "edge/net/upstream_call.h"

namespace reelway::edge {

// A call that remembers what it was told.
struct CallUnderTest final : UpstreamCall {
  explicit CallUnderTest(const std::string& path, const std::string& method = "GET")
      : text(method + " " + path + " HTTP/1.1\r\nHost: x\r\n\r\n") {}
  const std::string& request_text() const override { return text; }
  bool head(const http::ResponseHead& head) override {
    ++heads;
    status = head.status;
    return !refuse_head;
  }
  std::span<std::uint8_t> room() override { return std::span(piece).first(room_bytes); }
  bool advanced(std::size_t bytes) override {
    body.append(reinterpret_cast<const char*>(piece.data()), bytes);
    if (in_body) in_body();
    return !refuse_body;
  }
  void ended() override {
    done = true;
    if (told) told();
  }
  void failed(Error failure) override {
    done = true;
    error = std::move(failure);
    if (told) told();
  }
  ErrorCode code() const { return error ? error->code : ErrorCode::usage; }  // usage: none

  std::string text;
  std::array<std::uint8_t, 1000> piece{};
  std::size_t room_bytes = 1000;
  bool refuse_head = false;
  bool refuse_body = false;
  int heads = 0;
  std::uint16_t status = 0;
  std::string body;
  bool done = false;
  std::optional<Error> error;
  std::function<void()> in_body;
  std::function<void()> told;
};

}  // namespace reelway::edge
