#include "origin/client/retries.h"

#include <algorithm>

namespace reelway::origin {

using std::chrono::milliseconds;

bool Retries::again(const Error& error, milliseconds at_least) {
  if (!error.retry || error.code == ErrorCode::shutting_down || ++failures_ >= limits_.attempts_max) return false;
  const auto doubled = limits_.pause_first * (1ll << std::min(failures_ - 1, 20));
  const auto pause = std::min<milliseconds>(doubled, limits_.pause_max);
  const auto spread = static_cast<std::uint64_t>(pause.count()) / 2 + 1;
  return patience_.wait(std::max(at_least, pause - milliseconds(random_.next_u64() % spread)));
}

milliseconds retry_after(const HttpAnswer& answer, const RetryLimits& limits) {
  const auto seconds = answer.number("retry-after");
  if (!seconds) return milliseconds(0);
  return std::min(limits.retry_after_max, milliseconds(1000 * std::min<std::uint64_t>(*seconds, 86'400)));
}

}  // namespace reelway::origin
