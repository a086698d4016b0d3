#include "edge/request/remembered_tokens.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace reelway::edge {
namespace {

access::Token token(std::int64_t expires_s, access::KeyId kid = 1) {
  access::Token made;
  made.kid = kid;
  made.expires_s = expires_s;
  return made;
}

TEST(RememberedTokensTest, FindsWhatWasAddedByItsWholeText) {
  RememberedTokens tokens(10);
  tokens.add("abc", token(1));
  tokens.add("abd", token(2));
  tokens.add("abc", token(3));  // is there: stays as it is
  ASSERT_NE(tokens.find("abc"), nullptr);
  EXPECT_EQ(tokens.find("abc")->expires_s, 1);
  EXPECT_EQ(tokens.find("abd")->expires_s, 2);
  EXPECT_EQ(tokens.find("ab"), nullptr);
  EXPECT_EQ(tokens.find("abcd"), nullptr);
  EXPECT_EQ(tokens.size(), 2u);
}

TEST(RememberedTokensTest, OneNotUsedLeaves) {
  RememberedTokens tokens(3);
  for (const char* text : {"a", "b", "c"}) tokens.add(text, token(1));
  ASSERT_NE(tokens.find("a"), nullptr);
  ASSERT_NE(tokens.find("c"), nullptr);
  tokens.add("d", token(1));
  EXPECT_EQ(tokens.size(), 3u);
  EXPECT_EQ(tokens.find("b"), nullptr);
  EXPECT_NE(tokens.find("a"), nullptr);
  EXPECT_NE(tokens.find("c"), nullptr);
  EXPECT_NE(tokens.find("d"), nullptr);
}

TEST(RememberedTokensTest, EqualsAMapUnderRandomChanges) {
  std::mt19937_64 random(20);
  RememberedTokens tokens(100'000);
  std::map<std::string, std::int64_t> model;
  for (std::int64_t step = 0; step < 60'000; ++step) {
    const std::string text = "token-" + std::to_string(random() % 3000);
    switch (random() % 3) {
      case 0:
        tokens.add(text, token(step, static_cast<access::KeyId>(step % 7)));
        model.emplace(text, step);
        break;
      case 1:
        tokens.erase(text);
        model.erase(text);
        break;
      default: {
        const auto* found = tokens.find(text);
        const auto expected = model.find(text);
        ASSERT_EQ(found != nullptr, expected != model.end());
        if (found != nullptr) {
          ASSERT_EQ(found->expires_s, expected->second);
        }
      }
    }
    ASSERT_EQ(tokens.size(), model.size());
  }
  tokens.erase_if([](const access::Token& each) { return each.kid == 3; });
  std::erase_if(model, [](const auto& entry) { return entry.second % 7 == 3; });
  ASSERT_EQ(tokens.size(), model.size());
  for (const auto& [text, expires] : model) EXPECT_EQ(tokens.find(text)->expires_s, expires);
}

TEST(RememberedTokensTest, IsNeverFullerThanItsLimit) {
  RememberedTokens tokens(50);
  for (int i = 0; i < 1000; ++i) {
    tokens.add(std::to_string(i), token(i));
    ASSERT_NE(tokens.find(std::to_string(i)), nullptr);
    ASSERT_LE(tokens.size(), 50u);
  }
}

}  // namespace
}  // namespace reelway::edge
