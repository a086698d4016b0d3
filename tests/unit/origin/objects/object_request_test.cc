#include "origin/objects/object_request.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

ObjectStoreConfig store(bool path_style = true) {
  ObjectStoreConfig config;
  config.name = "archive";
  config.endpoint = "https://s3.example.net:9000";
  config.region = "us-east-1";
  config.path_style = path_style;
  config.credentials = {"AKID", "the-secret-itself", ""};
  return config;
}

std::string header(const HttpRequest& request, std::string_view name) {
  for (const auto& [each, value] : request.headers) {
    if (each == name) return value;
  }
  return "";
}

TEST(SignedRequest, BucketsStandInThePathOrBeforeTheHost) {
  ObjectRequest get;
  get.name = {"films", "a b//\u00e9+.mp4"};
  get.query = {{"x", "1 2"}};
  const HttpRequest path = signed_request(store(), get, 1'700'000'000);
  EXPECT_EQ(path.url, "https://s3.example.net:9000/films/a%20b//%C3%A9%2B.mp4?x=1%202");
  EXPECT_EQ(header(path, "Host"), "s3.example.net:9000");
  const HttpRequest host = signed_request(store(false), get, 1'700'000'000);
  EXPECT_EQ(host.url, "https://films.s3.example.net:9000/a%20b//%C3%A9%2B.mp4?x=1%202");
  EXPECT_EQ(header(host, "Host"), "films.s3.example.net:9000");
  get.name.key.clear();
  get.query.clear();
  EXPECT_EQ(signed_request(store(), get, 0).url, "https://s3.example.net:9000/films");
  EXPECT_EQ(signed_request(store(false), get, 0).url, "https://films.s3.example.net:9000/");
}

TEST(CheckObjectName, BucketsAndKeysThatAreNone) {
  for (const char* bucket : {"abc", "a.b-c9", "Older_Bucket"})
    EXPECT_TRUE(check_object_name(store(), {bucket, "k"}).ok()) << bucket;
  EXPECT_FALSE(check_object_name(store(false), {"Older_Bucket", "k"}).ok());
  for (const char* bucket : {"", "ab", "a/b", "..a", "a..b", "-ab", "a b", "a?b"}) {
    EXPECT_FALSE(check_object_name(store(), {bucket, "k"}).ok()) << bucket;
  }
  EXPECT_TRUE(check_object_name(store(), {"abc", std::string(1024, 'k')}).ok());
  for (const std::string& key : {std::string(1025, 'k'), std::string("a\0b", 3), std::string("\xff")}) {
    EXPECT_FALSE(check_object_name(store(), {"abc", key}).ok());
  }
}

class ObjectErrorTest : public ::testing::Test {
 protected:
  static Error error(long status, const std::string& xml, const std::string& key = "film.mp4",
                     std::map<std::string, std::string, std::less<>> headers = {}) {
    ObjectRequest get;
    get.name = {"films", key};
    return object_error(store(), get, {status, std::move(headers), xml}, 1'700'000'000);
  }
  static std::string code(long status, const std::string& server_code, const std::string& key = "film.mp4") {
    const std::string xml = server_code.empty() ? "" : "<Error><Code>" + server_code + "</Code></Error>";
    return std::string(error(status, xml, key).info().name);
  }
};

TEST_F(ObjectErrorTest, EachHasItsCode) {
  for (const char* denied : {"AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken"}) {
    EXPECT_EQ(code(403, denied), "object_store_denied");
  }
  EXPECT_EQ(code(403, "RequestTimeTooSkewed"), "object_store_clock_skew");
  EXPECT_EQ(code(403, ""), "object_store_denied");
  EXPECT_EQ(code(404, "NoSuchBucket"), "bucket_not_found");
  EXPECT_EQ(code(404, "NoSuchKey"), "object_not_found");
  EXPECT_EQ(code(404, ""), "object_not_found");
  EXPECT_EQ(code(404, "", ""), "bucket_not_found");
  EXPECT_EQ(code(412, "PreconditionFailed"), "object_changed");
  EXPECT_EQ(code(416, "InvalidRange"), "object_changed");
  EXPECT_EQ(code(503, "SlowDown"), "object_store_busy");
  EXPECT_EQ(code(301, "PermanentRedirect"), "object_store_redirected");
  EXPECT_EQ(code(307, ""), "object_store_redirected");
  EXPECT_EQ(code(400, "AuthorizationHeaderMalformed"), "object_store_redirected");
  EXPECT_EQ(code(500, "InternalError"), "object_store_failed");
  EXPECT_EQ(code(400, "SomethingNew"), "object_store_failed");
}

TEST_F(ObjectErrorTest, OnlyWhatMaySucceedIsTriedAgain) {
  EXPECT_TRUE(error(503, "").retry);
  EXPECT_TRUE(error(500, "").retry);
  EXPECT_TRUE(error(400, "<Error><Code>RequestTimeout</Code></Error>").retry);
  EXPECT_FALSE(error(403, "").retry);
  EXPECT_FALSE(error(404, "").retry);
  EXPECT_FALSE(error(501, "").retry);
}

TEST_F(ObjectErrorTest, TheDetailNamesAllButTheSecret) {
  const Error denied = error(
      403, "<Error><Code>SignatureDoesNotMatch</Code><Message>no match</Message><RequestId>R7</RequestId></Error>");
  EXPECT_EQ(
      denied.detail,
      "object store archive at https://s3.example.net:9000, s3://films/film.mp4, access key id AKID: the server said "
      "SignatureDoesNotMatch: no match (request id R7)");
  const Error skew =
      error(403, "<Error><Code>RequestTimeTooSkewed</Code><ServerTime>2026-01-01T00:00:00Z</ServerTime></Error>");
  EXPECT_NE(skew.detail.find("the origin's time is 20231114T221320Z, the server's 2026-01-01T00:00:00Z"),
            std::string::npos);
  const Error elsewhere = error(301, "", "film.mp4", {{"x-amz-bucket-region", "eu-west-1"}});
  EXPECT_NE(elsewhere.detail.find("its region is eu-west-1"), std::string::npos);
}

}  // namespace
}  // namespace reelway::origin
