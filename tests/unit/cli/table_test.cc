#include "cli/table.h"

#include <gtest/gtest.h>

namespace reelway::cli {
namespace {

TEST(Table, AlignsColumns) {
  Table table{{{"TITLE"}, {"FRAMES", Align::right}, {"STATE"}}};
  table.add({"sintel", "480", "published"});
  table.add({"a", "7"});
  EXPECT_EQ(table.render(Terminal{}),
            "TITLE   FRAMES  STATE\n"
            "sintel     480  published\n"
            "a            7\n");
}

TEST(Table, CountsCodePointsAsColumns) {
  Table table{{{"NAME"}, {"X"}}};
  table.add({"Amélie", "1"});
  table.add({"abcdef", "2"});
  EXPECT_EQ(table.render(Terminal{}), "NAME    X\nAmélie  1\nabcdef  2\n");
}

TEST(Table, EmptyTableIsItsHeadings) {
  EXPECT_EQ((Table{{{"A"}, {"B"}}}.render(Terminal{})), "A  B\n");
}

TEST(Terminal, ControlCharactersDoNotReachIt) {
  EXPECT_EQ(printable("a\033[2Jb\nc\x7f"), "a?[2Jb?c?");
  EXPECT_EQ(printable("x\xC2\x9By"), "x?y");
  EXPECT_EQ(printable("caf\xC3\xA9"), "caf\xC3\xA9");
}

TEST(Terminal, StylesOnlyWhereColourIs) {
  EXPECT_EQ(styled(Terminal{}, Style::good, "ok"), "ok");
  EXPECT_EQ(styled(Terminal{true, true, true, 80}, Style::good, "ok"), "\033[32mok\033[0m");
  EXPECT_EQ(styled(Terminal{true, true, true, 80}, Style::plain, "ok"), "ok");
}

}  // namespace
}  // namespace reelway::cli
