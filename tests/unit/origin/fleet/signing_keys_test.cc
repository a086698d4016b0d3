#include "origin/fleet/signing_keys.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <condition_variable>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/base/encoding.h"
#include "origin/fleet/play_url.h"

namespace reelway::origin {
namespace {

const std::string kSecret(32, 's');

class SigningKeysTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/reelway-keys-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    store_ = open_rocksdb_store(folder_ + "/store").value();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  Result<std::unique_ptr<SigningKeys>> open(const std::string& secret = kSecret) {
    return SigningKeys::open(*store_, KeySeal::from_secret(secret).value(), clock_, random_);
  }
  static const KeyRecord& key(const KeySet& keys, access::KeyId kid) {
    for (const KeyRecord& record : keys.keys) {
      if (record.kid == kid) return record;
    }
    ADD_FAILURE() << "no key " << kid;
    return keys.keys.front();
  }
  bool verifies(const SigningKeys& keys, const std::string& text) {
    const auto token = access::parse_token(text);
    return token.ok() && access::verify_signature(*token, key(*keys.current(), token->token.kid).public_key).ok();
  }
  access::Token token() const {
    access::Token made;
    made.title = "film";
    made.not_before_s = 100;
    made.expires_s = 200;
    return made;
  }

  std::string folder_;
  std::unique_ptr<ControlStore> store_;
  SystemClock clock_;
  SystemRandom random_;
};

TEST_F(SigningKeysTest, TheFirstStartMakesAKeyAndTheNextKeepsIt) {
  std::string public_key;
  {
    const auto keys = open().value();
    ASSERT_EQ(keys->current()->keys.size(), 1u);
    EXPECT_EQ(keys->current()->signing, 1u);
    public_key = base64url(keys->current()->keys[0].public_key);
    const auto made = keys->sign(token());
    ASSERT_TRUE(made.ok());
    EXPECT_EQ(made->kid, 1u);
    EXPECT_TRUE(verifies(*keys, made->text));
  }
  const auto again = open().value();
  ASSERT_EQ(again->current()->keys.size(), 1u);
  EXPECT_EQ(base64url(again->current()->keys[0].public_key), public_key);
  EXPECT_TRUE(verifies(*again, again->sign(token())->text));
}

TEST_F(SigningKeysTest, TheStoreHoldsNoPrivateKeyInTheClear) {
  const auto keys = open().value();
  const auto entry = store_->get("/v1/key/1").value();
  ASSERT_TRUE(entry.has_value());
  const auto record = parse_key_record(entry->key, entry->value).value();
  const auto private_key = KeySeal::from_secret(kSecret)->open(record.sealed_private, 1).value();
  for (const std::string& form : {std::string(as_text(private_key)), base64url(private_key), hex(private_key)}) {
    EXPECT_EQ(entry->value.find(form), std::string::npos);
  }
  EXPECT_EQ(access::public_key_of(private_key).value(), record.public_key);
}

TEST_F(SigningKeysTest, AnotherSealSecretIsRefusedWithTheReason) {
  open().value().reset();
  const auto keys = open(std::string(32, 'x'));
  ASSERT_FALSE(keys.ok());
  EXPECT_EQ(keys.error().code, ErrorCode::stored_data_corrupt);
  EXPECT_NE(keys.error().detail.find("keys.seal_file"), std::string::npos);
}

TEST_F(SigningKeysTest, RotatingSignsWithTheNewKeyAndOldTokensStayGood) {
  const auto keys = open().value();
  const std::string old = keys->sign(token())->text;
  EXPECT_EQ(keys->rotate().value(), 2u);
  EXPECT_EQ(keys->current()->signing, 2u);
  EXPECT_EQ(keys->sign(token())->kid, 2u);
  EXPECT_TRUE(verifies(*keys, old));
  EXPECT_FALSE(key(*keys->current(), 1).retired);
}

TEST_F(SigningKeysTest, RetiringTheSigningKeyPutsAnotherInItsPlace) {
  const auto keys = open().value();
  const Revision before = keys->current()->revision;
  ASSERT_TRUE(keys->retire(1).ok());
  EXPECT_TRUE(key(*keys->current(), 1).retired);
  EXPECT_TRUE(key(*keys->current(), 1).retired_at_ms.has_value());
  EXPECT_EQ(keys->current()->signing, 2u);
  EXPECT_EQ(keys->current()->revision, before + 1) << "one transaction";
  EXPECT_EQ(keys->sign(token())->kid, 2u);
  const Revision after = keys->current()->revision;
  EXPECT_TRUE(keys->retire(1).ok());
  EXPECT_EQ(keys->current()->revision, after);
  EXPECT_EQ(keys->retire(9).error().code, ErrorCode::key_not_found);
}

TEST_F(SigningKeysTest, AnotherOriginsChangeArrivesByWatch) {
  const auto ours = open().value();
  const auto theirs = open().value();
  EXPECT_EQ(theirs->rotate().value(), 2u);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (ours->current()->signing != 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(ours->current()->signing, 2u);
  EXPECT_TRUE(verifies(*theirs, ours->sign(token())->text));
}

TEST_F(SigningKeysTest, TwoOriginsThatChangeAtOnceLoseNothing) {
  const auto first = open().value();
  const auto second = open().value();
  constexpr int kEach = 4;
  const auto rotate = [](SigningKeys& keys) {
    int made = 0;
    while (made < kEach) {
      const auto kid = keys.rotate();
      if (kid.ok()) {
        ++made;
      } else {
        ASSERT_EQ(kid.error().code, ErrorCode::store_conflict);
      }
    }
  };
  std::thread other([&] { rotate(*second); });
  rotate(*first);
  other.join();
  ASSERT_TRUE(first->refresh().ok());
  EXPECT_EQ(first->current()->keys.size(), 1u + 2 * kEach);
  EXPECT_EQ(first->current()->signing, first->current()->keys.back().kid);
}

TEST_F(SigningKeysTest, TheNumberOfKeysIsBounded) {
  const auto keys = open().value();
  for (access::KeyId kid = 2; kid <= kKeysMax; ++kid) ASSERT_EQ(keys->rotate().value(), kid);
  EXPECT_EQ(keys->rotate().error().code, ErrorCode::overloaded);
  ASSERT_TRUE(keys->retire(3).ok());
  EXPECT_EQ(keys->rotate().value(), kKeysMax + 1);
  EXPECT_EQ(keys->current()->keys.size(), kKeysMax);
  EXPECT_EQ(keys->retire(3).error().code, ErrorCode::key_not_found);
}

TEST_F(SigningKeysTest, TheDocumentNamesEveryKeyAndNoSecret) {
  const auto keys = open().value();
  ASSERT_TRUE(keys->retire(1).ok());
  const auto document = nlohmann::json::parse(keys_document(*keys->current()));
  EXPECT_EQ(document["revision"], keys->current()->revision);
  ASSERT_EQ(document["keys"].size(), 2u);
  EXPECT_EQ(document["keys"][0]["kid"], 1);
  EXPECT_EQ(document["keys"][0]["state"], "retired");
  EXPECT_EQ(document["keys"][1]["state"], "active");
  EXPECT_EQ(from_base64url(document["keys"][1]["public"].get<std::string>())->size(), 32u);
  EXPECT_EQ(document["keys"][1].size(), 3u);
}

TEST_F(SigningKeysTest, PlayUrlsNameEveryEdgeAndCarryASession) {
  const auto keys = open().value();
  PlayUrlRequest request;
  request.title = "film";
  request.version = "v3";
  request.lifetime_s = 60;
  request.edges = {"http://a:1", "https://b"};
  const std::int64_t before = clock_.wall_s();
  const auto made = issue_play_url(request, *keys, clock_, random_);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->urls[0], "http://a:1/t/" + made->token + "/film/v3/master.m3u8");
  EXPECT_EQ(made->urls[1], "https://b" + made->path);
  EXPECT_GE(made->expires_s, before + 60);
  EXPECT_LE(made->not_before_s, before);
  EXPECT_TRUE(verifies(*keys, made->token));
  const auto second = issue_play_url(request, *keys, clock_, random_);
  EXPECT_NE(access::parse_token(made->token)->token.session, access::parse_token(second->token)->token.session);

  request.not_before_s = before + 1000;
  const auto later = issue_play_url(request, *keys, clock_, random_);
  EXPECT_EQ(later->not_before_s, before + 1000);
  EXPECT_EQ(later->expires_s, before + 1060);
  request.lifetime_s = 0;
  EXPECT_EQ(issue_play_url(request, *keys, clock_, random_).error().code, ErrorCode::http_bad_request);
  request.lifetime_s = kTokenLifetimeSecondsMax + 1;
  EXPECT_EQ(issue_play_url(request, *keys, clock_, random_).error().code, ErrorCode::http_bad_request);
  request.lifetime_s = 60;
  request.not_before_s = -5;
  EXPECT_EQ(issue_play_url(request, *keys, clock_, random_).error().code, ErrorCode::http_bad_request);
}

TEST(KeySeal, RefusesWhatWasChangedOrMoved) {
  SystemRandom random;
  const auto seal = KeySeal::from_secret(kSecret).value();
  access::PrivateKey key{};
  random.fill(key);
  const std::string sealed = seal.seal(key, 7, random).value();
  EXPECT_EQ(seal.open(sealed, 7).value(), key);
  EXPECT_NE(seal.seal(key, 7, random).value(), sealed) << "a nonce of its own each time";
  EXPECT_FALSE(seal.open(sealed, 8).ok());
  auto bytes = from_base64url(sealed).value();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] ^= 1;
    EXPECT_FALSE(seal.open(base64url(bytes), 7).ok()) << at;
    bytes[at] ^= 1;
  }
  EXPECT_FALSE(seal.open("", 7).ok());
  EXPECT_EQ(KeySeal::from_secret(std::string(31, 's')).error().code, ErrorCode::config_value_invalid);
}

