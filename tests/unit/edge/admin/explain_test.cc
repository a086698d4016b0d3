#include "edge/admin/explain.h"

#include <gtest/gtest.h>

#include "edge/admin/credential.h"

namespace reelway::edge {
namespace {

TEST(PublicPathTest, CutsSchemeAuthorityQueryAndFragment) {
  EXPECT_EQ(public_path("http://127.0.0.1:8090/t/x/film/v1/a?b#c"), "/t/x/film/v1/a");
  EXPECT_EQ(public_path("/t/x"), "/t/x");
  EXPECT_EQ(public_path("/t/http://x"), "/t/http://x");
  EXPECT_EQ(public_path("https://host"), "/");
  EXPECT_EQ(public_path(""), "");
}

TEST(QueryParameterTest, FindsAndDecodes) {
  EXPECT_EQ(query_parameter("a=1&target=%2Ft%2fx", "target"), "/t/x");
  EXPECT_EQ(query_parameter("target=", "target"), "");
  EXPECT_EQ(query_parameter("xtarget=1", "target"), std::nullopt);
  EXPECT_EQ(query_parameter("target", "target"), std::nullopt);
  EXPECT_EQ(query_parameter("target=%2", "target"), std::nullopt);
  EXPECT_EQ(query_parameter("target=%", "target"), std::nullopt);
  EXPECT_EQ(query_parameter("", "target"), std::nullopt);
}

TEST(CredentialTest, OnlyTheWholeCredentialAsBearerIsRight) {
  const auto code = [](std::optional<std::string_view> field) {
    const auto checked = check_credential(field, "right-credential");
    return checked.ok() ? ErrorCode::usage : checked.error().code;
  };
  EXPECT_EQ(code("Bearer right-credential"), ErrorCode::usage);
  EXPECT_EQ(code("bearer right-credential"), ErrorCode::usage);
  EXPECT_EQ(code(std::nullopt), ErrorCode::credential_missing);
  EXPECT_EQ(code("Bearer "), ErrorCode::credential_missing);
  EXPECT_EQ(code("right-credential"), ErrorCode::credential_missing);
  EXPECT_EQ(code("Bearer right-credentia"), ErrorCode::credential_wrong);
  EXPECT_EQ(code("Bearer right-credential2"), ErrorCode::credential_wrong);
  EXPECT_EQ(code("Bearer right-credentialright-credential"), ErrorCode::credential_wrong);
}

}  // namespace
}  // namespace reelway::edge
