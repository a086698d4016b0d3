#include "origin/objects/object_answers.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

std::string page(const std::string& inside, const std::string& truncated = "false") {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
         "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
         "<Name>films</Name><IsTruncated>" +
         truncated + "</IsTruncated>" + inside + "</ListBucketResult>";
}

std::string object(const std::string& key, const std::string& size = "1") {
  return "<Contents><Key>" + key +
         "</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;ab&quot;</ETag><Size>" + size +
         "</Size></Contents>";
}

std::string key_of(const std::string& xml) {
  const auto parsed = parse_list_page(xml);
  return parsed.ok() && parsed->objects.size() == 1 ? parsed->objects[0].key : "refused";
}

TEST(ListPage, ObjectsComeInTheirOrder) {
  const auto parsed = parse_list_page(page(object("b", "5500000000") + object("a/&amp;&lt;b&gt;", "0")));
  ASSERT_TRUE(parsed.ok()) << describe(parsed.error());
  ASSERT_EQ(parsed->objects.size(), 2u);
  EXPECT_EQ(parsed->objects[0].key, "b");
  EXPECT_EQ(parsed->objects[0].size_bytes, 5'500'000'000u);
  EXPECT_EQ(parsed->objects[0].etag, "\"ab\"");
  EXPECT_EQ(parsed->objects[0].last_modified, "2026-01-02T03:04:05.000Z");
  EXPECT_EQ(parsed->objects[1].key, "a/&<b>");
  EXPECT_EQ(parsed->next_token, "");
}

TEST(ListPage, KeysAreDecodedOnlyWhenTheyAreEncoded) {
  EXPECT_EQ(key_of(page("<EncodingType>url</EncodingType>" + object("a+b%2Bc%20d%C3%A9"))), "a b+c d\u00e9");
  EXPECT_EQ(key_of(page(object("a+b%2Bc"))), "a+b%2Bc");
  EXPECT_EQ(key_of(page(object(" "))), " ");
  EXPECT_EQ(key_of(page(object("<![CDATA[<x>]]>"))), "<x>");
}

TEST(ListPage, TheNextPageIsNamedOrThereIsNone) {
  const auto parsed = parse_list_page(page("<NextContinuationToken>1/a+=</NextContinuationToken>", "true"));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->next_token, "1/a+=");
  EXPECT_FALSE(parse_list_page(page("", "true")).ok());
  EXPECT_FALSE(parse_list_page(page("", "perhaps")).ok());
  EXPECT_FALSE(parse_list_page("<ListBucketResult/>").ok());
}

TEST(ListPage, WhatIsNotOfTheFormIsRefused) {
  const std::string encoded = "<EncodingType>url</EncodingType>";
  for (const std::string& xml :
       {std::string(), std::string("no xml"), std::string("<html></html>"), page(object("a")).substr(0, 150),
        page(object("")), page(object("a", "")), page(object("a", "-1")), page(object("a", "1x")),
        page(object("a", "99999999999999999999")), page("<Contents><Size>1</Size></Contents>"),
        page("<Contents><Key>a</Key></Contents>"), page("<Contents><Key>a</Key><Key>b</Key><Size>1</Size></Contents>"),
        page(encoded + object("%zz")), page(encoded + object("a%00b")), page(encoded + object("%ff")),
        page("<EncodingType>base64</EncodingType>" + object("a")), page(object(std::string(1025, 'k')))}) {
    const auto parsed = parse_list_page(xml);
    ASSERT_FALSE(parsed.ok()) << xml;
    EXPECT_EQ(parsed.error().code, ErrorCode::object_store_answer_malformed);
  }
}

TEST(ListPage, AThousandObjectsAreTheMost) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += object("k" + std::to_string(i));
  EXPECT_TRUE(parse_list_page(page(many)).ok());
  EXPECT_FALSE(parse_list_page(page(many + object("one more"))).ok());
}

TEST(ListPage, EntitiesOfADocumentTypeAreNotExpanded) {
  const std::string bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY f SYSTEM \"file:///etc/passwd\">]>";
  EXPECT_EQ(key_of(bomb + page(object("&a;&f;")).substr(39)), "&a;&f;");
}

TEST(Fault, IsReadAndMadePrintable) {
  const auto fault = parse_fault(
      "<Error><Code>RequestTimeTooSkewed</Code><Message>a\nb\x1b[31m</Message><ServerTime>T</ServerTime>"
      "<Region>r</Region><Endpoint>e</Endpoint><RequestId>i</RequestId></Error>");
  EXPECT_EQ(fault.code, "RequestTimeTooSkewed");
  EXPECT_EQ(fault.message, "a b [31m");
  EXPECT_EQ(fault.server_time + fault.region + fault.endpoint + fault.request_id, "Trei");
  EXPECT_EQ(parse_fault("<Error><Message>" + std::string(5000, 'x') + "</Message></Error>").message.size(), 300u);
  EXPECT_EQ(parse_fault("<html>").code, "");
  EXPECT_TRUE(is_fault("\n  <?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>"));
  EXPECT_FALSE(is_fault("<CompleteMultipartUploadResult/>"));
}

TEST(MultipartUpload, IdIsReadAndPartsAreWritten) {
  const auto id =
      parse_upload_id("<InitiateMultipartUploadResult><UploadId>a/b+c==</UploadId></InitiateMultipartUploadResult>");
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(*id, "a/b+c==");
  EXPECT_FALSE(parse_upload_id("<InitiateMultipartUploadResult/>").ok());
  EXPECT_EQ(complete_upload_body({{"\"e1\"", "c1"}, {"\"e<2\"", ""}}),
            "<?xml version=\"1.0\"?><CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Part><PartNumber>1</PartNumber><ETag>\"e1\"</ETag><ChecksumSHA256>c1</ChecksumSHA256></Part>"
            "<Part><PartNumber>2</PartNumber><ETag>\"e&lt;2\"</ETag></Part></CompleteMultipartUpload>");
}

}  // namespace
}  // namespace reelway::origin
