#include "origin/request/options.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace reelway::origin {
namespace {

class OptionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/reelway-options-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    secret("api", std::string(20, 'a'));
    secret("seal", std::string(32, 's'));
    secret("edges", "edge-1 0123456789abcdef");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void secret(const std::string& name, const std::string& text) {
    const std::string file = folder_ + "/" + name;
    std::ofstream(file) << text << "\n";
    chmod(file.c_str(), 0600);
  }
  Result<OriginConfig> load(const std::string& more = "") {
    const std::string yaml = "data_dir: " + folder_ + "/data/\napi: {credential_file: " + folder_ +
                             "/api}\nmedia: {edges_file: " + folder_ + "/edges}\nkeys: {seal_file: " + folder_ +
                             "/seal}\n" + more;
    const auto settings = config::parse(origin_options(), yaml, "origin.yaml");
    if (!settings) return settings.error();
    return origin_config(*settings);
  }
  std::string refusal(const std::string& more) {
    const auto loaded = load(more);
    if (loaded.ok()) return "accepted";
    EXPECT_EQ(loaded.error().code, ErrorCode::config_value_invalid);
    return loaded.error().detail;
  }

  std::string folder_;
};

TEST_F(OptionsTest, DefaultsAreAsDocumented) {
  const auto loaded = load();
  ASSERT_TRUE(loaded.ok()) << describe(loaded.error());
  EXPECT_EQ(loaded->data_dir, folder_ + "/data");
  EXPECT_EQ(loaded->api_listen.port, 8080);
  EXPECT_EQ(loaded->media_listen.port, 8081);
  EXPECT_EQ(loaded->token_lifetime, std::chrono::hours(24));
  EXPECT_EQ(loaded->upload_bytes_max, 512ull << 30);
  EXPECT_EQ(loaded->free_bytes_min, 256ull << 20);
  EXPECT_EQ(loaded->units_per_segment, 3u);
  EXPECT_TRUE(loaded->transcode.sandbox.required);
  EXPECT_EQ(loaded->rights.standard, rights::Terms{});
  EXPECT_EQ(loaded->rights.session_renew_s, 60);
  EXPECT_EQ(loaded->rights.session_free_after_s, 150);
  EXPECT_EQ(loaded->rights.token_lifetime_max_s, 24 * 3600);
  EXPECT_TRUE(loaded->public_edges.empty());
  EXPECT_EQ(loaded->api_credential, std::string(20, 'a'));
  EXPECT_TRUE(loaded->edges.allows("edge-1", "0123456789abcdef"));
}

TEST_F(OptionsTest, WhatOnlyThisProgramCanCheckIsNamed) {
  EXPECT_NE(refusal("transcode: {sandbox: maybe}").find("transcode.sandbox"), std::string::npos);
  EXPECT_NE(refusal("log: {level: loud}").find("log.level"), std::string::npos);
  EXPECT_NE(refusal("public_edges: [\"edge.example\"]").find("public_edges"), std::string::npos);
  EXPECT_NE(refusal("rights: {session_free_after: 60s}").find("rights.session_free_after"), std::string::npos);
  EXPECT_NE(refusal("quality: {black: {severity: loud}}").find("quality.black.severity"), std::string::npos);
  EXPECT_NE(refusal("rights: {streams_max: 257}").find("rights.streams_max"), std::string::npos);
  secret("seal", std::string(31, 's'));
  EXPECT_NE(refusal("").find("/seal"), std::string::npos);
  chmod((folder_ + "/seal").c_str(), 0644);
  EXPECT_NE(refusal("").find("/seal"), std::string::npos);
}

TEST_F(OptionsTest, SoundIsLevelledUnlessItIsOff) {
  const auto usual = load();
  ASSERT_TRUE(usual.ok()) << describe(usual.error());
  EXPECT_EQ(usual->sound.loudness.target_lufs, -24);
  EXPECT_EQ(usual->sound.loudness.peak_ceiling_dbtp, -2);
  EXPECT_EQ(usual->sound.surround, SoundCodec::eac3);
  const auto other = load("transcode: {loudness: off, peak_ceiling: -1.5, surround: ac3}");
  ASSERT_TRUE(other.ok()) << describe(other.error());
  EXPECT_FALSE(other->sound.loudness.target_lufs);
  EXPECT_EQ(other->sound.loudness.peak_ceiling_dbtp, -1.5);
  EXPECT_EQ(other->sound.surround, SoundCodec::ac3);
  EXPECT_FALSE(load("transcode: {surround: off}")->sound.surround);
  EXPECT_EQ(refusal("transcode: {loudness: 3}"),
            "transcode.loudness: expected a number from -40 to -10 or off, found: 3");
  EXPECT_EQ(refusal("transcode: {peak_ceiling: 1}"),
            "transcode.peak_ceiling: expected a number from -20 to 0, found: 1");
  EXPECT_EQ(refusal("transcode: {surround: aac}"), "transcode.surround: expected eac3, ac3 or off, found: aac");
}

TEST_F(OptionsTest, TheExampleHoldsEveryOption) {
  const std::string example = config::commented_example(origin_options(), kOriginExampleTitle);
  for (const config::Option& option : origin_options()) {
    const auto name =
        option.key.substr(option.key.rfind('.') == std::string_view::npos ? 0 : option.key.rfind('.') + 1);
    EXPECT_NE(example.find(std::string(name) + ":"), std::string::npos) << option.key;
  }
  EXPECT_TRUE(config::parse(origin_options(), example, "example").ok());
}

TEST_F(OptionsTest, ObjectStoresAreReadWithTheirSecrets) {
  secret("s3", std::string(40, 'k'));
  secret("token", std::string(200, 't'));
  const std::string section =
      "object_stores:\n  archive:\n    endpoint: https://s3.example.net\n    access_key_id: AKID\n"
      "    secret_file: " +
      folder_ + "/s3\n";
  const auto loaded = load(section + "    addressing: host\n    session_token_file: " + folder_ + "/token\n");
  ASSERT_TRUE(loaded.ok()) << describe(loaded.error());
  ASSERT_EQ(loaded->object_stores.size(), 1u);
  const ObjectStoreConfig& store = loaded->object_stores[0];
  EXPECT_EQ(store.name + " " + store.endpoint + " " + store.region, "archive https://s3.example.net us-east-1");
  EXPECT_EQ(store.credentials.access_key_id, "AKID");
  EXPECT_EQ(store.credentials.secret_access_key, std::string(40, 'k'));
  EXPECT_EQ(store.credentials.session_token, std::string(200, 't'));
  EXPECT_FALSE(store.path_style);
  EXPECT_TRUE(store.etag_is_md5);
  EXPECT_NE(refusal(section + "    addressing: dns\n").find("object_stores.archive.addressing"), std::string::npos);
  EXPECT_NE(refusal(section + "    region: eu/west\n").find("object_stores.archive.region"), std::string::npos);
}

}  // namespace
}  // namespace reelway::origin
