#include "origin/quality/metadata_reader.h"

#include <gtest/gtest.h>

#include <cmath>

namespace reelway::origin {
namespace {

struct Heard {
  std::vector<FrameRecord> records;
  std::vector<std::string> messages;
};

Heard read(std::initializer_list<const char*> lines) {
  Heard heard;
  MetadataReader reader([&](const FrameRecord& record) { heard.records.push_back(record); },
                        [&](std::string_view line) { heard.messages.emplace_back(line); });
  for (const char* line : lines) reader.add(line);
  return heard;
}

// As FFmpeg 5.1 prints them.
TEST(MetadataReader, ReadsRecordsAndMessagesInOrder) {
  const Heard heard = read({"frame:274  pts:822000  pts_time:9.13333", "lavfi.black_start=9.13333",
                            "lavfi.scd.mafd=0.535", "lavfi.idet.multiple.current_frame=undetermined", "reelway=v",
                            "[h264 @ 0x55f0c8] error while decoding MB 12 7, bytestream -5",
                            "Error while decoding stream #0:0: Invalid data found when processing input",
                            "frame:37   pts:164194  pts_time:3.72322", "lavfi.r128.I=-27.430",
                            "lavfi.astats.1.Peak_level=-inf", "reelway=a1"});
  ASSERT_EQ(heard.records.size(), 2);
  EXPECT_EQ(heard.records[0].branch, "v");
  EXPECT_NEAR(heard.records[0].time_s, 9.13333, 1e-9);
  EXPECT_EQ(heard.records[0].value("black_start"), 9.13333);
  EXPECT_FALSE(heard.records[0].value("idet.multiple.current_frame"));
  EXPECT_EQ(heard.records[1].branch, "a1");
  EXPECT_TRUE(std::isinf(*heard.records[1].value("astats.1.Peak_level")));
  EXPECT_EQ(heard.messages.size(), 2);
}

// MPEG-2 and MXF carry them.
TEST(MetadataReader, NotesOfTheFileAreNoMessages) {
  const Heard heard = read({"frame:0 pts:0 pts_time:0", "timecode=00:00:00:00", "lavfi.a=1", "reelway=v",
                            "S12M-1.timecode=10:00:00:00", "[mpeg2video @ 0x1] slice=3 damaged", "bad value x=1"});
  EXPECT_EQ(heard.records.size(), 1);
  EXPECT_EQ(heard.messages.size(), 2);
}

TEST(MetadataReader, LeavesOutWhatHasNoPlace) {
  const Heard heard = read({"lavfi.black_start=1", "reelway=v", "frame:0 pts:NOPTS pts_time:NOPTS", "lavfi.a=1",
                            "reelway=v", "", "frame:1 pts:1 pts_time:0.5", "frame:2 pts:2 pts_time:1", "reelway=c"});
  ASSERT_EQ(heard.records.size(), 1);
  EXPECT_EQ(heard.records[0].time_s, 1);
  EXPECT_TRUE(heard.messages.empty());
}

TEST(MetadataReader, ManyValuesAreCutOff) {
  std::size_t count = 0;
  MetadataReader reader([&](const FrameRecord& record) { count = record.values.size(); }, [](std::string_view) {});
  reader.add("frame:0 pts:0 pts_time:0");
  for (int i = 0; i < 1000; ++i) reader.add("lavfi.a" + std::to_string(i) + "=1");
  reader.add("reelway=v");
  EXPECT_EQ(count, kRecordValuesMax);
}

TEST(MetadataReader, TakesMessagesApart) {
  const ToolMessage library = parse_message("[aac @ 0x7f00] channel element 1.2 is not allocated");
  EXPECT_EQ(library.context, "aac");
  EXPECT_EQ(library.text, "channel element 1.2 is not allocated");
  EXPECT_FALSE(library.stream);
  const ToolMessage program = parse_message("Error while decoding stream #0:12: Invalid data");
  EXPECT_EQ(program.context, "");
  EXPECT_EQ(program.stream, 12);
  EXPECT_EQ(parse_message("[broken").text, "[broken");
  EXPECT_EQ(parse_message("[x] y").context, "x");
}

}  // namespace
}  // namespace reelway::origin
