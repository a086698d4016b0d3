#include "cli/purge_report.h"

#include <spdlog/fmt/fmt.h>

#include "cli/title_report.h"

namespace reelway::cli {
namespace {

// A variant's key holds the values that selected it behind control characters; only what stands before is shown.
std::string readable_key(const std::string& key) {
  return printable(key.substr(0, key.find_first_of("\t\n")));
}

std::string edge_purge(const Json& edge, const Terminal& terminal) {
  std::string text = styled(terminal, Style::bold, "Edge " + printable(text_at(edge, "edge"))) + "\n";
  if (const Json& error = field_at(edge, "error"); !error.is_null()) return text + "  " + error_text(error) + "\n";
  text += fmt::format("  {} objects, {} in memory, {} on disk\n", count_at(edge, "objects"),
                      count_at(edge, "memory_objects"), count_at(edge, "disk_objects"));
  for (const Json& key : list_at(edge, "keys")) {
    if (key.is_string()) text += "    " + readable_key(key.get<std::string>()) + "\n";
  }
  if (field_at(edge, "truncated") == true) text += "    ...\n";
  return text;
}

}  // namespace

std::string purge_report(const Json& result, const Terminal& terminal) {
  std::string text;
  for (const Json& edge : list_at(result, "edges")) text += edge_purge(edge, terminal);
  return text;
}

}  // namespace reelway::cli
