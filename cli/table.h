#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"

namespace reelway::cli {

enum class Align : unsigned char { left, right };

struct Column {
  std::string heading;
  Align align = Align::left;
};

// Rows of text in columns as wide as their widest cell, two spaces apart, headings first. Cells go through
// printable(); a row shorter than the columns is filled with empty cells. Every line ends in a newline and
// none in spaces.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void add(std::vector<std::string> cells);
  std::string render(const Terminal& terminal) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace reelway::cli
