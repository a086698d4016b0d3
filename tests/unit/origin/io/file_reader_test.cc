#include "origin/io/file_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include "common/base/crc32c.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kUnits = 5;
constexpr std::size_t kUnitBytes = 300'000;  // no multiple of a page or of a turn

// A page cache that the test rules.
class FakeResidency final : public Residency {
 public:
  struct Answer {
    bool resident = true;
    std::size_t asked = 0;
  };
  explicit FakeResidency(std::shared_ptr<Answer> answer) : answer_(std::move(answer)) {}
  bool resident(std::uint64_t, std::uint64_t) const override {
    ++answer_->asked;
    return answer_->resident;
  }

 private:
  std::shared_ptr<Answer> answer_;
};

class FileReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/reelway-io-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    path_ = folder_ / "video-360.mp4";
    content_.resize(kUnits * kUnitBytes);
    for (std::size_t i = 0; i < content_.size(); ++i) content_[i] = static_cast<char>(i * 2654435761u >> 13);
    write_file();
    std::vector<mp4::Unit> units;
    for (std::uint32_t i = 0; i < kUnits; ++i) {
      const std::string_view unit = std::string_view(content_).substr(i * kUnitBytes, kUnitBytes);
      units.push_back({i, 1, i, i * kUnitBytes, kUnitBytes, crc32c(as_bytes(unit))});
    }
    units_ = std::make_shared<const mp4::UnitTable>(units, 1);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write_file() const {
    std::ofstream file(path_, std::ios::binary | std::ios::trunc);
    file.write(content_.data(), static_cast<std::streamsize>(content_.size()));
  }
  void damage(std::size_t at) {
    content_[at] = static_cast<char>(content_[at] ^ 1);
    write_file();
  }
  Result<std::shared_ptr<TrackFile>> open() const { return TrackFile::open(path_, content_.size(), units_); }
  std::shared_ptr<TrackFile> open_with(const std::shared_ptr<FakeResidency::Answer>& answer) const {
    return std::make_shared<TrackFile>(path_, UniqueFd(::open(path_.c_str(), O_RDONLY)), units_,
                                       std::make_unique<FakeResidency>(answer));
  }

  Result<void> warm(FileReader& reader, EventLoop& loop, const std::shared_ptr<TrackFile>& file,
                    TrackFile::Range range) {
    std::optional<Result<void>> result;
    reader.warm(file, range, [&](Result<void> read) {
      result = read;
      loop.stop();
    });
    loop.run();
    return *result;
  }

  std::filesystem::path folder_;
  std::string path_;
  std::string content_;
  std::shared_ptr<const mp4::UnitTable> units_;
};

TEST_F(FileReaderTest, FindsTheUnitsOfARange) {
  const auto file = open().value();
  const auto units = [&](std::uint64_t offset, std::uint64_t count) {
    const TrackFile::Units found = file->units_of({offset, count});
    return std::pair(found.first, found.count);
  };
  EXPECT_EQ(units(0, 1), std::pair(std::size_t{0}, std::size_t{1}));
  EXPECT_EQ(units(kUnitBytes - 1, 1), std::pair(std::size_t{0}, std::size_t{1}));
  EXPECT_EQ(units(kUnitBytes - 1, 2), std::pair(std::size_t{0}, std::size_t{2}));
  EXPECT_EQ(units(kUnitBytes, 2 * kUnitBytes), std::pair(std::size_t{1}, std::size_t{2}));
  EXPECT_EQ(units(0, kUnits * kUnitBytes), std::pair(std::size_t{0}, kUnits));
}

TEST_F(FileReaderTest, NothingIsFitToSendBeforeItWasChecked) {
  EventLoop loop;
  FileReader reader(loop);
  const auto file = open().value();
  const TrackFile::Range range{kUnitBytes, kUnitBytes};
  EXPECT_FALSE(file->fit_to_send(range));
  ASSERT_TRUE(warm(reader, loop, file, range).ok());
  EXPECT_TRUE(file->fit_to_send(range));
  EXPECT_TRUE(file->fit_to_send({kUnitBytes + 5, 10}));
  EXPECT_FALSE(file->fit_to_send({kUnitBytes - 1, 2}));
  EXPECT_EQ(reader.counters().cold_reads, 1u);
  EXPECT_EQ(reader.counters().cold_bytes, kUnitBytes);
}

