#include "origin/transcode/jpeg_cutter.h"

#include <gtest/gtest.h>

#include "common/base/crc32c.h"

namespace reelway::origin {
namespace {

using namespace std::string_view_literals;

// SOI, a segment that holds the bytes of an end and a beginning, a scan with a zero after a mark, a restart and fill
// bytes, EOI.
constexpr std::string_view kImage =
    "\xFF\xD8\xFF\xE0\x00\x06\xFF\xD9\xFF\xD8\xFF\xDA\x00\x03!data\xFF\x00more\xFF\xD0rest\xFF\xFF\xD9"sv;
constexpr std::string_view kOther = "\xFF\xD8\xFF\xDA\x00\x02x\xFF\xD9"sv;

std::vector<JpegCutter::Image> cut(std::string_view file, std::size_t piece, bool* fits = nullptr) {
  std::vector<JpegCutter::Image> images;
  JpegCutter cutter([&](const JpegCutter::Image& image) { images.push_back(image); });
  Result<void> taken;
  for (std::size_t at = 0; at < file.size() && taken.ok(); at += piece)
    taken = cutter.add(as_bytes(file.substr(at, piece)));
  if (taken.ok()) taken = cutter.finish();
  if (fits != nullptr) *fits = taken.ok();
  return images;
}

TEST(JpegCutter, FindsEachImageHoweverTheFileIsCut) {
  const std::string file = std::string(kImage) + std::string(kOther) + std::string(kImage);
  for (std::size_t piece = 1; piece <= file.size(); ++piece) {
    bool fits = false;
    const auto images = cut(file, piece, &fits);
    ASSERT_TRUE(fits) << piece;
    ASSERT_EQ(images.size(), 3) << piece;
    EXPECT_EQ(images[0].bytes, kImage.size());
    EXPECT_EQ(images[0].crc32c, crc32c(as_bytes(kImage)));
    EXPECT_EQ(images[1].crc32c, crc32c(as_bytes(kOther)));
    EXPECT_EQ(images[2].crc32c, images[0].crc32c);
  }
}

TEST(JpegCutter, RefusesWhatIsNone) {
  for (const std::string_view file : {"x"sv, "\xFF\xD9"sv, "\xFF\xD8x"sv, "\xFF\xD8\xFF\xD8"sv, "\xFF\xD8\xFF\x00"sv,
                                      "\xFF\xD8\xFF\xE0\x00\x01"sv, kImage.substr(0, kImage.size() - 1)}) {
    bool fits = true;
    EXPECT_TRUE(cut(file, file.size(), &fits).empty());
    EXPECT_FALSE(fits);
  }
}

}  // namespace
}  // namespace reelway::origin
