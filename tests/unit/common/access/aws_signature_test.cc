#include "common/access/aws_signature.h"

#include <gtest/gtest.h>

#include "common/base/encoding.h"

namespace reelway::access {
namespace {

std::string field(const AwsFields& fields, std::string_view name) {
  for (const auto& [each, value] : fields) {
    if (each == name) return value;
  }
  return "";
}

std::string after(const std::string& text, std::string_view mark) {
  const auto at = text.rfind(mark);
  return at == std::string::npos ? "" : text.substr(at + mark.size());
}

// The worked examples of the Amazon S3 API reference, with the credentials that it publishes for them.
class S3Reference : public ::testing::Test {
 protected:
  static constexpr std::int64_t kTime = 1369353600;  // 2013-05-24
  const AwsCredentials credentials_{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
  const AwsScope scope_{"us-east-1", "s3"};

  static AwsRequest request(std::string method, std::string path) {
    AwsRequest out;
    out.method = std::move(method);
    out.host = "examplebucket.s3.amazonaws.com";
    out.path = std::move(path);
    out.payload_sha256 = kEmptyPayloadSha256;
    return out;
  }
  std::string signature(const AwsRequest& of) const {
    return after(field(aws_signed_headers(of, credentials_, scope_, kTime), "Authorization"), "Signature=");
  }
};

TEST_F(S3Reference, RangedGet) {
  AwsRequest get = request("GET", "/test.txt");
  get.headers = {{"Range", "bytes=0-9"}};
  EXPECT_EQ(field(aws_signed_headers(get, credentials_, scope_, kTime), "Authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_F(S3Reference, PutWithABodyAndACharacterToEncode) {
  AwsRequest put = request("PUT", "/test$file.text");
  put.headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
  put.payload_sha256 = sha256_hex(as_bytes("Welcome to Amazon S3."));
  EXPECT_EQ(signature(put), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST_F(S3Reference, SubresourceWithoutAValue) {
  AwsRequest get = request("GET", "/");
  get.query = {{"lifecycle", ""}};
  EXPECT_EQ(signature(get), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST_F(S3Reference, Listing) {
  AwsRequest get = request("GET", "/");
  get.query = {{"prefix", "J"}, {"max-keys", "2"}};
  EXPECT_EQ(signature(get), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST_F(S3Reference, Presigned) {
  EXPECT_EQ(aws_presigned_query(request("GET", "/test.txt"), credentials_, scope_, kTime, 86400),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

// Of AWS's published test suite for the signature: the cases that do not normalize a path.
class AwsSuite : public ::testing::Test {
 protected:
  const AwsCredentials credentials_{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
  const AwsScope scope_{"us-east-1", "service"};

  std::string signature(AwsRequest of) const {
    of.host = "example.amazonaws.com";
    of.payload_sha256 = kEmptyPayloadSha256;
    return after(field(aws_signed_headers(of, credentials_, scope_, 1440938160), "Authorization"), "Signature=");
  }
};

TEST_F(AwsSuite, Vanilla) {
  EXPECT_EQ(signature({}), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  AwsRequest post;
  post.method = "POST";
  EXPECT_EQ(signature(post), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

TEST_F(AwsSuite, QueryIsSorted) {
  AwsRequest get;
  get.query = {{"Param2", "value2"}, {"Param1", "value1"}};
  EXPECT_EQ(signature(get), "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

TEST_F(AwsSuite, UnreservedCharactersStay) {
  AwsRequest get;
  get.path = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  EXPECT_EQ(signature(get), "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f");
}

TEST_F(AwsSuite, Utf8InThePath) {
  AwsRequest get;
  get.path = "/\u1234";
  EXPECT_EQ(signature(get), "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");
}

// Made with the signer of the AWS SDK for JavaScript (@smithy/signature-v4): a key with everything that is awkward in
// it.
class AgainstTheSdk : public ::testing::Test {
 protected:
  const AwsCredentials credentials_{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                    "a/token+with=="};
  const AwsScope scope_{"eu-west-1", "s3"};
  static constexpr std::int64_t kTime = 1770091506;

  static AwsRequest request() {
    AwsRequest out;
    out.host = "127.0.0.1:9000";
    out.path = "/films/\u00dcn\u00efcode +plus//two  spaces/..(1)*'!.mp4";
    out.payload_sha256 = kUnsignedPayload;
    return out;
  }
};

TEST_F(AgainstTheSdk, SessionTokenManyFieldsOfOneNameAndEmptyValues) {
  AwsRequest get = request();
  get.query = {{"prefix", ""}, {"list-type", "2"}, {"many", "b"}, {"many", "a"}, {"a b+c", "d/e=f&g"}, {"many", ""}};
  get.headers = {{"Range", "bytes=0-9"}};
  const AwsFields added = aws_signed_headers(get, credentials_, scope_, kTime);
  EXPECT_EQ(field(added, "x-amz-security-token"), "a/token+with==");
  EXPECT_EQ(field(added, "x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  EXPECT_EQ(after(field(added, "Authorization"), "SignedHeaders="),
            "host;range;x-amz-content-sha256;x-amz-date;x-amz-security-token, "
            "Signature=4638083fad1dd753a0358dab225c4d7645c2b53cd76c9f40590637a1a7933240");
}

TEST_F(AgainstTheSdk, PresignedWithASessionTokenAndAQueryOfItsOwn) {
  AwsRequest get = request();
  get.query = {{"response-content-type", "video/mp4"}, {"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}};
  const std::string query = aws_presigned_query(get, credentials_, scope_, kTime, 3600);
  EXPECT_EQ(after(query, "Signature="), "74bf7c03fbba85af6279f2a4151aee3c5585a8ce90c4bc104688b87670cdc0e6");
  EXPECT_NE(query.find("&response-content-type=video%2Fmp4&"), std::string::npos);
  EXPECT_NE(query.find("&X-Amz-Security-Token=a%2Ftoken%2Bwith%3D%3D&"), std::string::npos);
}

TEST(AwsEncoding, PathsAreEncodedOnceAndNeverNormalized) {
  EXPECT_EQ(aws_encoded_path("/a//b/../c d+e%20/"), "/a//b/../c%20d%2Be%2520/");
  EXPECT_EQ(aws_encoded_path(""), "/");
  EXPECT_EQ(aws_encoded_path("a"), "/a");
}

TEST(AwsEncoding, QueriesAreSortedAsEncoded) {
  // '%' of an encoded byte sorts before letters, though the byte itself would come after them.
  EXPECT_EQ(aws_encoded_query({{"b", ""}, {"a", "z"}, {"a", "\u00e9"}, {"a", ""}}), "a=&a=%C3%A9&a=z&b=");
  EXPECT_EQ(aws_encoded_query({}), "");
}

TEST(AwsCanonicalRequest, FieldsAreTrimmedAndThoseOfOneNameJoined) {
  AwsRequest get;
  get.host = "h";
  get.headers = {{"X-B", "  two   \t words "}, {"x-a", "2"}, {"X-A", "1"}};
  get.payload_sha256 = "sum";
  const auto canonical = aws_canonical_request(get);
  EXPECT_EQ(canonical.text, "GET\n/\n\nhost:h\nx-a:2,1\nx-b:two words\n\nhost;x-a;x-b\nsum");
  EXPECT_EQ(canonical.signed_headers, "host;x-a;x-b");
}

TEST(AwsTime, IsTheBasicFormOfIso8601) {
  EXPECT_EQ(aws_time(0), "19700101T000000Z");
  EXPECT_EQ(aws_time(951827696), "20000229T123456Z");
}

TEST(AwsSignature, TheSecretIsNowhereInWhatIsSent) {
  const AwsCredentials credentials{"ID", "the-secret-itself", ""};
  AwsRequest get;
  get.payload_sha256 = kEmptyPayloadSha256;
  std::string all = aws_presigned_query(get, credentials, {"r", "s3"}, 1, 60);
  for (const auto& [name, value] : aws_signed_headers(get, credentials, {"r", "s3"}, 1)) all += name + value;
  EXPECT_EQ(all.find("the-secret-itself"), std::string::npos);
}

}  // namespace
}  // namespace reelway::access
