#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace reelway {

// Expects that a file of the repository holds what the code generates now.
inline void expect_generated(const std::string& file, const std::string& text) {
  const std::ifstream stream(std::string(REELWAY_SOURCE_DIR) + "/" + file, std::ios::binary);
  std::ostringstream content;
  content << stream.rdbuf();
  EXPECT_TRUE(content.str() == text) << file << " is not what the code generates. Write it anew with: ./dev reference";
}

}  // namespace reelway
