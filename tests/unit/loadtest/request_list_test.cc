#include "loadtest/request_list.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace reelway::loadtest {
namespace {

TEST(RequestList, BuildsWholeHeads) {
  const auto header = parse_header("Reelway-Edge:  edge-1 ");
  ASSERT_TRUE(header.ok());
  const auto list = build_requests({"http://127.0.0.1:1/a", "http://127.0.0.1:1/b"}, {*header});
  ASSERT_TRUE(list.ok());
  EXPECT_THAT(list->requests,
              testing::ElementsAre("GET /a HTTP/1.1\r\nHost: 127.0.0.1:1\r\nReelway-Edge: edge-1\r\n\r\n",
                                   "GET /b HTTP/1.1\r\nHost: 127.0.0.1:1\r\nReelway-Edge: edge-1\r\n\r\n"));
}

TEST(RequestList, RefusesNoUrlAndTwoServers) {
  EXPECT_EQ(build_requests({}, {}).error().code, ErrorCode::usage);
  EXPECT_EQ(build_requests({"http://127.0.0.1:1/", "http://127.0.0.1:2/"}, {}).error().code, ErrorCode::usage);
}

TEST(RequestList, RefusesHeadersThatAreNone) {
  for (const char* line : {"", "name", ": value", "na me: value", "name: va\x01lue", "name: a\nb"}) {
    EXPECT_FALSE(parse_header(line).ok()) << line;
  }
  EXPECT_EQ(parse_header("Name:")->value, "");
  EXPECT_EQ(parse_header("Name: a: b")->value, "a: b");
}

TEST(RequestList, AnErrorDoesNotQuoteAHeadersValue) {
  EXPECT_THAT(parse_header("secret\x01: hunter2").error().detail, testing::Not(testing::HasSubstr("hunter2")));
  EXPECT_THAT(parse_header("name: hunter2\x01").error().detail, testing::Not(testing::HasSubstr("hunter2")));
}

TEST(RequestList, ReadsLines) {
  const std::string path = testing::TempDir() + "request_list_test_" + std::to_string(::getpid());
  std::ofstream(path) << "# comment\nhttp://h/1\r\n\nhttp://h/2";
  const auto lines = read_lines(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(lines.ok());
  EXPECT_THAT(*lines, testing::ElementsAre("http://h/1", "http://h/2"));
  EXPECT_EQ(read_lines(path).error().code, ErrorCode::not_found_on_disk);
}

}  // namespace
}  // namespace reelway::loadtest
