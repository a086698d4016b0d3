#include "origin/objects/content_checksum.h"

#include <gtest/gtest.h>

#include <map>

#include "common/base/encoding.h"

namespace reelway::origin {
namespace {

std::string sum(ChecksumKind kind, std::string_view text) {
  ContentChecksum checksum(kind);
  checksum.add(as_bytes(text.substr(0, 4)));
  checksum.add({});
  checksum.add(as_bytes(text.substr(4)));
  return hex(checksum.finish());
}

TEST(ContentChecksum, KnownValues) {
  EXPECT_EQ(sum(ChecksumKind::crc32, "123456789"), "cbf43926");
  EXPECT_EQ(sum(ChecksumKind::crc32c, "123456789"), "e3069283");
  EXPECT_EQ(sum(ChecksumKind::md5, "123456789"), "25f9e794323b453885f5181f1b624d0b");
  EXPECT_EQ(sum(ChecksumKind::sha256, "123456789"), "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
}

class ExpectedChecksumTest : public ::testing::Test {
 protected:
  std::string kind(bool etag_is_md5 = true) {
    const auto found = expected_checksum(
        [this](std::string_view name) {
          const auto field = fields.find(name);
          return field == fields.end() ? std::string() : field->second;
        },
        etag_is_md5);
    return found ? std::string(name_of(found->kind)) : "none";
  }

  std::map<std::string, std::string, std::less<>> fields{{"etag", "\"25f9e794323b453885f5181f1b624d0b\""}};
};

TEST_F(ExpectedChecksumTest, TheBestIsTaken) {
  EXPECT_EQ(kind(), "md5");
  fields["x-amz-checksum-crc32"] = "y/Q5Jg==";
  EXPECT_EQ(kind(), "crc32");
  fields["x-amz-checksum-crc32c"] = "4waSgw==";
  EXPECT_EQ(kind(), "crc32c");
  fields["x-amz-checksum-sha256"] = "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=";
  EXPECT_EQ(kind(), "sha256");
}

TEST_F(ExpectedChecksumTest, SumsOfPartsSumsAreNotSumsOfTheContent) {
  fields["x-amz-checksum-sha256"] = "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=-2";
  EXPECT_EQ(kind(), "md5");
  fields["x-amz-checksum-crc32"] = "y/Q5Jg==";
  fields["x-amz-checksum-type"] = "COMPOSITE";
  fields["etag"] = "\"25f9e794323b453885f5181f1b624d0b-2\"";
  EXPECT_EQ(kind(), "none");
}

TEST_F(ExpectedChecksumTest, AnETagIsAnMd5OnlyWhereItIs) {
  EXPECT_EQ(kind(false), "none");
  fields["x-amz-server-side-encryption"] = "AES256";
  EXPECT_EQ(kind(), "md5");
  fields["x-amz-server-side-encryption"] = "aws:kms";
  EXPECT_EQ(kind(), "none");
  fields.erase("x-amz-server-side-encryption");
  fields["x-amz-server-side-encryption-customer-algorithm"] = "AES256";
  EXPECT_EQ(kind(), "none");
  fields = {{"etag", "W/\"25f9e794323b453885f5181f1b624d0b\""}};
  EXPECT_EQ(kind(), "none");
}

}  // namespace
}  // namespace reelway::origin
