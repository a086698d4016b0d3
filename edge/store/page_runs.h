#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace reelway::edge {

// Memory in runs of whole pages, up to a frame long, from an address space of its own. A page is *backed*, so takes
// memory, from when it is first handed out until unback() gives it to the kernel; free pages stay backed until then,
// and are handed out first. So whoever keeps backed_bytes() within a budget knows what the process holds, to the page:
// nothing lies between the runs, and what is free in small pieces can be given back too. One thread.
class PageRuns {
 public:
  static constexpr std::size_t kPageBytes = 4096;
  static constexpr std::size_t kFramePages = 256;
  static constexpr std::size_t kFrameBytes = kFramePages * kPageBytes;

  // How much address space, in whole frames; no run is handed out when the kernel has not so much.
  explicit PageRuns(std::uint64_t address_bytes);
  ~PageRuns();
  PageRuns(const PageRuns&) = delete;
  PageRuns& operator=(const PageRuns&) = delete;

  // Null when no frame has so many free pages in a row.
  std::uint8_t* take(std::size_t pages);
  void give(const std::uint8_t* run, std::size_t pages);
  // Of a run that was sent by reference (edge/net/page_pipe.h): its pages may still lie in a socket, or be on their way
  // to a slow client. So nobody writes to them again: they go to the kernel, which keeps them as long as it needs them,
  // and others come in their place.
  void give_lent(const std::uint8_t* run, std::size_t pages);
  bool holds(const std::uint8_t* place) const { return place >= base_ && place < base_ + address_bytes_; }

  std::uint64_t backed_bytes() const { return backed_pages_ * kPageBytes; }
  // Gives free pages to the kernel: so many bytes at least, or all there are.
  void unback(std::uint64_t bytes);

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  using PageSet = std::array<std::uint64_t, kFramePages / 64>;  // a bit for each page

  struct Frame {
    PageSet free{};
    PageSet backed{};
    std::uint32_t longest = 0;  // free pages in a row
    std::uint32_t previous = kNone;
    std::uint32_t next = kNone;  // among the frames of the same `longest`
  };
  struct Run {
    std::uint32_t first = 0;
    std::uint32_t pages = 0;
  };

  static Run next_run(const PageSet& set, std::uint32_t from);
  static void change(PageSet& set, Run run, bool is_in);
  static std::uint32_t count(const PageSet& set, Run run);
  std::uint8_t* address(std::uint32_t frame, std::uint32_t page) const;
  std::uint32_t frame_of(const std::uint8_t* run) const;
  Run place_of(const std::uint8_t* run, std::size_t pages) const;  // in its frame
  std::uint32_t fitting_frame(std::size_t pages) const;
  void link(std::uint32_t frame);
  void unlink(std::uint32_t frame);
  void drop_pages(std::uint32_t frame, Run run);
  std::uint64_t unback_frame(std::uint32_t frame);

  std::uint8_t* base_ = nullptr;
  std::uint64_t address_bytes_ = 0;
  std::vector<Frame> frames_;
  std::array<std::uint32_t, kFramePages + 1> by_longest_{};  // the first frame of each list
  std::uint64_t backed_pages_ = 0;
  std::uint64_t free_backed_pages_ = 0;
  std::uint32_t unback_at_ = 0;  // the frame at which unback() goes on
};

}  // namespace reelway::edge
