#include "cli/import_report.h"

#include <spdlog/fmt/fmt.h>

#include "cli/quantity.h"
#include "cli/table.h"

namespace reelway::cli {

std::string objects_report(const std::vector<Json>& objects, const Terminal& terminal) {
  if (objects.empty()) return "No objects.\n";
  Table table({{"size", Align::right}, {"last modified"}, {"key"}});
  std::uint64_t bytes = 0;
  for (const Json& object : objects) {
    bytes += count_at(object, "size_bytes");
    table.add({format_bytes(count_at(object, "size_bytes")), text_at(object, "last_modified"), text_at(object, "key")});
  }
  return table.render(terminal) + fmt::format("\n{} objects, {}\n", objects.size(), format_bytes(bytes));
}

std::string imports_report(const Json& answer, const Terminal& terminal) {
  const Json& imports = list_at(answer, "imports");
  if (imports.empty()) return "No imports.\n";
  Table table(
      {{"import"}, {"state"}, {"received", Align::right}, {"size", Align::right}, {"title"}, {"from"}, {"error"}});
  for (const Json& each : imports) {
    table.add({text_at(each, "import"), text_at(each, "state"), format_bytes(count_at(each, "received_bytes")),
               count_at(each, "size_bytes") == 0 ? "not known" : format_bytes(count_at(each, "size_bytes")),
               text_at(each, "title"), text_at(each, "from"), text_at(object_at(each, "error"), "code")});
  }
  return table.render(terminal);
}

}  // namespace reelway::cli
