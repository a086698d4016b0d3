#include <fcntl.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "tests/unit/common/ring/ring_fixture.h"

namespace reelway::ring {
namespace {

class TemporaryFile {
 public:
  // In the working directory, not in /tmp: a tmpfs there may not know O_DIRECT.
  explicit TemporaryFile(int extra_flags) {
    char name[] = "ring_file_test_XXXXXX";
    UniqueFd made(::mkstemp(name));
    path_ = name;
    fd.reset(::open(name, O_RDWR | O_CLOEXEC | extra_flags));
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  UniqueFd fd;

 private:
  std::filesystem::path path_;
};

struct AlignedBlock {
  explicit AlignedBlock(std::size_t size) : bytes(static_cast<std::uint8_t*>(std::aligned_alloc(4096, size)), size) {}
  ~AlignedBlock() { std::free(bytes.data()); }
  AlignedBlock(const AlignedBlock&) = delete;
  AlignedBlock& operator=(const AlignedBlock&) = delete;
  std::span<std::uint8_t> bytes;
};

void write_sync_read(int fd) {
  const auto ring = make_ring();
  constexpr std::size_t kSize = 1 << 20;
  AlignedBlock out(kSize);
  AlignedBlock in(kSize);
  for (std::size_t i = 0; i < kSize; ++i) out.bytes[i] = static_cast<std::uint8_t>(i * 31 >> 3);
  TestOperation read([&](std::int32_t result, std::uint32_t) {
    EXPECT_EQ(result, static_cast<std::int32_t>(kSize));
    ring->stop();
  });
  TestOperation sync([&](std::int32_t result, std::uint32_t) {
    EXPECT_EQ(result, 0);
    ring->read(read, fd, in.bytes, 8192);
  });
  TestOperation write([&](std::int32_t result, std::uint32_t) {
    EXPECT_EQ(result, static_cast<std::int32_t>(kSize));
    ring->sync_data(sync, fd);
  });
  ring->write(write, fd, out.bytes, 8192);
  ring->run();
  EXPECT_EQ(std::memcmp(in.bytes.data(), out.bytes.data(), kSize), 0);
}

TEST(RingFile, WritesSyncsAndReads) {
  const TemporaryFile file(0);
  ASSERT_TRUE(file.fd.valid());
  write_sync_read(file.fd.get());
}

TEST(RingFile, WritesSyncsAndReadsPastThePageCache) {
  const TemporaryFile file(O_DIRECT);
  ASSERT_TRUE(file.fd.valid()) << "the build folder's file system has no O_DIRECT";
  write_sync_read(file.fd.get());
}

TEST(RingFile, ReadPastTheEndGivesNothing) {
  const TemporaryFile file(0);
  const auto ring = make_ring();
  std::uint8_t bytes[16];
  TestOperation read([&](std::int32_t result, std::uint32_t) {
    EXPECT_EQ(result, 0);
    ring->stop();
  });
  ring->read(read, file.fd.get(), bytes, 100);
  ring->run();
}

TEST(RingFile, DestructorWaitsForReadsInFlight) {
  const TemporaryFile file(0);
  ASSERT_EQ(::ftruncate(file.fd.get(), 64 << 20), 0);
  std::vector<std::uint8_t> bytes(64 << 20);
  TestOperation read;
  {
    const auto ring = make_ring();
    ring->read(read, file.fd.get(), bytes, 0);
  }
  EXPECT_FALSE(read.in_flight());
}

}  // namespace
}  // namespace reelway::ring
