#include "origin/request/query_fields.h"

#include <gtest/gtest.h>

#include <string>

namespace reelway::origin {
namespace {

TEST(QueryFields, TakesFieldsByName) {
  const auto fields = QueryFields::parse("shard=0&id=a-B_9.~&empty=&ended=1").value();
  EXPECT_EQ(fields.number("shard").value(), 0);
  EXPECT_EQ(fields.required("id").value(), "a-B_9.~");
  EXPECT_EQ(fields.text("empty"), "");
  EXPECT_EQ(fields.text("none"), std::nullopt);
  EXPECT_TRUE(fields.flag("ended").value());
  EXPECT_FALSE(fields.flag("none").value());
  EXPECT_EQ(fields.optional_number("none").value(), std::nullopt);
  EXPECT_TRUE(QueryFields::parse("").ok());
}

TEST(QueryFields, OtherShapesAreRefused) {
  for (const std::string query : {"a", "=1", "a=1&a=2", "a=%20", "a=b=c", "a=1;b=2", "&a=1", "a=1&&b=2", "a b=1"}) {
    const auto fields = QueryFields::parse(query);
    ASSERT_FALSE(fields.ok()) << query;
    EXPECT_EQ(fields.error().code, ErrorCode::http_bad_request);
  }
  EXPECT_TRUE(QueryFields::parse("a=" + std::string(256, 'x')).ok());
  EXPECT_FALSE(QueryFields::parse("a=" + std::string(257, 'x')).ok());
  std::string many;
  for (int i = 0; i < 17; ++i) many += (i > 0 ? "&f" : "f") + std::to_string(i) + "=1";
  EXPECT_FALSE(QueryFields::parse(many).ok());
}

TEST(QueryFields, WrongValuesNameTheirField) {
  const auto fields = QueryFields::parse("n=-1&x=1x&big=9223372036854775808&e=&f=2").value();
  for (const std::string name : {"n", "x", "big", "e"}) {
    const auto number = fields.number(name);
    ASSERT_FALSE(number.ok()) << name;
    EXPECT_NE(number.error().detail.find("\"" + name + "\""), std::string::npos);
  }
  EXPECT_FALSE(fields.number("none").ok());
  EXPECT_FALSE(fields.required("e").ok());
  EXPECT_FALSE(fields.flag("f").ok());
}

}  // namespace
}  // namespace reelway::origin
