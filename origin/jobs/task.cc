#include "origin/jobs/task.h"

#include <array>

#include "origin/catalog/record_fields.h"
#include "origin/transcode/channel_mix.h"

namespace reelway::origin {
namespace {

using Json = nlohmann::json;

// Far more than plan_encode() makes of the longest film that can be indexed.
constexpr std::uint64_t kFramesMax = 1u << 22;
constexpr std::uint64_t kPartsMax = 4096;

std::string key_of(std::string_view prefix, std::string_view job, std::string_view part) {
  return std::string(prefix).append(job).append("/").append(part);
}

// The objects of an array, each read by `parse`.
template <class Entry, class Parse>
std::vector<Entry> entries(std::string_view key, RecordFields& fields, const char* name, Parse parse) {
  std::vector<Entry> list;
  const Json* array = fields.find(name);
  if (array == nullptr || !array->is_array()) return fields.fail(name), list;
  for (const Json& value : *array) {
    RecordFields entry(key, value);
    Result<Entry> parsed = entry.finish(parse(entry));
    if (!parsed.ok()) return fields.fail(name), list;
    list.push_back(std::move(parsed).value());
  }
  return list;
}

AudioOutput audio_output(std::string_view key, RecordFields& fields) {
  AudioOutput output{fields.number<int>("stream"),
                     fields.text("language"),
                     fields.text("name"),
                     fields.flag("default"),
                     fields.text("track"),
                     {},
                     {}};
  // Absent in plans of before sound was levelled and surround sound was made.
  if (fields.find("codec") != nullptr) {
    const std::optional<SoundCodec> codec = sound_codec_of(fields.text("codec"));
    if (!codec) fields.fail("codec");
    output.codec = codec.value_or(SoundCodec::aac);
  }
  if (fields.find("source") != nullptr) output.source = fields.text("source");
  if (fields.find("layout") != nullptr) output.layout = known_layout(fields.text("layout"), 0);
  if (const Json* level = fields.find("level"); level != nullptr) {
    const Result<SoundLevel> parsed = parse_level(key, *level);
    if (parsed.ok())
      output.level = *parsed;
    else
      fields.fail("level");
  }
  return output;
}

// What follows is absent, or a flag, in plans of before pictures were cropped.

constexpr std::array<std::string_view, 4> kDeinterlaces{"none", "flagged", "found", "telecine"};

Deinterlace deinterlace_of(RecordFields& fields) {
  const Json* given = fields.find("deinterlace");
  if (given == nullptr || !given->is_boolean()) return fields.state<Deinterlace>("deinterlace", kDeinterlaces);
  return given->get<bool>() ? Deinterlace::flagged : Deinterlace::none;
}

Json crop_value(const std::optional<CropFrame>& crop) {
  if (!crop) return nullptr;
  return {{"width", crop->width}, {"height", crop->height}, {"x", crop->x}, {"y", crop->y}};
}

std::optional<CropFrame> crop_of(std::string_view key, RecordFields& fields) {
  const Json* given = fields.find("crop");
  if (given == nullptr || given->is_null()) return std::nullopt;
  RecordFields crop(key, *given);
  const Result<CropFrame> parsed =
      crop.finish(CropFrame{crop.number<std::uint32_t>("width"), crop.number<std::uint32_t>("height"),
                            crop.number<std::uint32_t>("x"), crop.number<std::uint32_t>("y")});
  if (!parsed.ok()) return fields.fail("crop"), std::nullopt;
  return *parsed;
}

}  // namespace

std::string plan_key(std::string_view job) {
  return std::string(kPlanPrefix).append(job);
}
std::string task_key(std::string_view job, std::string_view part) {
  return key_of(kTaskPrefix, job, part);
}
std::string claim_key(std::string_view job, std::string_view part) {
  return key_of(kClaimPrefix, job, part);
}

std::string to_json(const EncodePlan& plan) {
  Json rungs = Json::array(), audio = Json::array();
  for (const Rung& rung : plan.rungs) {
    rungs.push_back({{"width", rung.width},
                     {"height", rung.height},
                     {"bits_per_second", rung.bits_per_second},
                     {"table_bits_per_second", rung.table_bits},
                     {"track", rung.track_id}});
  }
  for (const AudioOutput& output : plan.audio) {
    audio.push_back({{"stream", output.stream},
                     {"language", output.language},
                     {"name", output.name},
                     {"default", output.is_default},
                     {"track", output.track_id},
                     {"codec", name_of(output.codec)},
                     {"layout", output.layout},
                     {"level", level_value(output.level)},
                     {"source", output.source}});
  }
  return dump_record({{"video_stream", plan.video_stream},
                      {"deinterlace", kDeinterlaces[static_cast<std::size_t>(plan.deinterlace)]},
                      {"crop", crop_value(plan.crop)},
                      {"probe", probe_value(plan.probe)},
                      {"tone_map", plan.tone_map},
                      {"rate_numerator", plan.rate.numerator},
                      {"rate_denominator", plan.rate.denominator},
                      {"group_frames", plan.group_frames},
                      {"frames", plan.frames},
                      {"chunk_frames", plan.chunk_frames},
                      {"still_s", plan.still_s},
                      {"rungs", std::move(rungs)},
                      {"audio", std::move(audio)}});
}

Result<EncodePlan> parse_plan(std::string_view key, std::string_view json) {
  RecordFields fields(key, json);
  EncodePlan plan;
  plan.video_stream = fields.number<int>("video_stream");
  plan.deinterlace = deinterlace_of(fields);
  plan.crop = crop_of(key, fields);
  plan.probe = probe_of(key, fields);
  plan.tone_map = fields.flag("tone_map");
  plan.rate.numerator = fields.number<decltype(plan.rate.numerator)>("rate_numerator");
  plan.rate.denominator = fields.number<decltype(plan.rate.denominator)>("rate_denominator");
  plan.group_frames = fields.number<std::uint32_t>("group_frames");
  plan.frames = fields.number<std::uint64_t>("frames");
  plan.chunk_frames = fields.number<std::uint64_t>("chunk_frames");
  plan.still_s = fields.number<double>("still_s");
  plan.rungs = entries<Rung>(key, fields, "rungs", [](RecordFields& rung) {
    const auto bits = rung.number<std::uint32_t>("bits_per_second");
    const bool is_new = rung.find("table_bits_per_second") != nullptr;
    return Rung{rung.number<std::uint32_t>("width"), rung.number<std::uint32_t>("height"), bits, rung.text("track"),
                is_new ? rung.number<std::uint32_t>("table_bits_per_second") : bits};
  });
  plan.audio =
      entries<AudioOutput>(key, fields, "audio", [&](RecordFields& output) { return audio_output(key, output); });
  if (plan.rate.numerator == 0 || plan.rate.denominator == 0) fields.fail("rate");
  if (plan.rungs.empty()) fields.fail("rungs");
  if (plan.group_frames == 0 || plan.frames == 0 || plan.frames > kFramesMax) fields.fail("frames");
  const bool is_chunked = plan.chunk_frames != 0 && plan.group_frames != 0;
  if (is_chunked && (plan.chunk_frames % plan.group_frames != 0 || plan.frames / plan.chunk_frames > kPartsMax)) {
    fields.fail("chunk_frames");
  }
  return fields.finish(std::move(plan));
}

std::string to_json(const TaskRecord& record) {
  Json files = Json::array();
  for (const TaskFile& file : record.files) {
    files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"crc32c", file.crc32c}});
  }
  return dump_record({{"claims", record.claims},
                      {"failures", record.failures},
                      {"done", record.done},
                      {"worker", record.worker},
                      {"token", record.token},
                      {"files", std::move(files)},
                      {"cost", cost_value(record.cost)}});
}

Result<TaskRecord> parse_task(std::string_view key, std::string_view json) {
  RecordFields fields(key, json);
  TaskRecord record;
  record.claims = fields.number<std::int64_t>("claims");
  record.failures = fields.number<std::int64_t>("failures");
  record.done = fields.flag("done");
  record.worker = fields.text("worker");
  record.token = fields.number<Revision>("token");
  record.files = entries<TaskFile>(key, fields, "files", [](RecordFields& file) {
    return TaskFile{file.text("name"), file.number<std::uint64_t>("bytes"), file.number<std::uint32_t>("crc32c")};
  });
  record.cost = cost_of(key, fields);
  return fields.finish(std::move(record));
}

std::string to_json(const ClaimRecord& record) {
  return dump_record({{"worker", record.worker}, {"nonce", record.nonce}, {"claimed_at_ms", record.claimed_at_ms}});
}

Result<ClaimRecord> parse_claim(std::string_view key, std::string_view json) {
  RecordFields fields(key, json);
  ClaimRecord record{fields.text("worker"), fields.text("nonce"), fields.number<std::int64_t>("claimed_at_ms")};
  return fields.finish(std::move(record));
}

}  // namespace reelway::origin
