#include "cli/bucket_url.h"

#include <gtest/gtest.h>

namespace reelway::cli {
namespace {

TEST(BucketUrl, NamesABucketAndAKeyOrAPrefix) {
  const auto url = parse_bucket_url("s3://films/2024/a b+%41.mp4");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->bucket, "films");
  EXPECT_EQ(url->prefix, "2024/a b+%41.mp4");
  EXPECT_FALSE(url->names_folder());
  for (const char* folder : {"s3://films", "s3://films/", "s3://films/2024/"}) {
    const auto parsed = parse_bucket_url(folder);
    ASSERT_TRUE(parsed.ok()) << folder;
    EXPECT_TRUE(parsed->names_folder()) << folder;
  }
  for (const char* wrong : {"", "films/a", "s3:/films", "s3://", "s3:///a", "https://films/a"}) {
    const auto parsed = parse_bucket_url(wrong);
    ASSERT_FALSE(parsed.ok()) << wrong;
    EXPECT_EQ(parsed.error().code, ErrorCode::usage);
  }
}

TEST(TitleOfKey, IsMadeOfTheNameOrOfAll) {
  EXPECT_EQ(title_of_key("2024/Sintel (2010).mov", false), "sintel-2010");
  EXPECT_EQ(title_of_key("2024/Sintel (2010).mov", true), "2024-sintel-2010");
  EXPECT_EQ(title_of_key("2024/", false), "");
}

}  // namespace
}  // namespace reelway::cli
