#include "edge/request/ring_shares.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>

#include "common/base/unique_fd.h"
#include "edge/request/ring_team.h"

namespace reelway::edge {
namespace {

namespace fs = std::filesystem;

std::size_t cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
}

Error invalid(std::string detail) {
  return {ErrorCode::config_value_invalid, Side::self, false, std::move(detail)};
}

// What the store says; nothing for a new one.
Result<std::optional<std::size_t>> noted_rings(const std::string& directory) {
  const std::string file = directory + "/rings";
  std::ifstream in(file);
  // Stores were made without a note while there was but one ring.
  if (!in) return fs::exists(directory + "/index") ? std::optional<std::size_t>(1) : std::nullopt;
  std::string text;
  std::getline(in, text);
  std::size_t rings = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rings);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (is_number && rings >= 1 && rings <= RingTeam::kRingsMax) return std::optional(rings);
  return Error{ErrorCode::io_failed, Side::self, false,
               file +
                   ":1: expected the number of rings that the store was made for, 1 to 64. Write the number of its "
                   "ring-* directories there (1 if there is none), or empty the directory"};
}

Result<void> note_rings(const std::string& directory, std::size_t rings) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) return system_error("mkdir", directory, failed.value());
  const std::string file = directory + "/rings";
  const std::string text = std::to_string(rings) + "\n";
  const std::string fresh = file + ".new";
  UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (!fd) return system_error("open", fresh, errno);
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::fsync(fd.get()) != 0) {
    return system_error("write", fresh, errno);
  }
  if (::rename(fresh.c_str(), file.c_str()) != 0) return system_error("rename", file, errno);
  return {};
}

Result<std::size_t> chosen_rings(const EdgeConfig& config, const std::optional<std::size_t>& noted) {
  if (config.rings == 0 && noted) return *noted;
  if (config.rings == 0) {
    const std::uint64_t by_memory = std::max<std::uint64_t>(1, config.store_memory_bytes / kMemoryOfRing);
    return std::min({cores(), static_cast<std::size_t>(by_memory), RingTeam::kRingsMax});
  }
  if (noted && *noted != config.rings) {
    return invalid("rings: the store in " + config.store_directory + " was made for " + std::to_string(*noted) +
                   ", not for " + std::to_string(config.rings) + ". Set rings to " + std::to_string(*noted) +
                   ", or empty the directory and begin with a cold cache");
  }
  if (config.store_memory_bytes / config.rings < kMemoryOfRingMin) {
    return invalid("rings: each of " + std::to_string(config.rings) +
                   " needs at least 16MiB of store.memory_bytes, which has too little");
  }
  return config.rings;
}

std::size_t share(std::size_t whole, std::size_t rings) {
  return (whole + rings - 1) / rings;
}

}  // namespace

Result<std::size_t> rings_of(const EdgeConfig& config) {
  const auto noted = noted_rings(config.store_directory);
  if (!noted.ok()) return noted.error();
  auto rings = chosen_rings(config, *noted);
  if (!rings.ok()) return rings;
  if (!*noted) REELWAY_TRY(note_rings(config.store_directory, *rings));
  return rings;
}

EdgeConfig share_of(const EdgeConfig& config, std::size_t index, std::size_t rings) {
  EdgeConfig mine = config;
  mine.rings = rings;
  if (rings == 1) return mine;
  const std::string folder = "/ring-" + std::to_string(index);
  mine.store_bodies_directory = config.store_directory + folder;
  mine.store_memory_bytes /= rings;
  mine.store_disk_bytes /= rings;
  mine.store_index_memory_bytes = std::max(config.store_index_memory_bytes / rings, kIndexMemoryOfRingMin);
  for (FurtherDisk& disk : mine.store_further_disks) {
    disk.directory += folder;
    disk.bytes /= rings;
  }
  mine.upstream_connections_max = share(config.upstream_connections_max, rings);
  mine.prefetch_running_max = share(config.prefetch_running_max, rings);
  return mine;
}

}  // namespace reelway::edge