TEST_F(FileReaderTest, ChecksAreForgottenWhenPagesLeaveMemory) {
  EventLoop loop;
  FileReader reader(loop);
  const auto answer = std::make_shared<FakeResidency::Answer>();
  const auto file = open_with(answer);
  ASSERT_TRUE(warm(reader, loop, file, {0, 2 * kUnitBytes}).ok());
  EXPECT_TRUE(file->fit_to_send({0, 2 * kUnitBytes}));
  answer->resident = false;
  EXPECT_FALSE(file->fit_to_send({kUnitBytes, 10}));
  answer->resident = true;
  // The unit that left is unchecked, the other one is not.
  EXPECT_FALSE(file->fit_to_send({kUnitBytes, 10}));
  EXPECT_TRUE(file->fit_to_send({0, kUnitBytes}));
}

TEST_F(FileReaderTest, ADamagedUnitIsNamedAndItsNeighboursAreServed) {
  EventLoop loop;
  FileReader reader(loop);
  damage(2 * kUnitBytes + 7);
  const auto file = open().value();
  const auto read = warm(reader, loop, file, {0, kUnits * kUnitBytes});
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::stored_data_corrupt);
  EXPECT_NE(read.error().detail.find(path_ + ": unit 2 "), std::string::npos) << read.error().detail;
  EXPECT_FALSE(file->fit_to_send({2 * kUnitBytes, 1}));
  EXPECT_EQ(reader.counters().crc_failures, 1u);
  EXPECT_TRUE(warm(reader, loop, file, {0, 2 * kUnitBytes}).ok());
  EXPECT_TRUE(file->fit_to_send({0, 2 * kUnitBytes}));
}

TEST_F(FileReaderTest, AFileThatDiffersFromItsIndexIsRefused) {
  const auto size = TrackFile::open(path_, content_.size() + 1, units_);
  ASSERT_FALSE(size.ok());
  EXPECT_EQ(size.error().code, ErrorCode::stored_data_corrupt);
  std::vector<mp4::Unit> units;
  for (const mp4::Unit unit : *units_) units.push_back(unit);
  units.back().file_bytes += 1;
  const auto outside = std::make_shared<const mp4::UnitTable>(units, 1);
  EXPECT_EQ(TrackFile::open(path_, content_.size(), outside).error().code, ErrorCode::stored_data_corrupt);
  EXPECT_EQ(TrackFile::open(path_ + "x", content_.size(), units_).error().code, ErrorCode::not_found_on_disk);
}

TEST_F(FileReaderTest, AFileThatBecameShorterIsFound) {
  EventLoop loop;
  FileReader reader(loop);
  const auto answer = std::make_shared<FakeResidency::Answer>();
  const auto file = open_with(answer);
  std::filesystem::resize_file(path_, 10);
  EXPECT_EQ(warm(reader, loop, file, {0, kUnitBytes}).error().code, ErrorCode::stored_data_corrupt);
}

TEST_F(FileReaderTest, KeepsTheFilesUsedLatelyOpen) {
  EventLoop loop;
  FileReader reader(loop, 2);
  const auto open_one = [&](const std::string& name) {
    std::filesystem::copy_file(path_, folder_ / name, std::filesystem::copy_options::skip_existing);
    reader.open(folder_ / name, content_.size(), units_, [&](Result<std::shared_ptr<TrackFile>> opened) {
      EXPECT_TRUE(opened.ok());
      loop.stop();
    });
    loop.run();
  };
  open_one("a");
  open_one("b");
  EXPECT_NE(reader.find(folder_ / "a"), nullptr);
  open_one("c");
  EXPECT_EQ(reader.find(folder_ / "b"), nullptr);
  EXPECT_NE(reader.find(folder_ / "a"), nullptr);
  EXPECT_NE(reader.find(folder_ / "c"), nullptr);
  EXPECT_EQ(reader.open_count(), 2u);
  EXPECT_EQ(reader.counters().files_opened, 3u);
}

