#include "cli/title_report.h"

#include <spdlog/fmt/fmt.h>

#include "cli/quantity.h"
#include "cli/table.h"
#include "common/base/error.h"

namespace reelway::cli {
namespace {

std::string duration_cell(const Json& object) {
  const auto duration_ms = number_at(object, "duration_ms");
  if (!duration_ms || *duration_ms <= 0) return "-";
  return format_play_time(std::chrono::milliseconds{static_cast<std::int64_t>(*duration_ms)});
}

std::string or_dash(std::string text) {
  return text.empty() ? "-" : text;
}

std::string channels_cell(std::uint64_t channels) {
  if (channels == 0) return "-";
  if (channels == 1) return "mono";
  if (channels == 2) return "stereo";
  return channels == 6 ? "5.1" : fmt::format("{} channels", channels);
}

// Of a picture its size, of sound its channels.
std::string size_cell(const Json& rendition) {
  if (text_at(rendition, "kind") == "audio") return channels_cell(count_at(rendition, "channels"));
  const auto width = count_at(rendition, "width");
  const auto height = count_at(rendition, "height");
  return height == 0 ? "-" : fmt::format("{}x{}", width, height);
}

std::string bit_rate_cell(const Json& rendition, const char* key) {
  const auto rate = count_at(rendition, key);
  return rate == 0 ? "-" : format_bit_rate(rate);
}

std::string loudness_cell(const Json& rendition) {
  const Json& loudness = object_at(rendition, "loudness");
  const auto measured = number_at(loudness, "measured_lufs"), gain_db = number_at(loudness, "gain_db");
  if (!measured || !gain_db) return "-";
  return fmt::format("{:.1f} LUFS ({:+.1f} dB)", *measured + *gain_db, *gain_db);
}

// Why a track is not as loud as was asked for; empty when it is.
std::string loudness_note(const Json& rendition) {
  const Json& loudness = object_at(rendition, "loudness");
  const std::string end = text_at(loudness, "end");
  std::string why;
  if (end == "peak") why = "its peaks would pass the ceiling";
  if (end == "limit") why = "no track is given that much gain";
  if (end == "silent") why = "it is silent";
  if (end == "unmeasured") why = "its source was not measured";
  if (why.empty()) return {};
  return fmt::format("  {} is not at {:.1f} LUFS: {}\n", printable(text_at(rendition, "id")),
                     number_at(loudness, "target_lufs").value_or(0), why);
}

std::string renditions_table(const Json& renditions, const Terminal& terminal) {
  Table table{{{"RENDITION"},
               {"SIZE", Align::right},
               {"CODEC"},
               {"PEAK", Align::right},
               {"AVERAGE", Align::right},
               {"FRAMES", Align::right},
               {"DURATION", Align::right},
               {"ON DISK", Align::right},
               {"LOUDNESS"}}};
  std::string notes;
  for (const Json& rendition : renditions) {
    table.add({text_at(rendition, "id"), size_cell(rendition), or_dash(text_at(rendition, "codecs")),
               bit_rate_cell(rendition, "bandwidth"), bit_rate_cell(rendition, "average_bandwidth"),
               std::to_string(count_at(rendition, "frames")), duration_cell(rendition),
               format_bytes(count_at(rendition, "bytes")), loudness_cell(rendition)});
    notes += loudness_note(rendition);
  }
  return table.render(terminal) + notes;
}

// What each rung was given, beside the table for films of that size.
std::string rates_text(const Json& version, const Terminal& terminal) {
  Table table{{{"RUNG"}, {"TABLE", Align::right}, {"CHOSEN", Align::right}, {"SAVING", Align::right}}};
  bool is_known = false;
  for (const Json& rendition : list_at(version, "renditions")) {
    const auto fixed = count_at(rendition, "table_bandwidth"), chosen = count_at(rendition, "target_bandwidth");
    if (fixed == 0) continue;
    is_known = true;
    const double saving = 100 * (1 - static_cast<double>(chosen) / static_cast<double>(fixed));
    table.add(
        {text_at(rendition, "id"), format_bit_rate(fixed), format_bit_rate(chosen), fmt::format("{:.0f} %", saving)});
  }
  const Json& probe = object_at(version, "per_title");
  if (!is_known || count_at(probe, "samples") == 0) return {};
  return fmt::format("  bit rates chosen for this film by {} samples ({:.0f} s of it, {:.1f} s of CPU)\n",
                     count_at(probe, "samples"), number_at(probe, "seconds").value_or(0),
                     number_at(probe, "cpu_s").value_or(0)) +
         table.render(terminal);
}

std::string state_text(const Terminal& terminal, const std::string& state) {
  const bool is_bad = state == "failed" || state == "unpublished";
  const Style style = state == "published" ? Style::good : is_bad ? Style::bad : Style::accent;
  return styled(terminal, style, printable(state));
}

std::string error_line(const Json& holder) {
  const Json& error = field_at(holder, "error");
  return error.is_null() ? std::string{} : "  " + printable(error_text(error)) + "\n";
}

}  // namespace

std::string error_text(const Json& error) {
  if (!error.is_object()) return shown(error);
  // An error inside another document has the fields of an error body, with or without its outer "error".
  const Json& fields = error.contains("error") ? object_at(error, "error") : error;
  const std::string code = text_at(fields, "code");
  for (const ErrorInfo& info : error_table()) {
    if (info.name == code) return describe({info.code, Side::upstream, false, text_at(fields, "detail")});
  }
  std::string text = code + ": " + text_at(fields, "message");
  if (const std::string detail = text_at(fields, "detail"); !detail.empty()) text += " (" + detail + ")";
  if (const std::string remedy = text_at(fields, "remedy"); !remedy.empty()) text += ". Remedy: " + remedy;
  return text + ".";
}

std::string titles_report(const Json& answer, const Terminal& terminal) {
  const Json& titles = list_at(answer, "titles");
  if (titles.empty()) return "No titles yet. Bring a film in with: reelway ingest FILE\n";
  Table table{{{"TITLE"}, {"NAME"}, {"STATE"}, {"VERSION"}, {"DURATION", Align::right}, {"CREATED"}}};
  std::string failures;
  for (const Json& title : titles) {
    table.add({text_at(title, "title"), or_dash(text_at(title, "name")), text_at(title, "state"),
               or_dash(text_at(title, "version")), duration_cell(title), or_dash(text_at(title, "created_at"))});
    const std::string error = error_line(title);
    if (!error.empty()) failures += "\n" + printable(text_at(title, "title")) + " failed:\n" + error;
  }
  return table.render(terminal) + failures;
}

std::string version_report(const Json& version, const Terminal& terminal) {
  std::string text = fmt::format("{}  {}  {}\n", styled(terminal, Style::bold, printable(text_at(version, "version"))),
                                 state_text(terminal, text_at(version, "state")), duration_cell(version));
  if (const std::string sha256 = text_at(version, "sha256"); !sha256.empty()) {
    text += "  original's SHA-256 " + printable(sha256) + "\n";
  }
  const Json& cost = object_at(version, "cost");
  if (const double cpu_s = number_at(cost, "cpu_s").value_or(0); cpu_s > 0) {
    text += fmt::format("  made with {:.1f} s of CPU, {} written\n", cpu_s, format_bytes(count_at(cost, "bytes")));
  }
  if (const Json& decision = object_at(version, "decision"); !decision.empty()) {
    text += "  decided by " + printable(text_at(decision, "by")) + " at " + printable(text_at(decision, "at"));
    if (const std::string reason = text_at(decision, "reason"); !reason.empty()) text += ": " + printable(reason);
    text += "\n";
  }
  if (text_at(version, "state") == "ready") text += "  waits for approval: reelway approve TITLE, or reelway reject\n";
  text += error_line(version);
  const Json& renditions = list_at(version, "renditions");
  if (!renditions.empty()) text += renditions_table(renditions, terminal) + rates_text(version, terminal);
  return text;
}

std::string title_report(const Json& title, const Terminal& terminal) {
  std::string text = styled(terminal, Style::bold, printable(text_at(title, "title")));
  if (const std::string name = text_at(title, "name"); !name.empty()) text += "  " + printable(name);
  text += "  " + state_text(terminal, text_at(title, "state")) + "\n" + error_line(title);
  for (const Json& event : list_at(title, "history")) {
    text += "  " + printable(text_at(event, "at")) + "  " + printable(text_at(event, "action")) + " " +
            printable(text_at(event, "version"));
    if (const std::string by = text_at(event, "by"); !by.empty()) text += " by " + printable(by);
    if (const std::string reason = text_at(event, "reason"); !reason.empty()) text += ": " + printable(reason);
    text += "\n";
  }
  for (const Json& version : list_at(title, "versions")) text += "\n" + version_report(version, terminal);
  return text;
}

}  // namespace reelway::cli
