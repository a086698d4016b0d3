#include "edge/policy/slices.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

http::ResponseHead head_of(std::uint16_t status, std::uint64_t length, const Fields& fields) {
  http::ResponseHead head;
  head.status = status;
  head.content_length = length;
  for (const auto& [name, value] : fields) head.headers.add(name, value);
  return head;
}

constexpr Slicing kSlicing{1000, 300};

TEST(Slices, DivideAnObject) {
  EXPECT_EQ(kSlicing.number_at(0), 0u);
  EXPECT_EQ(kSlicing.number_at(299), 0u);
  EXPECT_EQ(kSlicing.number_at(300), 1u);
  EXPECT_EQ(kSlicing.number_at(999), 3u);
  EXPECT_EQ(kSlicing.range(0).first, 0u);
  EXPECT_EQ(kSlicing.range(0).count, 300u);
  EXPECT_EQ(kSlicing.range(3).first, 900u);
  EXPECT_EQ(kSlicing.range(3).count, 100u);
  const Slicing even{600, 300};
  EXPECT_EQ(even.range(1).count, 300u);
}

TEST(Slices, AreNoLargerThanMemoryAndStoreAllow) {
  constexpr std::uint64_t kMiB = 1 << 20;
  const SliceLimits usual = slice_limits(4 * kMiB, 256 * kMiB, 128 * kMiB);
  EXPECT_EQ(usual.slice_bytes, 4 * kMiB);
  EXPECT_EQ(usual.whole_bytes_max, 16 * kMiB);
  const SliceLimits little = slice_limits(4 * kMiB, 16 * kMiB, 8 * kMiB);
  EXPECT_EQ(little.slice_bytes, kMiB);
  EXPECT_EQ(little.whole_bytes_max, 4 * kMiB);
  const SliceLimits small_objects = slice_limits(4 * kMiB, 256 * kMiB, 5 * kMiB);
  EXPECT_EQ(small_objects.slice_bytes, 4 * kMiB);
  EXPECT_EQ(small_objects.whole_bytes_max, 5 * kMiB);
  EXPECT_EQ(slice_limits(0, 256 * kMiB, 128 * kMiB).slice_bytes, 0u);
}

TEST(Slices, NeedAValidatorThatTellsBytesApart) {
  const auto validator = [](const Fields& fields) { return slice_validator(head_of(200, 10, fields)); };
  EXPECT_EQ(validator({{"ETag", "\"a\""}}), "\"a\"");
  EXPECT_EQ(validator({{"ETag", "W/\"a\""}}), "");
  EXPECT_EQ(validator({{"ETag", "a"}}), "");
  EXPECT_EQ(validator({{"ETag", "\"" + std::string(300, 'a') + "\""}}), "");
  const std::string changed = "Sun, 06 Nov 1994 08:49:37 GMT";
  EXPECT_EQ(validator({{"Last-Modified", changed}, {"Date", "Sun, 06 Nov 1994 08:50:37 GMT"}}), changed);
  EXPECT_EQ(validator({{"Last-Modified", changed}, {"Date", "Sun, 06 Nov 1994 08:50:36 GMT"}}), "");
  EXPECT_EQ(validator({{"Last-Modified", changed}}), "");
  EXPECT_EQ(validator({{"Last-Modified", changed}, {"Date", "Mon, 07 Nov 1994 08:50:36 GMT"}, {"ETag", "W/\"a\""}}),
            "");
}

TEST(Slices, NeedAnOriginThatTakesRanges) {
  EXPECT_TRUE(is_sliceable(head_of(200, 10, {{"ETag", "\"a\""}, {"Accept-Ranges", "bytes"}})));
  EXPECT_FALSE(is_sliceable(head_of(200, 10, {{"ETag", "\"a\""}})));
  EXPECT_FALSE(is_sliceable(head_of(200, 10, {{"ETag", "\"a\""}, {"Accept-Ranges", "none"}})));
  EXPECT_FALSE(is_sliceable(head_of(200, 10, {{"Accept-Ranges", "bytes"}})));
  EXPECT_FALSE(is_sliceable(head_of(404, 10, {{"ETag", "\"a\""}, {"Accept-Ranges", "bytes"}})));
  http::ResponseHead chunked = head_of(200, 10, {{"ETag", "\"a\""}, {"Accept-Ranges", "bytes"}});
  chunked.chunked = true;
  EXPECT_FALSE(is_sliceable(chunked));
}

