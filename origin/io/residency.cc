#include "origin/io/residency.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

// Why mincore(2) and not cachestat(2), which needs no mapping: cachestat counts pages that are in the cache, also those
// whose read from the disk has only begun, and a sendfile of such a page waits for it. mincore reports a page only once
// it is up to date. It also exists on every kernel that Reelway supports; cachestat came with Linux 6.5.
// mincore tells the truth only to a file's owner (or to one who may write it): the origin owns its data_dir.

namespace reelway::origin {
namespace {

constexpr std::size_t kPagesPerCall = 1024;

class MappedResidency final : public Residency {
 public:
  MappedResidency(void* address, std::uint64_t bytes)
      : address_(static_cast<unsigned char*>(address)),
        bytes_(bytes),
        page_(static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))) {}
  ~MappedResidency() override { munmap(address_, bytes_); }
  MappedResidency(const MappedResidency&) = delete;
  MappedResidency& operator=(const MappedResidency&) = delete;

  bool resident(std::uint64_t offset, std::uint64_t count) const override {
    if (count == 0) return true;
    if (offset > bytes_ || count > bytes_ - offset) return false;
    std::uint64_t at = offset / page_ * page_;
    const std::uint64_t end = offset + count;
    while (at < end) {
      const std::uint64_t part = std::min(end - at, kPagesPerCall * page_);
      if (!part_resident(at, part)) return false;
      at += part;
    }
    return true;
  }

 private:
  bool part_resident(std::uint64_t offset, std::uint64_t count) const {
    std::array<unsigned char, kPagesPerCall> pages;
    if (mincore(address_ + offset, count, pages.data()) != 0) return false;
    const auto used = pages.begin() + static_cast<std::ptrdiff_t>((count + page_ - 1) / page_);
    return std::all_of(pages.begin(), used, [](unsigned char page) { return (page & 1) != 0; });
  }

  unsigned char* address_;
  std::uint64_t bytes_;
  std::uint64_t page_;
};

}  // namespace

Result<std::unique_ptr<Residency>> map_residency(int file, std::uint64_t file_bytes, const char* name) {
  void* address = mmap(nullptr, file_bytes, PROT_READ, MAP_SHARED, file, 0);
  if (address == MAP_FAILED) return system_error("mmap", name, errno);
  return std::unique_ptr<Residency>(std::make_unique<MappedResidency>(address, file_bytes));
}

}  // namespace reelway::origin
