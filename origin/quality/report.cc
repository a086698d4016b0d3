#include "origin/quality/report.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace reelway::origin {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;
constexpr double kSameMoment_s = 0.5;

Json waiver_json(const std::optional<Waiver>& waiver) {
  if (!waiver) return nullptr;
  return {{"by", waiver->by}, {"reason", waiver->reason}, {"at_ms", waiver->at_ms}};
}

Json finding_json(const Finding& finding) {
  return {{"id", finding.id},
          {"rule", rule_info(finding.rule).name},
          {"severity", name_of(finding.severity)},
          {"stream", finding.stream},
          {"from_s", finding.from_s},
          {"to_s", finding.to_s},
          {"measured", finding.measured},
          {"limit", finding.limit},
          {"explanation", finding.explanation},
          {"picture", finding.picture},
          {"waiver", waiver_json(finding.waiver)}};
}

// Reads fields of one object; the first that is missing or of another kind is kept.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) {
    if (!json.is_object()) fail("object");
  }
  const Json* find(const char* name) const {
    const auto place = json_.is_object() ? json_.find(name) : json_.end();
    return place == json_.end() || place->is_null() ? nullptr : &*place;
  }
  std::string text(const char* name) {
    const Json* field = find(name);
    if (field != nullptr && field->is_string()) return field->get<std::string>();
    fail(name);
    return {};
  }
  double number(const char* name) {
    const Json* field = find(name);
    if (field != nullptr && field->is_number()) return field->get<double>();
    fail(name);
    return 0;
  }
  template <class Integer>
  Integer integer(const char* name) {
    const Json* field = find(name);
    if (field != nullptr && field->is_number_integer()) return field->get<Integer>();
    fail(name);
    return 0;
  }
  bool flag(const char* name) {
    const Json* field = find(name);
    if (field != nullptr && field->is_boolean()) return field->get<bool>();
    fail(name);
    return false;
  }
  const Json* list(const char* name) {
    const Json* field = find(name);
    if (field != nullptr && field->is_array()) return field;
    fail(name);
    return nullptr;
  }
  void fail(const char* name) {
    if (broken_.empty()) broken_ = name;
  }
  const std::string& broken() const { return broken_; }

 private:
  const Json& json_;
  std::string broken_;
};

std::string parse_finding(const Json& json, Finding& finding) {
  Fields fields(json);
  finding.id = fields.text("id");
  const auto rule = rule_of(fields.text("rule"));
  const auto severity = severity_of(fields.text("severity"));
  if (!rule) fields.fail("rule");
  if (!severity) fields.fail("severity");
  finding.rule = rule.value_or(Rule{});
  finding.severity = severity.value_or(Severity::warn);
  finding.stream = fields.integer<int>("stream");
  finding.from_s = fields.number("from_s");
  finding.to_s = fields.number("to_s");
  finding.measured = fields.number("measured");
  finding.limit = fields.number("limit");
  finding.explanation = fields.text("explanation");
  finding.picture = fields.text("picture");
  if (const Json* given = fields.find("waiver"); given != nullptr) {
    Fields waiver(*given);
    finding.waiver = Waiver{waiver.text("by"), waiver.text("reason"), waiver.integer<std::int64_t>("at_ms")};
    if (!waiver.broken().empty()) fields.fail("waiver");
  }
  return fields.broken();
}

Json measure_json(const SoundMeasure& measure) {
  return {{"integrated_lufs", measure.integrated_lufs}, {"true_peak_dbtp", measure.true_peak_dbtp}};
}

Json loudness_json(const TrackLoudness& track) {
  Json json = {{"stream", track.stream},
               {"integrated_lufs", track.integrated_lufs},
               {"range_lu", track.range_lu},
               {"true_peak_dbtp", track.true_peak_dbtp}};
  if (track.stereo) json["stereo"] = measure_json(*track.stereo);
  if (track.surround) json["surround"] = measure_json(*track.surround);
  return json;
}

std::optional<SoundMeasure> parse_measure(Fields& track, const char* name) {
  const Json* given = track.find(name);
  if (given == nullptr) return std::nullopt;
  Fields fields(*given);
  const SoundMeasure measure{fields.number("integrated_lufs"), fields.number("true_peak_dbtp")};
  if (!fields.broken().empty()) track.fail(name);
  return measure;
}

