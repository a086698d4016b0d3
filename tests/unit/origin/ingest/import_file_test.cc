#include "origin/ingest/import_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/base/crc32c.h"
#include "origin/ingest/import_record.h"
#include "tests/support/temporary_folder.h"

namespace reelway::origin {
namespace {

class ImportFileTest : public ::testing::Test {
 protected:
  static constexpr std::string_view kBytes = "0123456789";

  std::unique_ptr<ImportFile> open(std::string etag = "\"e\"") {
    auto file = ImportFile::open(path_, {kBytes.size(), 4, std::move(etag)});
    EXPECT_TRUE(file.ok()) << describe(file.error());
    return file.ok() ? std::move(file).value() : nullptr;
  }
  static void keep(ImportFile& file, std::size_t part) {
    const auto bytes = as_bytes(kBytes.substr(part * 4, 4));
    ASSERT_TRUE(file.write(file.offset_of(part), bytes).ok());
    ASSERT_TRUE(file.keep(part, crc32c(bytes)).ok());
  }
  static std::string text(ImportFile& file, std::size_t part) {
    std::string out;
    const auto right = file.read(part, [&](ByteView bytes) { out.append(as_text(bytes)); });
    return right.ok() && *right ? out : "wrong";
  }
  void damage(const std::string& file, std::size_t at) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    const int byte = stream.get();
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(static_cast<char>(byte ^ 1));
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.at("import");
};

TEST_F(ImportFileTest, PartsComeInAnyOrderAndSurvive) {
  {
    auto file = open();
    EXPECT_EQ(file->parts(), 3u);
    EXPECT_EQ(file->bytes_of(2), 2u);
    keep(*file, 2);
    keep(*file, 0);
    EXPECT_EQ(file->bytes_held(), 6u);
  }
  auto file = open();
  EXPECT_TRUE(file->holds(0) && !file->holds(1) && file->holds(2));
  EXPECT_EQ(file->bytes_held(), 6u);
  EXPECT_EQ(text(*file, 2), "89");
  EXPECT_EQ(std::filesystem::file_size(file->bytes_path()), kBytes.size());
}

TEST_F(ImportFileTest, OfAnotherContentNothingIsTakenUp) {
  keep(*open(), 0);
  EXPECT_FALSE(open("\"other\"")->holds(0));
  EXPECT_EQ(open("\"other\"")->bytes_held(), 0u);
}

TEST_F(ImportFileTest, ATornListLosesItsLastPartOnly) {
  {
    auto file = open();
    keep(*file, 0);
    keep(*file, 1);
  }
  const std::string list = path_ + ".parts";
  for (std::uint64_t cut = 1; cut < 12; ++cut) {
    std::filesystem::resize_file(list, 32 + 24 - cut);
    auto file = open();
    EXPECT_TRUE(file->holds(0) && !file->holds(1)) << cut;
    keep(*file, 1);
    EXPECT_TRUE(open()->holds(1)) << cut;
  }
}

TEST_F(ImportFileTest, APartThatRotsIsHeldNoMore) {
  {
    auto file = open();
    for (std::size_t part = 0; part < 3; ++part) keep(*file, part);
  }
  damage(path_ + ".part", 5);
  auto file = open();
  EXPECT_EQ(text(*file, 0), "0123");
  EXPECT_EQ(text(*file, 1), "wrong");
  EXPECT_FALSE(file->holds(1));
  EXPECT_EQ(file->bytes_held(), 6u);
  keep(*file, 1);
  EXPECT_EQ(text(*file, 1), "4567");
  EXPECT_EQ(text(*open(), 1), "4567");
}

TEST_F(ImportFileTest, AnyDamagedByteOfTheListIsNoticed) {
  {
    auto file = open();
    for (std::size_t part = 0; part < 3; ++part) keep(*file, part);
  }
  const auto size = std::filesystem::file_size(path_ + ".parts");
  const std::string kept = folder_.at("kept");
  std::filesystem::copy_file(path_ + ".parts", kept);
  for (std::size_t at = 0; at < size; ++at) {
    std::filesystem::copy_file(kept, path_ + ".parts", std::filesystem::copy_options::overwrite_existing);
    damage(path_ + ".parts", at);
    auto file = open();
    for (std::size_t part = 0; part < 3; ++part) {
      EXPECT_TRUE(!file->holds(part) || text(*file, part) != "wrong") << at;
    }
    EXPECT_LT(file->bytes_held(), kBytes.size()) << at;
  }
}

TEST_F(ImportFileTest, BothFilesAreRemoved) {
  keep(*open(), 0);
  ASSERT_TRUE(ImportFile::remove(path_).ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST(ImportRecord, KeepsEveryField) {
  ImportRecord record;
  record.import = "0123";
  record.store = "archive";
  record.bucket = "films";
  record.key = "a \u00e9/\"b\"";
  record.etag = "\"abc-2\"";
  record.size_bytes = 5'500'000'000;
  record.part_bytes = 16 << 20;
  record.checksum = ExpectedChecksum{ChecksumKind::crc32c, {1, 2, 3, 4}};
  record.title = "film";
  record.new_version = true;
  record.upload = "4567";
  record.state = ImportState::failed;
  record.sha256 = "ab";
  record.created_at_ms = 1;
  record.ended_at_ms = 2;
  record.error = Error{ErrorCode::object_changed, Side::upstream, false, "why"};
  const std::string json = to_json(record);
  const auto parsed = parse_import(import_key("0123"), json);
  ASSERT_TRUE(parsed.ok()) << describe(parsed.error());
  EXPECT_EQ(parsed->import, "0123");
  EXPECT_EQ(to_json(*parsed), json);
  EXPECT_EQ(parsed->error->code, ErrorCode::object_changed);
  EXPECT_EQ(parsed->checksum->value, Bytes({1, 2, 3, 4}));
}

TEST(ImportRecord, WhatIsNoneIsCorrupt) {
  for (const char* json : {"", "{}", "[]", R"({"format":2})", R"({"format":"1"})"}) {
    const auto parsed = parse_import("/v1/import/x", json);
    ASSERT_FALSE(parsed.ok()) << json;
    EXPECT_EQ(parsed.error().code, ErrorCode::stored_data_corrupt);
  }
}

}  // namespace
}  // namespace reelway::origin
