// Runs the tests of one folder. Suites named ChildRole... are no tests but what a test runs in a process of its own
// (to kill it, or to confine it): the test starts this program again with a filter that names one. They are left out
// of every other run, and so of what CTest lists.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  std::string filter = testing::GTEST_FLAG(filter);
  if (!filter.starts_with("ChildRole")) {
    filter += filter.find('-') == std::string::npos ? "-ChildRole*" : ":ChildRole*";
    testing::GTEST_FLAG(filter) = filter;
  }
  return RUN_ALL_TESTS();
}
