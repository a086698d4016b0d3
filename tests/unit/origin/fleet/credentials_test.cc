#include "origin/fleet/credentials.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace reelway::origin {
namespace {

TEST(BearerSecret, TakesTheSecretOutOfTheField) {
  EXPECT_EQ(bearer_secret("Bearer abc"), "abc");
  EXPECT_EQ(bearer_secret("bearer  abc "), "abc");
  EXPECT_EQ(bearer_secret("Basic abc"), "");
  EXPECT_EQ(bearer_secret("Bearer"), "");
  EXPECT_EQ(bearer_secret("Bearer "), "");
  EXPECT_EQ(bearer_secret(""), "");
}

TEST(SecretsEqual, ComparesAllOfBoth) {
  EXPECT_TRUE(secrets_equal("0123456789abcdef", "0123456789abcdef"));
  EXPECT_FALSE(secrets_equal("0123456789abcdef", "0123456789abcdeg"));
  EXPECT_FALSE(secrets_equal("0123456789abcdef", "0123456789abcde"));
  EXPECT_FALSE(secrets_equal("", "a"));
}

TEST(EdgeCredentials, AllowsListedEdgesOnly) {
  const auto edges =
      EdgeCredentials::parse("# edges of Lisbon\n\n  lis-1 0123456789abcdef\r\nlis-2\tfedcba9876543210", "edges");
  ASSERT_TRUE(edges.ok());
  EXPECT_EQ(edges->count(), 2u);
  EXPECT_TRUE(edges->allows("lis-1", "0123456789abcdef"));
  EXPECT_TRUE(edges->allows("lis-2", "fedcba9876543210"));
  EXPECT_FALSE(edges->allows("lis-1", "fedcba9876543210"));
  EXPECT_FALSE(edges->allows("lis-3", "fedcba9876543210"));
  EXPECT_FALSE(edges->allows("lis-1", ""));
  EXPECT_FALSE(edges->allows("", ""));
}

TEST(EdgeCredentials, NamesTheLineThatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"a 0123456789abcdef\nb", "edges:2: "},
      {"a short", "edges:1: the secret of a"},
      {"a two words-of-a-secret", "edges:1: the secret of a"},
      {"#\na/b 0123456789abcdef", "edges:2: expected"},
      {"a 0123456789abcdef\na 0123456789abcdef", "edges:2: the edge a is listed twice"},
  };
  for (const auto& [text, expected] : cases) {
    const auto edges = EdgeCredentials::parse(text, "edges");
    ASSERT_FALSE(edges.ok()) << text;
    EXPECT_EQ(edges.error().code, ErrorCode::config_value_invalid);
    EXPECT_TRUE(edges.error().detail.starts_with(expected)) << edges.error().detail;
    EXPECT_EQ(edges.error().detail.find("0123456789abcdef"), std::string::npos);
  }
}

TEST(EdgeCredentials, AFileThatOthersMayReadIsRefused) {
  char name[] = "/tmp/reelway-edges-XXXXXX";
  ASSERT_NE(mkdtemp(name), nullptr);
  const std::string file = std::string(name) + "/edges";
  std::ofstream(file) << "a 0123456789abcdef\n";
  chmod(file.c_str(), 0644);
  EXPECT_EQ(EdgeCredentials::load(file).error().code, ErrorCode::config_value_invalid);
  chmod(file.c_str(), 0600);
  EXPECT_TRUE(EdgeCredentials::load(file).ok());
  EXPECT_EQ(EdgeCredentials::load(file + "x").error().code, ErrorCode::config_unreadable);
  std::filesystem::remove_all(name);
}

}  // namespace
}  // namespace reelway::origin
