#pragma once

#include <chrono>

#include "common/base/random.h"
#include "common/base/result.h"
#include "origin/client/http_connection.h"

namespace reelway::origin {

struct RetryLimits {
  // Of one request, counted anew whenever bytes have come: then it fails with the last error.
  int attempts_max = 5;
  std::chrono::milliseconds pause_first{200};  // doubled for each further one, and spread by up to a half
  std::chrono::milliseconds pause_max{10'000};
  std::chrono::milliseconds retry_after_max{30'000};  // of a server that says how long to wait
};

// Counts the attempts of one request and waits between them. The references outlive it.
class Retries {
 public:
  Retries(const RetryLimits& limits, Random& random, Patience& patience)
      : limits_(limits), random_(random), patience_(patience) {}

  // Whether to try again after this error; it has waited then. `at_least` is what the server asked for.
  bool again(const Error& error, std::chrono::milliseconds at_least);
  void progress() { failures_ = 0; }

 private:
  const RetryLimits& limits_;
  Random& random_;
  Patience& patience_;
  int failures_ = 0;
};

// What an answer asks to wait, at most limits.retry_after_max: its Retry-After, of which only the form in seconds
// counts, since the other would trust the server's clock.
std::chrono::milliseconds retry_after(const HttpAnswer& answer, const RetryLimits& limits);

}  // namespace reelway::origin