// Both ends of a stream, the near one non-blocking.
struct Stream {
  Stream() {
    int pair[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    near = UniqueFd(pair[0]);
    far = UniqueFd(pair[1]);
    fcntl(near.get(), F_SETFL, O_NONBLOCK);
    fcntl(far.get(), F_SETFL, O_NONBLOCK);
  }
  void drain(std::string& into) const {
    char part[64 * 1024];
    for (ssize_t count; (count = read(far.get(), part, sizeof part)) > 0;)
      into.append(part, static_cast<std::size_t>(count));
  }
  UniqueFd near, far;
};

TEST_F(FileReaderTest, SendsARangeInTurnsOnlyWhileItIsFit) {
  EventLoop loop;
  FileReader reader(loop);
  const auto answer = std::make_shared<FakeResidency::Answer>();
  const auto file = open_with(answer);
  const TrackFile::Range range{kUnitBytes + 11, 2 * kUnitBytes};
  const auto body = reader.body(file, range);
  const Stream stream;
  std::string received;
  EXPECT_EQ(body->send(stream.near.get()), FileBody::Turn::cold);
  bool evicted = false;
  while (body->bytes_left() > 0) {
    const FileBody::Turn turn = body->send(stream.near.get());
    ASSERT_NE(turn, FileBody::Turn::failed);
    if (turn == FileBody::Turn::blocked) {
      stream.drain(received);
    } else if (turn == FileBody::Turn::cold) {
      answer->resident = true;
      body->warm([&](Result<void> read) {
        EXPECT_TRUE(read.ok());
        loop.stop();
      });
      loop.run();
    } else if (!evicted && body->bytes_left() < kUnitBytes) {
      evicted = true;
      answer->resident = false;
    }
  }
  stream.drain(received);
  EXPECT_TRUE(evicted);
  EXPECT_EQ(received, content_.substr(kUnitBytes + 11, 2 * kUnitBytes));
  EXPECT_EQ(reader.counters().sendfile_bytes, 2 * kUnitBytes);
  EXPECT_EQ(reader.counters().cold_reads, 2u);
  EXPECT_GE(reader.counters().sendfile_turns, 2 * kUnitBytes / FileReader::kTurnBytes);
}

TEST_F(FileReaderTest, ADamagedUnitIsNeverSent) {
  EventLoop loop;
  FileReader reader(loop);
  damage(kUnitBytes);
  const auto file = open().value();
  const auto body = reader.body(file, {0, kUnits * kUnitBytes});
  const Stream stream;
  ASSERT_EQ(body->send(stream.near.get()), FileBody::Turn::cold);
  body->warm([&](Result<void> read) {
    EXPECT_EQ(read.error().code, ErrorCode::stored_data_corrupt);
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(body->send(stream.near.get()), FileBody::Turn::cold);
  std::string received;
  stream.drain(received);
  EXPECT_EQ(received, "");
}

TEST_F(FileReaderTest, ASocketWhoseOtherEndIsGoneFails) {
  EventLoop loop;
  FileReader reader(loop);
  const auto file = open().value();
  ASSERT_TRUE(warm(reader, loop, file, {0, kUnitBytes}).ok());
  Stream stream;
  stream.far.reset();
  EXPECT_EQ(reader.body(file, {0, kUnitBytes})->send(stream.near.get()), FileBody::Turn::failed);
}

TEST_F(FileReaderTest, TheKernelKnowsWhatIsInMemory) {
  const UniqueFd file(::open(path_.c_str(), O_RDONLY));
  const auto residency = map_residency(file.get(), content_.size(), path_.c_str());
  ASSERT_TRUE(residency.ok());
  std::string all(content_.size(), '\0');
  ASSERT_EQ(pread(file.get(), all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
  EXPECT_TRUE((*residency)->resident(0, content_.size()));
  EXPECT_TRUE((*residency)->resident(5, 0));
  EXPECT_FALSE((*residency)->resident(content_.size(), 1));
  EXPECT_FALSE((*residency)->resident(1, content_.size()));
  // Whether the pages can be dropped depends on the file system (not on tmpfs); if they can, it must show.
  fsync(file.get());
  if (posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED) == 0) {
    const bool still = (*residency)->resident(0, content_.size());
    RecordProperty("kept_after_dontneed", still ? "yes" : "no");
  }
}

}  // namespace
}  // namespace reelway::origin
