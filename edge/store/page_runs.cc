#include "edge/store/page_runs.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>

#include "common/base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#endif

// Model: the address space is divided into frames of 256 pages, each with a set of its free pages and one of those that
// are backed. The frames are listed by their longest run of free pages. A run is taken from a frame in which the
// longest run only just suffices, and there from the shortest that does, so that untouched frames, which are the
// emptiest, come last.

namespace reelway::edge {

PageRuns::PageRuns(std::uint64_t address_bytes) : address_bytes_(address_bytes / kFrameBytes * kFrameBytes) {
  by_longest_.fill(kNone);
  if (address_bytes_ == 0) return;
  void* mapped =
      ::mmap(nullptr, address_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return;
  base_ = static_cast<std::uint8_t*>(mapped);
  // A huge page would back what nobody has taken, and keep the memory of what was given up in its midst.
  ::madvise(base_, address_bytes_, MADV_NOHUGEPAGE);
  ASAN_POISON_MEMORY_REGION(base_, address_bytes_);
  frames_.resize(address_bytes_ / kFrameBytes);
  for (std::uint32_t i = static_cast<std::uint32_t>(frames_.size()); i-- > 0;) {
    frames_[i].free.fill(UINT64_MAX);
    link(i);
  }
}

PageRuns::~PageRuns() {
  if (base_ == nullptr) return;
  ASAN_UNPOISON_MEMORY_REGION(base_, address_bytes_);
  ::munmap(base_, address_bytes_);
}

std::uint8_t* PageRuns::address(std::uint32_t frame, std::uint32_t page) const {
  return base_ + std::uint64_t{frame} * kFrameBytes + std::uint64_t{page} * kPageBytes;
}

std::uint32_t PageRuns::frame_of(const std::uint8_t* run) const {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(run - base_) / kFrameBytes);
}

PageRuns::Run PageRuns::place_of(const std::uint8_t* run, std::size_t pages) const {
  const auto in_frame = static_cast<std::uint64_t>(run - base_) % kFrameBytes;
  return {static_cast<std::uint32_t>(in_frame / kPageBytes), static_cast<std::uint32_t>(pages)};
}

// The first run of members at or after `from`; of no pages when there is none.
PageRuns::Run PageRuns::next_run(const PageSet& set, std::uint32_t from) {
  const auto end_of = [&](std::uint32_t at, bool members) {
    while (at < kFramePages) {
      const std::uint64_t word = (members ? ~set[at / 64] : set[at / 64]) >> (at % 64);
      if (word != 0) return at + static_cast<std::uint32_t>(std::countr_zero(word));
      at = (at / 64 + 1) * 64;
    }
    return static_cast<std::uint32_t>(kFramePages);
  };
  const std::uint32_t first = end_of(from, false);
  return {first, end_of(first, true) - first};
}

void PageRuns::change(PageSet& set, Run run, bool is_in) {
  for (std::uint32_t at = run.first, end = run.first + run.pages; at < end;) {
    const std::uint32_t here = std::min(end, (at / 64 + 1) * 64) - at;
    const std::uint64_t bits = (here == 64 ? UINT64_MAX : (std::uint64_t{1} << here) - 1) << (at % 64);
    set[at / 64] = is_in ? set[at / 64] | bits : set[at / 64] & ~bits;
    at += here;
  }
}

std::uint32_t PageRuns::count(const PageSet& set, Run run) {
  std::uint32_t members = 0;
  PageSet of_run{};
  change(of_run, run, true);
  for (std::size_t i = 0; i < set.size(); ++i) members += static_cast<std::uint32_t>(std::popcount(set[i] & of_run[i]));
  return members;
}

std::uint32_t PageRuns::fitting_frame(std::size_t pages) const {
  for (std::size_t longest = pages; longest <= kFramePages; ++longest) {
    if (by_longest_[longest] != kNone) return by_longest_[longest];
  }
  return kNone;
}

void PageRuns::link(std::uint32_t index) {
  Frame& frame = frames_[index];
  frame.longest = 0;
  for (Run run = next_run(frame.free, 0); run.pages > 0; run = next_run(frame.free, run.first + run.pages)) {
    frame.longest = std::max(frame.longest, run.pages);
  }
  std::uint32_t& first = by_longest_[frame.longest];
  frame.previous = kNone;
  frame.next = first;
  if (first != kNone) frames_[first].previous = index;
  first = index;
}

void PageRuns::unlink(std::uint32_t index) {
  const Frame& frame = frames_[index];
  (frame.previous == kNone ? by_longest_[frame.longest] : frames_[frame.previous].next) = frame.next;
  if (frame.next != kNone) frames_[frame.next].previous = frame.previous;
}

std::uint8_t* PageRuns::take(std::size_t pages) {
  CHECK(pages > 0 && pages <= kFramePages);
  const std::uint32_t index = fitting_frame(pages);
  if (index == kNone) return nullptr;
  Frame& frame = frames_[index];
  Run best{0, UINT32_MAX};
  for (Run run = next_run(frame.free, 0); run.pages > 0; run = next_run(frame.free, run.first + run.pages)) {
    if (run.pages >= pages && run.pages < best.pages) best = run;
  }
  best.pages = static_cast<std::uint32_t>(pages);
  const std::uint32_t already = count(frame.backed, best);
  backed_pages_ += best.pages - already;
  free_backed_pages_ -= already;
  unlink(index);
  change(frame.free, best, false);
  change(frame.backed, best, true);
  link(index);
  std::uint8_t* run = address(index, best.first);
  ASAN_UNPOISON_MEMORY_REGION(run, pages * kPageBytes);
  return run;
}

void PageRuns::give(const std::uint8_t* run, std::size_t pages) {
  const std::uint32_t index = frame_of(run);
  const Run given = place_of(run, pages);
  CHECK(index < frames_.size() && given.first + given.pages <= kFramePages);
  Frame& frame = frames_[index];
  CHECK(count(frame.free, given) == 0);
  ASAN_POISON_MEMORY_REGION(run, pages * kPageBytes);
  free_backed_pages_ += given.pages;
  unlink(index);
  change(frame.free, given, true);
  link(index);
}

void PageRuns::give_lent(const std::uint8_t* run, std::size_t pages) {
  give(run, pages);
  drop_pages(frame_of(run), place_of(run, pages));
}

// Of free pages that are backed.
void PageRuns::drop_pages(std::uint32_t index, Run run) {
  // Cannot fail: the range lies in the mapping.
  CHECK(::madvise(address(index, run.first), run.pages * kPageBytes, MADV_DONTNEED) == 0);
  change(frames_[index].backed, run, false);
  backed_pages_ -= run.pages;
  free_backed_pages_ -= run.pages;
}

std::uint64_t PageRuns::unback_frame(std::uint32_t index) {
  const Frame& frame = frames_[index];
  PageSet idle;
  for (std::size_t i = 0; i < idle.size(); ++i) idle[i] = frame.free[i] & frame.backed[i];
  std::uint64_t pages = 0;
  for (Run run = next_run(idle, 0); run.pages > 0; run = next_run(idle, run.first + run.pages)) {
    drop_pages(index, run);
    pages += run.pages;
  }
  return pages * kPageBytes;
}

void PageRuns::unback(std::uint64_t bytes) {
  for (std::uint64_t given_back = 0; given_back < bytes && free_backed_pages_ > 0;) {
    given_back += unback_frame(unback_at_);
    unback_at_ = unback_at_ + 1 == frames_.size() ? 0 : unback_at_ + 1;
  }
}

}  // namespace reelway::edge