std::string parse_loudness(const Json& json, TrackLoudness& track) {
  Fields fields(json);
  track.stream = fields.integer<int>("stream");
  track.integrated_lufs = fields.number("integrated_lufs");
  track.range_lu = fields.number("range_lu");
  track.true_peak_dbtp = fields.number("true_peak_dbtp");
  track.stereo = parse_measure(fields, "stereo");
  track.surround = parse_measure(fields, "surround");
  return fields.broken();
}

std::string parse_crop(const Json& json, CropFrame& crop) {
  Fields fields(json);
  crop.width = fields.integer<std::uint32_t>("width");
  crop.height = fields.integer<std::uint32_t>("height");
  crop.x = fields.integer<std::uint32_t>("x");
  crop.y = fields.integer<std::uint32_t>("y");
  return fields.broken();
}

// Parses each entry of a list by `parse`, which says what is broken.
template <class Entry>
void read_list(Fields& fields, const char* name, std::vector<Entry>& entries,
               std::string (*parse)(const Json&, Entry&)) {
  const Json* list = fields.list(name);
  if (list == nullptr) return;
  for (const Json& json : *list) {
    if (!parse(json, entries.emplace_back()).empty()) return fields.fail(name);
  }
}

bool is_same(const Finding& one, const Finding& former) {
  return one.rule == former.rule && one.stream == former.stream &&
         std::abs(one.from_s - former.from_s) <= kSameMoment_s &&
         one.to_s - one.from_s <= former.to_s - former.from_s + kSameMoment_s;
}

}  // namespace

Verdict verdict(const QualityReport& report) {
  Verdict result;
  for (const Finding& finding : report.findings) {
    if (finding.waiver)
      ++result.waived;
    else if (finding.severity == Severity::block)
      ++result.blocking;
    else if (finding.severity == Severity::warn)
      ++result.warnings;
    else
      ++result.infos;
  }
  result.holds = result.blocking > 0;
  return result;
}

void keep_waivers(QualityReport& report, const QualityReport& former) {
  for (Finding& finding : report.findings) {
    for (const Finding& old : former.findings) {
      if (old.waiver && !finding.waiver && is_same(finding, old)) finding.waiver = old.waiver;
    }
  }
}

std::string pictures_folder(const std::string& data_dir, std::string_view title, std::string_view version) {
  return (data_dir + "/quality/").append(title).append("/").append(version);
}

std::string quality_key(std::string_view title, std::string_view version) {
  return std::string(kQualityPrefix).append(title).append("/").append(version);
}

std::string to_json(const QualityReport& report) {
  Json json = {{"format", kFormat},         {"duration_s", report.duration_s}, {"checked_at_ms", report.checked_at_ms},
               {"findings", Json::array()}, {"dropped", report.dropped},       {"loudness", Json::array()},
               {"crop", nullptr},           {"interlaced", report.interlaced}, {"telecine", report.telecine}};
  for (const Finding& finding : report.findings) json["findings"].push_back(finding_json(finding));
  for (const TrackLoudness& track : report.loudness) json["loudness"].push_back(loudness_json(track));
  if (report.crop) {
    json["crop"] = {
        {"width", report.crop->width}, {"height", report.crop->height}, {"x", report.crop->x}, {"y", report.crop->y}};
  }
  // Tags of a source may hold bytes that are not UTF-8.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<QualityReport> parse_quality_report(std::string_view key, std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  Fields fields(json);
  QualityReport report;
  const std::string_view names = key.substr(std::min(key.size(), kQualityPrefix.size()));
  const std::size_t slash = names.find('/');
  if (slash == std::string_view::npos) fields.fail("key");
  report.title = names.substr(0, slash);
  if (slash != std::string_view::npos) report.version = names.substr(slash + 1);
  if (fields.integer<int>("format") != kFormat) fields.fail("format");
  report.duration_s = fields.number("duration_s");
  report.checked_at_ms = fields.integer<std::int64_t>("checked_at_ms");
  report.dropped = fields.integer<std::uint64_t>("dropped");
  report.interlaced = fields.flag("interlaced");
  report.telecine = fields.flag("telecine");
  read_list(fields, "findings", report.findings, parse_finding);
  read_list(fields, "loudness", report.loudness, parse_loudness);
  if (const Json* crop = fields.find("crop"); crop != nullptr) {
    if (!parse_crop(*crop, report.crop.emplace()).empty()) fields.fail("crop");
  }
  if (fields.broken().empty()) return report;
  return Error{ErrorCode::stored_data_corrupt, Side::disk, false,
               "control store, key " + std::string(key) + ": " + fields.broken() + " is missing or not as expected"};
}

}  // namespace reelway::origin