TEST(KeyRecords, AreRefusedWhenDamaged) {
  KeyRecord record;
  record.kid = 3;
  record.sealed_private = "x";
  record.created_at_ms = 5;
  const std::string text = to_json(record);
  EXPECT_TRUE(parse_key_record("/v1/key/3", text).ok());
  for (const char* key : {"/v1/key/", "/v1/key/0", "/v1/key/03", "/v1/key/x", "/v1/key/99999999999", "/v1/keyptr"}) {
    EXPECT_FALSE(parse_key_record(key, text).ok()) << key;
  }
  for (const char* bad : {"", "{}", "[]", "1", R"({"format":2})", R"({"format":1,"state":"odd"})"}) {
    EXPECT_EQ(parse_key_record("/v1/key/3", bad).error().code, ErrorCode::stored_data_corrupt) << bad;
    EXPECT_FALSE(parse_key_pointer(bad).ok()) << bad;
  }
  EXPECT_EQ(parse_key_pointer(key_pointer_json(8)).value(), 8u);
}

TEST(EdgeBaseUrl, IsSchemeAndHostOnly) {
  EXPECT_EQ(edge_base_url("http://127.0.0.1:8090"), "http://127.0.0.1:8090");
  EXPECT_EQ(edge_base_url("https://edge.example/"), "https://edge.example");
  EXPECT_EQ(edge_base_url("http://[::1]:8090"), "http://[::1]:8090");
  for (const char* bad :
       {"", "http://", "ftp://a", "a:8090", "http://a/path", "http://a b", "http://a\r\nX: y", "http://u@a"}) {
    EXPECT_EQ(edge_base_url(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace reelway::origin
