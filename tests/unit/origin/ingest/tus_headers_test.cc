#include "origin/ingest/tus_headers.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

ErrorCode code(const auto& result) {
  return result.ok() ? ErrorCode::internal : result.error().code;
}

TEST(TusHeaders, Numbers) {
  EXPECT_EQ(parse_upload_number("Upload-Offset", "0").value(), 0u);
  EXPECT_EQ(parse_upload_number("Upload-Length", "9223372036854775807").value(), 9223372036854775807u);
  for (const char* wrong : {"", "-1", "+1", "1 ", " 1", "0x10", "1.5", "9223372036854775808", "99999999999999999999"}) {
    const auto refused = parse_upload_number("Upload-Length", wrong);
    ASSERT_FALSE(refused.ok()) << wrong;
    EXPECT_TRUE(refused.error().detail.starts_with("Upload-Length")) << wrong;
  }
}

TEST(TusHeaders, Metadata) {
  const auto entries = parse_upload_metadata("filename ZmlsbS5tcDQ=,is_confidential, title\tx,empty ,");
  EXPECT_EQ(code(entries), ErrorCode::http_bad_request);
  const auto good = parse_upload_metadata("filename ZmlsbS5tcDQ=,is_confidential, new_version dHJ1ZQ==,empty ");
  ASSERT_TRUE(good.ok()) << describe(good.error());
  ASSERT_EQ(good->size(), 4u);
  EXPECT_EQ((*good)[0].key, "filename");
  EXPECT_EQ((*good)[0].value, "film.mp4");
  EXPECT_EQ((*good)[1].key, "is_confidential");
  EXPECT_EQ((*good)[1].value, "");
  EXPECT_EQ((*good)[3].value, "");
  EXPECT_TRUE(parse_upload_metadata("")->empty());
}

TEST(TusHeaders, MetadataThatIsNone) {
  for (const char* wrong : {"a b", "a YQ", "a YQ==,a YQ==", ",", "a YQ==,,b YQ==", "\xc3\xa4 YQ==", " ,"}) {
    EXPECT_EQ(code(parse_upload_metadata(wrong)), ErrorCode::http_bad_request) << wrong;
  }
  std::string many;
  for (std::size_t i = 0; i <= kUploadMetadataKeysMax; ++i) many += (i ? ",k" : "k") + std::to_string(i);
  EXPECT_EQ(code(parse_upload_metadata(many)), ErrorCode::http_bad_request);
  EXPECT_EQ(code(parse_upload_metadata(std::string(kUploadMetadataBytesMax + 1, 'a'))), ErrorCode::http_bad_request);
}

TEST(TusHeaders, NamingTakesWhatItKnows) {
  const auto naming = naming_of({{"name", "other.mov"},
                                 {"filename", "film.mp4"},
                                 {"title", "film"},
                                 {"new_version", "true"},
                                 {"fingerprint", "f"},
                                 {"filetype", "video/mp4\n"}});
  ASSERT_TRUE(naming.ok());
  EXPECT_EQ(naming->filename, "film.mp4");
  EXPECT_EQ(naming->title, "film");
  EXPECT_EQ(naming->fingerprint, "f");
  EXPECT_TRUE(naming->new_version);
  EXPECT_EQ(naming_of({{"name", "other.mov"}})->filename, "other.mov");
  EXPECT_EQ(code(naming_of({{"new_version", "yes"}})), ErrorCode::http_bad_request);
  EXPECT_EQ(code(naming_of({{"filename", "a\nb"}})), ErrorCode::http_bad_request);
  EXPECT_EQ(code(naming_of({{"title", std::string(256, 'a')}})), ErrorCode::http_bad_request);
}

TEST(TusHeaders, Checksum) {
  const auto sha1 = parse_upload_checksum("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=");
  ASSERT_TRUE(sha1.ok());
  EXPECT_EQ(sha1->algorithm, ChecksumAlgorithm::sha1);
  EXPECT_EQ(sha1->expected.size(), 20u);
  EXPECT_EQ(parse_upload_checksum("crc32 AAAAAA==")->expected.size(), 4u);
  for (const char* wrong : {"", "sha1", "sha1 ", "md5 AAAA", "sha1 AAAA", "SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
                            "crc32 AAAAAA", "sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0="}) {
    EXPECT_EQ(code(parse_upload_checksum(wrong)), ErrorCode::http_bad_request) << wrong;
  }
}

TEST(TusHeaders, Concat) {
  const std::string a(32, 'a'), b(32, 'b'), folder = "/v1/tus/";
  EXPECT_FALSE(parse_upload_concat("partial", folder)->final);
  const auto both = parse_upload_concat("final;/v1/tus/" + a + " https://host:1/v1/tus/" + b, folder);
  ASSERT_TRUE(both.ok());
  EXPECT_TRUE(both->final);
  EXPECT_EQ(both->parts, (std::vector<std::string>{a, b}));
  for (const std::string& wrong :
       {std::string(), std::string("final"), std::string("final;"), "final;" + a, "final;/v1/uploads/" + a,
        "final;/v1/tus/" + a + "/x", "final;/v1/tus/" + a + " /v1/tus/" + a, "final;/v1/tus/" + a + "  /v1/tus/" + b,
        std::string("final;https://host"), std::string("final;/v1/tus/../../x"), std::string("Partial")}) {
    EXPECT_EQ(code(parse_upload_concat(wrong, folder)), ErrorCode::http_bad_request) << wrong;
  }
}

}  // namespace
}  // namespace reelway::origin
