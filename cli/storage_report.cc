#include "cli/storage_report.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <set>

#include "cli/quantity.h"
#include "cli/table.h"

namespace reelway::cli {
namespace {

bool is_damaged(const Json& file) {
  const Json& finding = object_at(file, "finding");
  return !finding.empty() && text_at(finding, "mended_at").empty();
}

bool is_mended(const Json& file) {
  return !object_at(file, "finding").empty() && !is_damaged(file);
}

std::string health(std::size_t damaged, std::size_t mended) {
  std::string text = damaged > 0 ? fmt::format("{} damaged", damaged) : "";
  if (mended > 0) text += fmt::format("{}{} mended", text.empty() ? "" : ", ", mended);
  return text.empty() ? "sound" : text;
}

// The earliest of a version's files; "-" while one of them was never read again. Of those in the bucket only the store
// takes care.
std::string scrubbed_text(const Json& files) {
  std::string earliest;
  for (const Json& file : files) {
    const std::string place = text_at(file, "place"), at = text_at(file, "scrubbed_at");
    if (place == "bucket" || place == "removed") continue;
    if (at.empty()) return "-";
    if (earliest.empty() || at < earliest) earliest = at;
  }
  return earliest.empty() ? "-" : earliest;
}

// "both", or all that occur: "both, disk".
std::string places_text(const Json& files, bool originals) {
  std::set<std::string> places;
  for (const Json& file : files) {
    if ((text_at(file, "kind") == "original") == originals) places.insert(text_at(file, "place"));
  }
  std::string text;
  for (const std::string& place : places) text += (text.empty() ? "" : ", ") + place;
  return text.empty() ? "-" : text;
}

std::string findings_text(const Json& version) {
  std::string text;
  for (const Json& file : list_at(version, "files")) {
    const Json& finding = object_at(file, "finding");
    if (finding.empty()) continue;
    text += printable(fmt::format("{} {} {}: found {} at byte {} ({} bytes, places: {}): {}", text_at(version, "title"),
                                  text_at(version, "version"), text_at(file, "file"), text_at(finding, "found_at"),
                                  count_at(finding, "offset"), count_at(finding, "bytes"), count_at(finding, "places"),
                                  text_at(finding, "detail"))) +
            "\n";
    const std::string mended = text_at(finding, "mended_at"), error = text_at(finding, "mending_error");
    if (!mended.empty()) text += printable("  mended " + mended + " from the second copy") + "\n";
    if (mended.empty() && !error.empty()) text += printable("  not mended: " + error) + "\n";
  }
  return text;
}

std::string files_table(const Json& version, const Terminal& terminal) {
  Table table({{"FILE"}, {"PLACE"}, {"BYTES", Align::right}, {"STATE"}, {"LAST READ"}, {"COPY"}});
  for (const Json& file : list_at(version, "files")) {
    const std::string state = is_damaged(file) ? "damaged" : is_mended(file) ? "mended" : "sound";
    table.add({text_at(file, "file"), text_at(file, "place"), std::to_string(count_at(file, "bytes")), state,
               text_at(file, "scrubbed_at"), text_at(object_at(file, "copy"), "url")});
  }
  return table.render(terminal);
}

}  // namespace

std::string storage_report(const Json& answer, bool each_file, const Terminal& terminal) {
  const Json& versions = list_at(answer, "versions");
  if (versions.empty()) return "No titles.\n";
  Table table(
      {{"TITLE"}, {"VERSION"}, {"STATE"}, {"ORIGINAL"}, {"FILM"}, {"BYTES", Align::right}, {"FILES"}, {"LAST READ"}});
  std::string findings, details;
  for (const Json& version : versions) {
    const Json& files = list_at(version, "files");
    std::uint64_t bytes = 0;
    for (const Json& file : files) {
      const std::string place = text_at(file, "place");
      if (place != "removed" && place != "nowhere") bytes += count_at(file, "bytes");
    }
    const auto damaged = static_cast<std::size_t>(std::count_if(files.begin(), files.end(), is_damaged));
    const auto mended = static_cast<std::size_t>(std::count_if(files.begin(), files.end(), is_mended));
    table.add({text_at(version, "title"), text_at(version, "version"),
               text_at(version, "state") + (flag_at(version, "current") ? ", current" : ""), places_text(files, true),
               places_text(files, false), format_bytes(bytes), health(damaged, mended), scrubbed_text(files)});
    findings += findings_text(version);
    if (each_file && !files.empty()) {
      details += "\n" + printable(text_at(version, "title") + " " + text_at(version, "version")) + "\n" +
                 files_table(version, terminal);
    }
  }
  return table.render(terminal) + details + (findings.empty() ? "" : "\n" + findings);
}

std::string collection_report(const Json& answer, const Terminal& terminal) {
  const Json& removals = list_at(answer, "removals");
  const bool is_dry = flag_at(answer, "dry_run");
  if (removals.empty()) return is_dry ? "Nothing would be removed.\n" : "Nothing was removed.\n";
  Table table({{"WHAT"}, {"TITLE"}, {"VERSION"}, {"BYTES", Align::right}, {"WHY"}});
  std::uint64_t bytes = 0;
  for (const Json& removal : removals) {
    bytes += count_at(removal, "bytes");
    const std::string what = text_at(removal, "what");
    table.add({what == "move" ? "original, from the disk" : what, text_at(removal, "title"),
               text_at(removal, "version"), format_bytes(count_at(removal, "bytes")), text_at(removal, "reason")});
  }
  return table.render(terminal) +
         fmt::format("{} {} of the disk.\n", is_dry ? "This would free" : "This frees", format_bytes(bytes));
}

std::string scrub_report(const Json& answer) {
  const std::uint64_t found = count_at(answer, "found"), mended = count_at(answer, "mended");
  std::string text =
      fmt::format("{} files read, {}: ", count_at(answer, "files"), format_bytes(count_at(answer, "bytes")));
  if (found == 0) return text + "all as they were written.\n";
  text += fmt::format("{} damaged, {} mended from the second copy.\n", found, mended);
  return text + "See which with: reelway storage\n";
}

}  // namespace reelway::cli
