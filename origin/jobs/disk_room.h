#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/base/result.h"
#include "origin/transcode/encode_plan.h"

namespace reelway::origin {

// How much the disk under a folder has left. A seam: tests say how full it is.
using FreeBytes = std::function<std::uint64_t(const std::string& folder)>;

// Whether work on films may still take room on the disk. Some of it is kept free, so that the control store beside the
// films can always write down what happened. Thread-safe.
class DiskRoom {
 public:
  DiskRoom(std::string folder, std::uint64_t keep_bytes, FreeBytes free);

  // Before work begins that will take about `bytes`: disk_full, with what is there and what is missing.
  Result<void> check(std::uint64_t bytes) const;
  // While work goes on: disk_full when half of what is kept has gone. So work that was begun rarely has to be stopped.
  Result<void> check_reserve() const;
  std::uint64_t free_bytes() const { return free_(folder_); }

 private:
  const std::string folder_;
  const std::uint64_t keep_bytes_;
  const FreeBytes free_;
};

// About what a part's files will take, by the rates that the plan asks for; and those of the whole film.
std::uint64_t expected_bytes(const EncodePlan& plan, const EncodePart& part);
std::uint64_t expected_bytes(const EncodePlan& plan);

}  // namespace reelway::origin
