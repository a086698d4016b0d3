#include "origin/protection/cpix.h"

#include <gtest/gtest.h>

#include <set>

#include "common/base/encoding.h"
#include "origin/protection/cpix_keys.h"
#include "tests/support/raw_origin.h"

namespace reelway::origin {
namespace {

using testing::RawConnection;
using testing::RawOrigin;

constexpr const char* kWidevine = "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed";

CpixRequest request_of_all() {
  CpixRequest request;
  request.content_id = "film/v1";
  for (std::size_t i = 0; i < kKeyLabels.size(); ++i) {
    request.ids[static_cast<KeyLabel>(i)].fill(static_cast<std::uint8_t>(0x10 + i));
  }
  request.systems = {kWidevine};
  return request;
}

std::string secret_of(const Bytes& bytes) {
  return "<cpix:Data><pskc:Secret><pskc:PlainValue>" + base64(bytes) + "</pskc:PlainValue></pskc:Secret></cpix:Data>";
}

Bytes key_bytes(std::uint8_t first) {
  Bytes bytes(16, first);
  bytes[15] = 0xff;
  return bytes;
}

std::string content_key(const KeyId& id, const std::string& inner, const std::string& attributes = {}) {
  return "<cpix:ContentKey kid=\"" + uuid_text(id) + "\"" + attributes + ">" + inner + "</cpix:ContentKey>";
}

std::string all_keys(const CpixRequest& request) {
  std::string text;
  for (const auto& [label, id] : request.ids) text += content_key(id, secret_of(key_bytes(id[0])));
  return text;
}

std::string answer_of(const std::string& keys, const std::string& systems = {}) {
  return "<?xml version=\"1.0\"?><cpix:CPIX xmlns:cpix=\"urn:dashif:org:cpix\" "
         "xmlns:pskc=\"urn:ietf:params:xml:ns:keyprov:pskc\"><cpix:ContentKeyList>" +
         keys + "</cpix:ContentKeyList><cpix:DRMSystemList>" + systems + "</cpix:DRMSystemList></cpix:CPIX>";
}

std::string system_of(const KeyId& id, const std::string& inner) {
  return "<cpix:DRMSystem kid=\"" + uuid_text(id) + "\" systemId=\"" + kWidevine + "\">" + inner + "</cpix:DRMSystem>";
}

ErrorCode code_of(const std::string& xml) {
  const auto keys = parse_cpix(xml, request_of_all());
  return keys.ok() ? ErrorCode::internal : keys.error().code;
}

TEST(Cpix, AsksForEveryKeyAndSaysWhatItIsFor) {
  const std::string xml = cpix_document(request_of_all());
  EXPECT_NE(xml.find("contentId=\"film/v1\" version=\"2.3\""), std::string::npos);
  for (const char* part :
       {"kid=\"10101010-1010-1010-1010-101010101010\" commonEncryptionScheme=\"cbcs\"",
        "kid=\"10101010-1010-1010-1010-101010101010\" intendedTrackType=\"AUDIO\"><cpix:AudioFilter/>",
        "intendedTrackType=\"SD\"><cpix:VideoFilter maxPixels=\"589824\"/>",
        "intendedTrackType=\"HD\"><cpix:VideoFilter minPixels=\"589825\" maxPixels=\"2073600\"/>",
        "kid=\"13131313-1313-1313-1313-131313131313\" intendedTrackType=\"UHD\"",
        "systemId=\"edef8ba9-79d6-4ace-a3c8-27dcd51d21ed\"><cpix:PSSH/>"}) {
    EXPECT_NE(xml.find(part), std::string::npos) << part << "\n" << xml;
  }
}

TEST(Cpix, ReadsKeysBoxesAndTags) {
  const CpixRequest request = request_of_all();
  const Bytes pssh = *from_hex("0000002070737368000000001077efecc0b24d02ace33c1e52e2fb4b00000000");
  const std::string media = "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"data:x\"\r\n\n";
  const std::string master = "#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI=\"data:x\"";
  const std::string systems =
      system_of(request.ids.at(KeyLabel::hd),
                "<cpix:PSSH>" + base64(pssh) + "</cpix:PSSH><cpix:HLSSignalingData playlist=\"media\">" +
                    base64(as_bytes(media)) + "</cpix:HLSSignalingData><cpix:HLSSignalingData playlist=\"master\">" +
                    base64(as_bytes(master)) + "</cpix:HLSSignalingData>");
  const auto keys = parse_cpix(answer_of(all_keys(request), systems), request);
  ASSERT_TRUE(keys.ok()) << describe(keys.error());
  ASSERT_EQ(keys->size(), 4u);
  const ProvidedKey& hd = keys->at(KeyLabel::hd);
  EXPECT_EQ(hex(hd.key), hex(key_bytes(0x12)));
  EXPECT_EQ(hd.pssh, pssh);
  EXPECT_EQ(hd.media_tags, "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"data:x\"\n");
  EXPECT_EQ(hd.session_tags, master + "\n");
  EXPECT_FALSE(hd.iv);
  EXPECT_TRUE(keys->at(KeyLabel::sd).pssh.empty());
}

TEST(Cpix, TakesTheProvidersIv) {
  const CpixRequest request = request_of_all();
  std::string keys;
  for (const auto& [label, id] : request.ids) {
    keys += content_key(id, secret_of(key_bytes(id[0])), " explicitIV=\"" + base64(Bytes(16, 7)) + "\"");
  }
  const auto found = parse_cpix(answer_of(keys), request);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(hex(*found->at(KeyLabel::audio).iv), std::string("07070707070707070707070707070707"));
}

TEST(Cpix, RefusesWhatIsNone) {
  const CpixRequest request = request_of_all();
  const KeyId& hd = request.ids.at(KeyLabel::hd);
  const std::string all = all_keys(request);
  const auto with = [&](const std::string& inner) { return answer_of(all, system_of(hd, inner)); };
  const auto tags = [&](const std::string& text) {
    return with("<HLSSignalingData playlist=\"media\">" + base64(as_bytes(text)) + "</HLSSignalingData>");
  };
  EXPECT_EQ(code_of(""), ErrorCode::cpix_malformed);
  EXPECT_EQ(code_of("<a/>"), ErrorCode::cpix_malformed);
  EXPECT_EQ(code_of(answer_of("")), ErrorCode::cpix_malformed);
  EXPECT_EQ(code_of(answer_of(all + content_key(hd, secret_of(key_bytes(1))))), ErrorCode::cpix_malformed);
  EXPECT_EQ(code_of(answer_of(content_key(hd, secret_of(Bytes(15, 1))))), ErrorCode::cpix_malformed);
  EXPECT_EQ(code_of(answer_of(content_key(hd, "<Data><Secret><EncryptedValue/></Secret></Data>"))),
            ErrorCode::key_provider_refused);
  EXPECT_EQ(code_of(with("<PSSH>AAAA</PSSH>")), ErrorCode::cpix_malformed);
  EXPECT_EQ(code_of(with("<PSSH>*</PSSH>")), ErrorCode::cpix_malformed);
  EXPECT_EQ(code_of(tags("#EXTINF:1,")), ErrorCode::cpix_malformed);
  EXPECT_EQ(code_of(tags("#EXT-X-KEY:METHOD=NONE\n#EXT-X-ENDLIST")), ErrorCode::cpix_malformed);
  EXPECT_EQ(code_of(tags("#EXT-X-KEY:" + std::string(kSignallingBytesMax, 'x'))), ErrorCode::cpix_malformed);
  EXPECT_EQ(code_of(std::string(kCpixBytesMax + 1, ' ')), ErrorCode::cpix_malformed);
}

TEST(Cpix, KnowsUuids) {
  EXPECT_EQ(uuid_text(*parse_uuid("EDEF8BA9-79d6-4ace-a3c8-27dcd51d21ed")), kWidevine);
  for (const char* text : {"", "edef8ba9-79d6-4ace-a3c8-27dcd51d21e", "edef8ba979d6-4ace-a3c8-27dcd51d21ed--",
                           "edef8ba9-79d6-4ace-a3c8-27dcd51d21ez"}) {
    EXPECT_FALSE(parse_uuid(text)) << text;
  }
}

class CpixKeysTest : public ::testing::Test {
 protected:
  static CpixServer server_at(const RawOrigin& origin) {
    CpixServer server;
    server.url = "http://127.0.0.1:" + std::to_string(origin.port()) + "/cpix";
    server.credential = "0123456789abcdef";
    server.time_limit = std::chrono::milliseconds(2'000);
    return server;
  }
  static std::string http(const std::string& status, const std::string& body) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string right_answer() {
    std::string keys;
    for (std::size_t i = 0; i < kKeyLabels.size(); ++i) {
      const KeyId id = derived_key_id(scope(), static_cast<KeyLabel>(i));
      keys += content_key(id, secret_of(Bytes(16, static_cast<std::uint8_t>(i + 1))));
    }
    return http("200 OK", answer_of(keys));
  }
  static KeyScope scope() { return {"film", "v1", "00ff"}; }

  SystemRandom random_;
  Patience patience_;
};

TEST_F(CpixKeysTest, PostsADocumentAndReadsTheAnswer) {
  std::string head;
  RawOrigin origin([&](int, RawConnection& connection) {
    head = connection.read_head();
    connection.send(right_answer());
    connection.wait_for_close();
  });
  {
    CpixKeys provider(server_at(origin), random_);
    const auto keys = provider.keys(scope(), patience_);
    ASSERT_TRUE(keys.ok()) << describe(keys.error());
    EXPECT_EQ(keys->at(KeyLabel::hd).key[0], 3);
  }
  EXPECT_TRUE(head.starts_with("POST /cpix HTTP/1.1\r\n")) << head;
  EXPECT_NE(head.find("Authorization: Bearer 0123456789abcdef"), std::string::npos);
  EXPECT_NE(head.find("X-Speke-Version: 2.0"), std::string::npos);
}

TEST_F(CpixKeysTest, RepeatsWhatMaySucceed) {
  RawOrigin origin([&](int number, RawConnection& connection) {
    connection.read_head();
    connection.send(number < 2 ? http("503 Busy", "") : right_answer());
  });
  CpixKeys provider(server_at(origin), random_);
  EXPECT_TRUE(provider.keys(scope(), patience_).ok());
}

TEST_F(CpixKeysTest, SaysWhatARefusalSaid) {
  RawOrigin origin([&](int, RawConnection& connection) {
    connection.read_head();
    connection.send(http("403 Forbidden", "no contract for film/v1"));
  });
  CpixKeys provider(server_at(origin), random_);
  const auto keys = provider.keys(scope(), patience_);
  ASSERT_FALSE(keys.ok());
  EXPECT_EQ(keys.error().code, ErrorCode::key_provider_refused);
  EXPECT_NE(keys.error().detail.find("no contract for film/v1"), std::string::npos);
  EXPECT_EQ(keys.error().detail.find("0123456789abcdef"), std::string::npos);
}

TEST_F(CpixKeysTest, GivesUpOnASilentServer) {
  RawOrigin origin([](int, RawConnection& connection) { connection.wait_for_close(); });
  CpixServer server = server_at(origin);
  server.time_limit = std::chrono::milliseconds(100);
  CpixKeys provider(server, random_);
  const auto keys = provider.keys(scope(), patience_);
  ASSERT_FALSE(keys.ok());
  EXPECT_EQ(keys.error().code, ErrorCode::key_provider_unavailable) << describe(keys.error());
}

TEST_F(CpixKeysTest, GivesUpOnAServerThatIsGone) {
  CpixServer server;
  {
    RawOrigin origin([](int, RawConnection&) {});
    server = server_at(origin);
  }
  CpixKeys provider(server, random_);
  const auto keys = provider.keys(scope(), patience_);
  ASSERT_FALSE(keys.ok());
  EXPECT_EQ(keys.error().code, ErrorCode::key_provider_unavailable) << describe(keys.error());
}

TEST_F(CpixKeysTest, EndsAtOnceWhenItsProgramDoes) {
  RawOrigin origin([](int, RawConnection& connection) { connection.wait_for_close(); });
  CpixServer server = server_at(origin);
  server.time_limit = std::chrono::milliseconds(60'000);
  CpixKeys provider(server, random_);
  patience_.give_up();
  const auto keys = provider.keys(scope(), patience_);
  ASSERT_FALSE(keys.ok());
  EXPECT_EQ(keys.error().code, ErrorCode::shutting_down);
}

TEST(DerivedKeyId, DiffersByVersionAndLabel) {
  std::set<std::string> ids;
  for (const char* version : {"v1", "v2"}) {
    for (std::size_t i = 0; i < kKeyLabels.size(); ++i) {
      ids.insert(uuid_text(derived_key_id({"film", version, "00"}, static_cast<KeyLabel>(i))));
    }
  }
  EXPECT_EQ(ids.size(), 8u);
  EXPECT_EQ(derived_key_id({"film", "v1", "00"}, KeyLabel::hd), derived_key_id({"film", "v1", "00"}, KeyLabel::hd));
}

}  // namespace
}  // namespace reelway::origin
