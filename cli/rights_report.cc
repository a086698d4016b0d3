#include "cli/rights_report.h"

#include <spdlog/fmt/fmt.h>

#include "cli/quantity.h"
#include "cli/table.h"

namespace reelway::cli {
namespace {

std::string time_text(const Json& object, const char* key) {
  const auto time_s = count_at(object, key);
  return time_s == 0 ? "-" : format_utc(static_cast<std::int64_t>(time_s));
}

std::string span_text(const Json& object, const char* key) {
  return format_span(std::chrono::seconds{static_cast<std::int64_t>(count_at(object, key))});
}

std::string height_text(const Json& object) {
  const auto height = count_at(object, "max_height");
  return height == 0 ? "all" : fmt::format("{}p", height);
}

std::string languages_text(const Json& object) {
  std::string text;
  for (const Json& language : list_at(object, "languages")) {
    if (language.is_string()) text += (text.empty() ? "" : " ") + language.get<std::string>();
  }
  return text.empty() ? "all" : text;
}

std::string digest_text(const Json& edge) {
  const Json& in_step = field_at(edge, "in_step");
  if (!in_step.is_boolean()) return "unknown";
  return in_step.get<bool>() ? "matches" : "DIFFERS";
}

std::string staleness_text(const Json& edge) {
  const auto staleness_ms = number_at(edge, "staleness_ms");
  return staleness_ms ? fmt::format("{:.1f} s", *staleness_ms / 1000) : "unknown";
}

std::string heard_text(const Json& edge) {
  if (!number_at(edge, "heard_ms_ago")) return "unknown";
  return format_span(std::chrono::seconds{static_cast<std::int64_t>(count_at(edge, "heard_ms_ago") / 1000)}) + " ago";
}

}  // namespace

std::string standing_text(const Json& entitlement) {
  const std::string standing = text_at(entitlement, "standing");
  const bool purchase = text_at(entitlement, "kind") == "purchase";
  if (standing == "unstarted") {
    const std::string until = time_text(entitlement, "start_by_s");
    if (until == "-") return "plays without end";
    return (purchase ? "plays until " : "starts before ") + until;
  }
  if (standing == "started") {
    const std::string until = time_text(entitlement, "view_until_s");
    return until == "-" ? "plays without end" : "plays until " + until;
  }
  const auto colon = standing.find(':');
  std::string text = colon == std::string::npos ? standing : standing.substr(colon + 1);
  if (count_at(entitlement, "ended_at_s") != 0) text += " at " + time_text(entitlement, "ended_at_s");
  const std::string state = text_at(entitlement, "state");
  if (!state.empty() && state != "active") text += ", " + state;
  if (const std::string reason = text_at(entitlement, "end_reason"); !reason.empty()) text += ": " + reason;
  return printable(text);
}

std::string order_report(const Json& order) {
  return fmt::format(
      "{} {} for {}, offer {}: {}\n  entitlement  {}\n  renditions   {}\n  languages    {}\n  streams      {}\n",
      field_at(order, "upgraded") == Json(true) ? "Upgraded to a purchase of"
      : text_at(order, "kind") == "purchase"    ? "Bought"
                                                : "Rented",
      printable(text_at(order, "title")), printable(text_at(order, "account")), printable(text_at(order, "offer")),
      standing_text(order), printable(text_at(order, "entitlement")), height_text(order),
      printable(languages_text(order)), count_at(order, "streams_max"));
}

Error order_error(Error error, const std::string& key) {
  if (error.retry || error.info().http_status >= 500) {
    error.detail += (error.detail.empty() ? "" : "; ") + ("repeat it safely with --key " + key);
  }
  return error;
}

std::string revoke_report(const Json& answer) {
  const std::string what = fmt::format("{} of {} for {}", printable(text_at(answer, "kind")),
                                       printable(text_at(answer, "title")), printable(text_at(answer, "account")));
  const std::string state = printable(text_at(answer, "state"));
  if (field_at(answer, "already_ended") == Json(true)) {
    return fmt::format("{} had ended before, as {}: nothing was changed.\n", what, state);
  }
  return fmt::format("{} is {}: edges refuse it as soon as the change has reached them.\n", what, state);
}

Result<void> check_edge_known(const Json& playback) {
  if (!list_at(playback, "urls").empty()) return {};
  return Error{ErrorCode::config_key_missing, Side::client, false,
               "no edge is known to play from: set public.url at an edge or public_edges at the origin"};
}

std::string entitlements_report(const Json& answer, const Terminal& terminal) {
  Table table{{{"ENTITLEMENT"}, {"TITLE"}, {"KIND"}, {"OFFER"}, {"ORDERED"}, {"FIRST PLAY"}, {"STANDING"}}};
  for (const Json& entitlement : list_at(answer, "entitlements")) {
    table.add({text_at(entitlement, "entitlement"), text_at(entitlement, "title"), text_at(entitlement, "kind"),
               text_at(entitlement, "offer"), time_text(entitlement, "ordered_at_s"),
               time_text(entitlement, "first_play_s"), standing_text(entitlement)});
  }
  std::string text = table.render(terminal);
  const Json& sessions = list_at(answer, "sessions");
  if (sessions.empty()) return text;
  Table playing{{{"PLAYING ON"}, {"TITLE"}, {"SINCE"}, {"SLOT FREE AT"}}};
  for (const Json& session : sessions) {
    const std::string device = text_at(session, "device");
    playing.add({device.empty() ? "(unnamed)" : device, text_at(session, "title"), time_text(session, "started_at_s"),
                 time_text(session, "deadline_s")});
  }
  return text + "\n" + playing.render(terminal);
}

std::string offers_report(const Json& answer, const Terminal& terminal) {
  Table table{{{"TITLE"},
               {"OFFER"},
               {"START WITHIN", Align::right},
               {"PLAYS FOR", Align::right},
               {"RENDITIONS", Align::right},
               {"LANGUAGES"},
               {"STREAMS", Align::right},
               {"LICENCE ENDS"}}};
  for (const Json& offer : list_at(answer, "offers")) {
    const std::string title = text_at(offer, "title");
    table.add({title == "-" ? "all titles" : title, text_at(offer, "name"), span_text(offer, "start_window_s"),
               span_text(offer, "play_window_s"), height_text(offer), languages_text(offer),
               std::to_string(count_at(offer, "streams_max")), time_text(offer, "licence_end_s")});
  }
  return table.render(terminal);
}

std::string edges_report(const Json& answer, const Terminal& terminal) {
  const Json& edges = list_at(answer, "edges");
  if (edges.empty()) return "No edge has been heard of yet: each polls the origin's media port once a second.\n";
  Table table{{{"EDGE"},
               {"URL"},
               {"STATE"},
               {"HEARD", Align::right},
               {"REVISION", Align::right},
               {"RECORDS", Align::right},
               {"STALENESS", Align::right},
               {"DIGEST"},
               {"REPAIRS", Align::right}}};
  for (const Json& edge : edges) {
    const std::string state = text_at(edge, "state");
    const bool silent = state == "silent";  // what it said last is no longer so
    table.add({text_at(edge, "edge"), text_at(edge, "url"), state, heard_text(edge),
               std::to_string(count_at(edge, "revision")), std::to_string(count_at(edge, "records")),
               silent ? "-" : staleness_text(edge), silent ? "-" : digest_text(edge),
               std::to_string(count_at(edge, "repairs"))});
  }
  return table.render(terminal) + fmt::format("\nOrigin: revision {}, {} records, digest {}\n",
                                              count_at(answer, "revision"), count_at(answer, "records"),
                                              printable(text_at(answer, "root")));
}

}  // namespace reelway::cli