TEST(Slices, HaveKeysOfTheirOwn) {
  const std::string key = slice_key("s|h|/a", kSlicing, "\"v\"", 2);
  EXPECT_EQ(key, "s|h|/a\t/2/300/1000\n\"v\"");
  EXPECT_NE(key, slice_key("s|h|/a", kSlicing, "\"w\"", 2));
  EXPECT_NE(key, slice_key("s|h|/a", {1000, 200}, "\"v\"", 2));
  EXPECT_NE(key, slice_key("s|h|/a", {1001, 300}, "\"v\"", 2));
  EXPECT_EQ(slice_request_lines(kSlicing, "\"v\"", 3), "Range: bytes=900-999\r\nIf-Range: \"v\"\r\n");
}

TEST(Slices, AnAnswerIsJudgedBeforeItsBytesAreTaken) {
  const auto judge = [](std::uint16_t status, std::uint64_t length, const Fields& fields) {
    return judge_slice_answer(head_of(status, length, fields), kSlicing, "\"v\"", "", 1);
  };
  const Fields right = {{"ETag", "\"v\""}, {"Content-Range", "bytes 300-599/1000"}};
  EXPECT_EQ(judge(206, 300, right), SliceAnswer::slice);
  EXPECT_EQ(judge(206, 299, right), SliceAnswer::not_by_part);
  EXPECT_EQ(judge(206, 300, {{"ETag", "\"v\""}, {"Content-Range", "bytes 300-599/1001"}}), SliceAnswer::not_by_part);
  EXPECT_EQ(judge(206, 300, {{"ETag", "\"v\""}}), SliceAnswer::not_by_part);
  EXPECT_EQ(judge(206, 300, {{"ETag", "\"w\""}, {"Content-Range", "bytes 300-599/1000"}}), SliceAnswer::changed);
  EXPECT_EQ(judge(206, 300, {{"Content-Range", "bytes 300-599/1000"}}), SliceAnswer::changed);
  EXPECT_EQ(judge(206, 300, {{"ETag", "\"v\""}, {"Content-Range", "bytes 300-599/1000"}, {"Content-Encoding", "br"}}),
            SliceAnswer::changed);
  EXPECT_EQ(judge(200, 1000, {{"ETag", "\"w\""}}), SliceAnswer::changed);
  EXPECT_EQ(judge(200, 1000, {{"ETag", "\"v\""}}), SliceAnswer::not_by_part);
  EXPECT_EQ(judge(200, 999, {{"ETag", "\"v\""}}), SliceAnswer::changed);
  for (const int status : {304, 404, 410, 412, 416}) EXPECT_EQ(judge(status, 0, {}), SliceAnswer::changed) << status;
  for (const int status : {408, 429, 500, 503}) EXPECT_EQ(judge(status, 0, {}), SliceAnswer::failed) << status;
}

TEST(Slices, ADateIsAValidatorOnlyWhereThereIsNoTag) {
  const std::string date = "Sun, 06 Nov 1994 08:49:37 GMT";
  const auto judge = [&](Fields fields) {
    fields.push_back({"Content-Range", "bytes 300-599/1000"});
    return judge_slice_answer(head_of(206, 300, fields), kSlicing, date, "", 1);
  };
  EXPECT_EQ(judge({{"Last-Modified", date}}), SliceAnswer::slice);
  EXPECT_EQ(judge({{"Last-Modified", date}, {"ETag", "\"new\""}}), SliceAnswer::changed);
  EXPECT_EQ(judge({}), SliceAnswer::changed);
}

}  // namespace
}  // namespace reelway::edge
