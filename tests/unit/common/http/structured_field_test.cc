#include "common/http/structured_field.h"

#include <gtest/gtest.h>

namespace reelway::http {
namespace {

std::string shape(std::string_view field) {
  const auto members = parse_dictionary(field);
  if (!members) return "invalid";
  std::string text;
  for (const StructuredMember& member : *members) {
    constexpr const char* kTypes[] = {"integer", "decimal", "string",  "token",     "bytes",
                                      "boolean", "date",    "display", "inner_list"};
    text.append(text.empty() ? "" : " ").append(member.key).append(":");
    text.append(kTypes[static_cast<std::size_t>(member.type)]);
    if (member.integer != 0) text.append("=").append(std::to_string(member.integer));
  }
  return text;
}

struct Case {
  const char* field;
  const char* shape;
};

TEST(StructuredField, Dictionaries) {
  for (const Case& test : {
           Case{"", ""},
           {"   ", ""},
           {"max-age=3600", "max-age:integer=3600"},
           {" a=1 ,\t b=-2", "a:integer=1 b:integer=-2"},
           {"foobar, max-age=3600;x=\"y\";z", "foobar:boolean=1 max-age:integer=3600"},
           {"a=1, b=2, a=3", "b:integer=2 a:integer=3"},
           {"a=1.5, b=\"x\\\"y\\\\\", c=tok/en:*, d=:aGk=:, e=?0, f=@-5",
            "a:decimal=1 b:string c:token d:bytes e:boolean f:date=-5"},
           {"a=%\"caf%c3%a9\"", "a:display"},
           {"a=(1 \"two\" three;p=4);q, b", "a:inner_list b:boolean=1"},
           {"a=(), *b._-1=999999999999999", "a:inner_list *b._-1:integer=999999999999999"},
           {"a;flag=?1;n=2", "a:boolean=1"},
       }) {
    EXPECT_EQ(shape(test.field), test.shape) << test.field;
  }
}

TEST(StructuredField, WhatIsWrongAnywhereSpoilsTheField) {
  for (const char* field : {"max-age=10000, &&&&&",
                            "A=1",
                            "max-age =1",
                            "max-age= 1",
                            "a=1,",
                            "a=1,,b",
                            ",a",
                            "a=",
                            "a=1 b=2",
                            "a=1;",
                            "a=1;B",
                            "a=1234567890123456",
                            "a=1.",
                            "a=1.2345",
                            "a=1234567890123.1",
                            "a=-",
                            "a=\"x",
                            "a=\"\\n\"",
                            "a=\"\x01\"",
                            "a=:a!:",
                            "a=:aa",
                            "a=?2",
                            "a=?",
                            "a=@1.5",
                            "a=@",
                            "a=%\"%GG\"",
                            "a=%\"%C3\"",
                            "a=%x",
                            "a=(1",
                            "a=(1,2)",
                            "a=(1\"x\")",
                            "a='single'",
                            "a=1\tb",
                            "\ta=1"}) {
    EXPECT_EQ(shape(field), "invalid") << field;
  }
}

TEST(StructuredField, MoreMembersThanAnyoneNeedsAreRefused) {
  std::string field = "a0";
  for (int i = 1; i < 1024; ++i) field += ",a" + std::to_string(i);
  EXPECT_TRUE(parse_dictionary(field).has_value());
  EXPECT_FALSE(parse_dictionary(field + ",b").has_value());
}

}  // namespace
}  // namespace reelway::http
