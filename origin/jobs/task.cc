#include "origin/jobs/task.h"

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
                      {"deinterlace", plan.deinterlace},
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
  plan.deinterlace = fields.flag("deinterlace");
  plan.tone_map = fields.flag("tone_map");
  plan.rate.numerator = fields.number<decltype(plan.rate.numerator)>("rate_numerator");
  plan.rate.denominator = fields.number<decltype(plan.rate.denominator)>("rate_denominator");
  plan.group_frames = fields.number<std::uint32_t>("group_frames");
  plan.frames = fields.number<std::uint64_t>("frames");
  plan.chunk_frames = fields.number<std::uint64_t>("chunk_frames");
  plan.still_s = fields.number<double>("still_s");
  plan.rungs = entries<Rung>(key, fields, "rungs", [](RecordFields& rung) {
    return Rung{rung.number<std::uint32_t>("width"), rung.number<std::uint32_t>("height"),
                rung.number<std::uint32_t>("bits_per_second"), rung.text("track")};
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
