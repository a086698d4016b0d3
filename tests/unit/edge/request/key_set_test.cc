#include "edge/request/key_set.h"

#include <gtest/gtest.h>

#include "common/base/encoding.h"

namespace reelway::edge {
namespace {

const std::string kPublic(43, 'A');  // 32 zero bytes

std::string document(const std::string& keys) {
  return R"({"revision":7,"keys":[)" + keys + "]}";
}

TEST(KeySetTest, ReadsWhatItWrites) {
  const auto set = KeySet::parse(document(R"({"kid":1,"state":"active","public":")" + kPublic +
                                          R"("},{"kid":4,"state":"retired","public":")" + kPublic + R"("})"));
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(set->revision(), 7u);
  EXPECT_EQ(set->keys().size(), 2u);
  EXPECT_EQ(set->find(1)->state, KeyState::active);
  EXPECT_EQ(set->find(4)->state, KeyState::retired);
  EXPECT_EQ(set->find(2), nullptr);
  const auto again = KeySet::parse(set->json());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, *set);
}

TEST(KeySetTest, RefusesWhatIsNoKeyDocument) {
  const auto key = [](const std::string& kid, const std::string& state, const std::string& text) {
    return document("{\"kid\":" + kid + ",\"state\":\"" + state + "\",\"public\":\"" + text + "\"}");
  };
  for (const std::string& text :
       {std::string(""), std::string("[]"), std::string("{}"), std::string(R"({"revision":"7","keys":[]})"),
        std::string(R"({"revision":7,"keys":{}})"), document("1"), document("{}"), key("1", "lost", kPublic),
        key("-1", "active", kPublic), key("4294967296", "active", kPublic), key("1", "active", "AAAA"),
        key("1", "active", "!"), document(R"({"kid":1,"state":"active"})")}) {
    EXPECT_FALSE(KeySet::parse(text).ok()) << text;
  }
  const std::string one = R"({"kid":1,"state":"active","public":")" + kPublic + "\"}";
  EXPECT_FALSE(KeySet::parse(document(one + "," + one)).ok());
}

}  // namespace
}  // namespace reelway::edge
