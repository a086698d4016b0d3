#include "cli/explain_report.h"

#include <spdlog/fmt/fmt.h>

#include "cli/quantity.h"
#include "cli/title_report.h"

namespace reelway::cli {
namespace {

std::string row(const std::string& name, const std::string& value) {
  return value.empty() ? std::string{} : fmt::format("  {:<11} {}\n", name, printable(value));
}

std::string mark(const Terminal& terminal, bool good) {
  return good ? styled(terminal, Style::good, "ok") : styled(terminal, Style::bad, "refused");
}

std::string validity(const Json& token, std::int64_t now_s) {
  const auto from = static_cast<std::int64_t>(number_at(token, "not_before_s").value_or(0));
  const auto until = static_cast<std::int64_t>(number_at(token, "expires_s").value_or(0));
  if (now_s >= until) return "expired " + format_span(std::chrono::seconds{now_s - until}) + " ago";
  if (now_s < from) return "begins in " + format_span(std::chrono::seconds{from - now_s});
  return format_span(std::chrono::seconds{until - now_s}) + " left";
}

std::string step_line(std::size_t number, const Json& step, const Terminal& terminal) {
  const std::string verdict = text_at(step, "verdict");
  const Style style = verdict == "ok" ? Style::good : verdict == "refused" ? Style::bad : Style::accent;
  const std::string padding(verdict.size() < 8 ? 8 - verdict.size() : 0, ' ');
  std::string words = text_at(step, "code");
  if (const std::string detail = text_at(step, "detail"); !detail.empty())
    words += (words.empty() ? "" : ": ") + detail;
  if (!words.empty()) words = padding + " " + printable(words);
  return fmt::format("  {}. {:<10} {}{}\n", number, printable(text_at(step, "step")),
                     styled(terminal, style, printable(verdict)), words);
}

std::string seconds_text(const Json& object, const char* key) {
  const auto seconds = number_at(object, key);
  return seconds ? format_span(std::chrono::seconds{static_cast<std::int64_t>(*seconds)}) : std::string{};
}

std::string object_text(const Json& object) {
  if (object.empty()) return {};
  std::string text = fmt::format("{} {}, {}", shown(field_at(object, "status")), text_at(object, "content_type"),
                                 format_bytes(count_at(object, "length")));
  if (const std::string age = seconds_text(object, "age_s"); !age.empty()) text += ", age " + age;
  if (const std::string fresh = seconds_text(object, "fresh_s"); !fresh.empty()) text += ", fresh for " + fresh;
  if (const std::string etag = shown(field_at(object, "etag")); !etag.empty()) text += ", ETag " + etag;
  if (const std::string crc = shown(field_at(object, "crc32c")); !crc.empty()) text += ", CRC32C " + crc;
  return text;
}

}  // namespace

std::string verdict_report(const Json& verdict, std::int64_t now_s, const Terminal& terminal) {
  const Json& token = object_at(verdict, "token");
  std::string text = styled(terminal, Style::bold, "The URL") + "\n" + row("object", text_at(verdict, "object_path"));
  if (!token.empty()) {
    text += row("title", text_at(token, "title") + " " + text_at(verdict, "version"));
    text += row("key", std::to_string(count_at(token, "kid")));
    text += row("not before", text_at(token, "not_before"));
    text += row("expires", text_at(token, "expires") + " (" + validity(token, now_s) + ")");
    text += row("session", text_at(token, "session"));
    text += row("view", text_at(token, "view"));
    text += row("entitlement", text_at(token, "entitlement"));
  }
  const bool good = text_at(verdict, "verdict") == "ok";
  text += fmt::format("  {:<11} {}{}\n", "token", mark(terminal, good),
                      good ? ", signature and rental aside: the edges judge them" : "");
  if (!good) text += row("reason", error_text(field_at(verdict, "error")));
  return text;
}

std::string edge_report(const Json& answer, const Terminal& terminal) {
  const std::string id = text_at(answer, "edge_id");
  std::string text =
      styled(terminal, Style::bold,
             "Edge " + printable(id.empty() ? text_at(answer, "edge") : id + " at " + text_at(answer, "edge")));
  if (field_at(answer, "asked_by_url") == true) text += " (the URL's edge)";
  text += "\n";
  if (!field_at(answer, "error").is_null()) return text + row("error", error_text(field_at(answer, "error")));
  std::size_t number = 0;
  for (const Json& step : list_at(answer, "steps")) text += step_line(++number, step, terminal);
  text += row("cache key", shown(field_at(answer, "cache_key")));
  text += row("tier", shown(field_at(answer, "tier")));
  text += row("object", object_text(object_at(answer, "object")));
  const std::string would = shown(field_at(answer, "would"));
  const Style style = would.starts_with("hit") ? Style::good : would.starts_with("miss") ? Style::accent : Style::bad;
  return text + fmt::format("  {:<11} {}\n", "would", styled(terminal, style, printable(would)));
}

}  // namespace reelway::cli
