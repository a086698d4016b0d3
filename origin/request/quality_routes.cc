#include <algorithm>

#include "origin/catalog/published_version.h"
#include "origin/quality/finding_list.h"
#include "origin/quality/quality_store.h"
#include "origin/request/api_routes.h"
#include "origin/request/body_fields.h"
#include "origin/request/iso_time.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

json finding_object(const Finding& finding) {
  const RuleInfo& rule = rule_info(finding.rule);
  json value = {{"id", finding.id},
                {"rule", rule.name},
                {"severity", name_of(finding.severity)},
                {"stream", finding.stream},
                {"from_s", finding.from_s},
                {"to_s", finding.to_s},
                {"from", time_code(finding.from_s)},
                {"to", time_code(finding.to_s)},
                {"measured", finding.measured},
                {"limit", finding.limit},
                {"unit", rule.unit},
                {"explanation", finding.explanation},
                {"remedy", rule.remedy},
                {"picture", finding.picture.empty() ? json(nullptr) : json(finding.picture)}};
  if (finding.waiver) {
    value["waiver"] = {
        {"by", finding.waiver->by}, {"reason", finding.waiver->reason}, {"at", iso_time(finding.waiver->at_ms)}};
  }
  return value;
}

json measure_object(const SoundMeasure& measure) {
  return {{"integrated_lufs", measure.integrated_lufs}, {"true_peak_dbtp", measure.true_peak_dbtp}};
}

json loudness_object(const TrackLoudness& track) {
  json value = {{"stream", track.stream},
                {"integrated_lufs", track.integrated_lufs},
                {"range_lu", track.range_lu},
                {"true_peak_dbtp", track.true_peak_dbtp}};
  if (track.stereo) value["stereo"] = measure_object(*track.stereo);
  if (track.surround) value["surround"] = measure_object(*track.surround);
  return value;
}

json report_object(const QualityReport& report) {
  const Verdict judged = verdict(report);
  json value = {{"title", report.title},
                {"version", report.version},
                {"checked_at", iso_time(report.checked_at_ms)},
                {"duration_s", report.duration_s},
                {"holds", judged.holds},
                {"blocking", judged.blocking},
                {"warnings", judged.warnings},
                {"infos", judged.infos},
                {"waived", judged.waived},
                {"dropped", report.dropped},
                {"interlaced", report.interlaced},
                {"telecine", report.telecine},
                {"crop", nullptr},
                {"loudness", json::array()},
                {"findings", json::array()}};
  if (report.crop) {
    value["crop"] = {
        {"width", report.crop->width}, {"height", report.crop->height}, {"x", report.crop->x}, {"y", report.crop->y}};
  }
  for (const TrackLoudness& track : report.loudness) value["loudness"].push_back(loudness_object(track));
  for (const Finding& finding : report.findings) value["findings"].push_back(finding_object(finding));
  return value;
}

Result<Reply> report_of(const ApiServices& services, const std::string& title, const std::string& version) {
  const auto report = load_report(services.store, title, version);
  if (!report) return report.error();
  return Reply{200, report_object(*report)};
}

}  // namespace

Result<Reply> show_quality(const ApiServices& services, const ApiCall& call) {
  const auto title = services.catalog.title(call.parameters.at(0));
  if (!title) return title.error();
  return report_of(services, title->title, title->latest_version);
}

Result<Reply> show_version_quality(const ApiServices& services, const ApiCall& call) {
  const auto version = services.catalog.version(call.parameters.at(0), call.parameters.at(1));
  if (!version) return version.error();
  return report_of(services, version->title, version->version);
}

Result<Reply> show_finding_picture(const ApiServices& services, const ApiCall& call) {
  const auto version = services.catalog.version(call.parameters.at(0), call.parameters.at(1));
  if (!version) return version.error();
  const auto report = load_report(services.store, version->title, version->version);
  if (!report) return report.error();
  const std::string& id = call.parameters.at(2);
  const auto finding = std::find_if(report->findings.begin(), report->findings.end(),
                                    [&](const Finding& each) { return each.id == id && !each.picture.empty(); });
  if (finding == report->findings.end()) {
    return Error{ErrorCode::quality_finding_not_found, Side::client, false, "no finding " + id + " with a picture"};
  }
  const std::string folder = pictures_folder(services.config.data_dir, version->title, version->version);
  auto bytes = read_whole_file(folder + "/" + finding->picture, kPictureBytesMax);
  if (!bytes) return bytes.error();
  Reply reply;
  reply.content = as_text(*bytes);
  reply.content_type = finding->picture.ends_with(".png") ? "image/png" : "image/jpeg";
  return reply;
}

Result<Reply> waive_finding(const ApiServices& services, const ApiCall& call) {
  BodyFields fields(call.body);
  WaiveRequest request;
  request.by = fields.text("by");
  request.reason = fields.text("reason");
  REELWAY_TRY(fields.finish());
  const auto version = services.catalog.version(call.parameters.at(0), call.parameters.at(1));
  if (!version) return version.error();
  request.title = version->title;
  request.version = version->version;
  request.finding = call.parameters.at(2);
  const auto report = waive(services.store, services.clock, request);
  if (!report) return report.error();
  REELWAY_TRY(services.jobs.reconsider(request.title, request.version));
  return Reply{200, report_object(*report)};
}

}  // namespace reelway::origin
