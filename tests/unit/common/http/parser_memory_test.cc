#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>

#include "common/http/parser.h"

// Counts what the parser allocates, by replacing the allocation functions of this program. They are not inlined,
// because the compiler would then see a new that is paired with free().

namespace {
std::size_t allocations = 0;
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace reelway::http {
namespace {

TEST(RequestParserMemory, NoAllocationOnceWarm) {
  const std::string text =
      "GET /t/AbCdEf/film/v1/video-720/17.m4s HTTP/1.1\r\nHost: edge:8090\r\nUser-Agent: test\r\nAccept: */*\r\n"
      "Range: bytes=0-\r\nOrigin: http://player\r\n\r\n";
  RequestParser parser;
  const auto read_one = [&] {
    ASSERT_EQ(parser.feed(as_bytes(text))->event, ParseEvent::head);
    ASSERT_EQ(parser.feed({})->event, ParseEvent::complete);
    parser.reset();
  };
  read_one();
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) read_one();
  EXPECT_EQ(allocations, before);
}

TEST(ResponseParserMemory, NoAllocationOnceWarm) {
  const std::string text =
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"abc\"\r\nCache-Control: public\r\n\r\nhello";
  ResponseParser parser;
  const auto read_one = [&] {
    ByteView rest = as_bytes(text);
    for (const ParseEvent event : {ParseEvent::head, ParseEvent::body, ParseEvent::complete}) {
      auto step = parser.feed(rest);
      ASSERT_EQ(step->event, event);
      rest = rest.subspan(step->consumed);
    }
    parser.reset();
  };
  read_one();
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) read_one();
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace reelway::http
