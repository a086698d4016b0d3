#include "edge/request/options.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/temporary_folder.h"

namespace reelway::edge {
namespace {

class OptionsTest : public ::testing::Test {
 protected:
  OptionsTest() {
    std::ofstream(secret_) << "a-secret-that-is-long-enough\n";
    ::chmod(secret_.c_str(), 0600);
  }
  Result<EdgeConfig> load(const std::string& further) {
    const std::string yaml = "admin:\n  credential_file: " + secret_ + "\nstore:\n  directory: /tmp/x\n" + further;
    auto settings = config::parse(edge_options(), yaml, "edge.yaml");
    if (!settings.ok()) return std::move(settings).error();
    return edge_config(*settings);
  }
  std::string upstream(const std::string& url) {
    return "upstream:\n  url: " + url + "\n  secret_file: " + secret_ + "\n";
  }

  reelway::origin::TemporaryFolder folder_;
  std::string secret_ = folder_.at("secret");
};

TEST_F(OptionsTest, DefaultsAndSecrets) {
  const auto config = load("edge_id: edge-a\n" + upstream("http://origin.example:8081"));
  ASSERT_TRUE(config.ok()) << describe(config.error());
  EXPECT_EQ(config->upstreams.front().host, "origin.example");
  EXPECT_EQ(config->upstreams.front().port, 8081);
  EXPECT_EQ(config->upstream_secret, "a-secret-that-is-long-enough");
  EXPECT_EQ(config->public_listen.port, 8090);
  EXPECT_EQ(config->keys_poll_interval.count(), 1000);
  EXPECT_EQ(config->store_memory_bytes, 256u << 20);
  EXPECT_TRUE(config->cors_origins.empty());
  EXPECT_EQ(config->access_log, "");
}

TEST_F(OptionsTest, WhatTheTableCannotSayIsChecked) {
  const auto code = [&](const std::string& yaml) {
    const auto config = load(yaml);
    return config.ok() ? ErrorCode::usage : config.error().code;
  };
  const std::string good = upstream("http://127.0.0.1:8081");
  EXPECT_EQ(code("edge_id: edge a\n" + good), ErrorCode::config_value_invalid);
  EXPECT_EQ(code("edge_id: 1edge\n" + good), ErrorCode::config_value_invalid);
  EXPECT_EQ(code("edge_id: e\n" + upstream("https://127.0.0.1:8081")), ErrorCode::usage);
  EXPECT_EQ(code("edge_id: e\n" + good + "  others: [\"https://b.example priority=3\", \"http://c.example\"]\n"),
            ErrorCode::usage);
  EXPECT_EQ(code("edge_id: e\n" + good + "  others: [\"b.example\"]\n"), ErrorCode::config_value_invalid);
  EXPECT_EQ(code("edge_id: e\n" + upstream("http://127.0.0.1:8081/path")), ErrorCode::config_value_invalid);
  EXPECT_EQ(code("edge_id: e\nlog:\n  level: loud\n" + good), ErrorCode::config_value_invalid);
  EXPECT_EQ(code("edge_id: e\ncors:\n  origins: [player.example]\n" + good), ErrorCode::config_value_invalid);
  EXPECT_EQ(code("edge_id: e\ncors:\n  origins: [\"*\"]\n" + good), ErrorCode::usage);
  EXPECT_EQ(code(good), ErrorCode::config_key_missing);
}

}  // namespace
}  // namespace reelway::edge
