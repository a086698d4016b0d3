#include "edge/request/failure_budget.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

// The balance may go below zero, because checks that were under way when it was spent still fail; but not below
// -burst, so that an address whose junk has ended is admitted again after a known time.

namespace reelway::edge {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// What is counted together: an IPv4 address, also when a dual-stack socket maps it into IPv6 (RFC 4291, 2.5.5.2); of
// any other IPv6 address the first 64 bits.
std::string counted_as(const std::string& address) {
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return address;
  if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin())) {
    std::array<char, INET_ADDRSTRLEN> text{};
    inet_ntop(AF_INET, bytes.data() + kMappedPrefix.size(), text.data(), text.size());
    return text.data();
  }
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

}  // namespace

FailureBudget::Account& FailureBudget::account(const std::string& address) {
  const std::string key = counted_as(address);
  if (const auto found = by_address_.find(key); found != by_address_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
    refill(recent_.front());
    return recent_.front();
  }
  recent_.push_front({key, static_cast<double>(options_.burst), clock_.monotonic(), 0});
  by_address_.emplace(recent_.front().address, recent_.begin());
  if (recent_.size() > options_.addresses_max) {
    ++forgotten_;
    by_address_.erase(recent_.back().address);
    recent_.pop_back();
  }
  return recent_.front();
}

void FailureBudget::refill(Account& account) const {
  const auto now = clock_.monotonic();
  const double seconds = std::chrono::duration<double>(now - account.filled).count();
  account.filled = now;
  account.left = std::min<double>(options_.burst, account.left + seconds * options_.per_second);
}

FailureBudget::Admission FailureBudget::begin(const std::string& address) {
  Account& found = account(address);
  if (found.left < 1) return Admission::spent;
  if (found.checks >= options_.checks_max) return Admission::busy;
  ++found.checks;
  return Admission::admitted;
}

void FailureBudget::ended(const std::string& address, bool good) {
  Account& found = account(address);
  if (found.checks > 0) --found.checks;  // an account that was forgotten meanwhile has none
  if (!good) found.left = std::max(found.left - 1, -static_cast<double>(options_.burst));
}

}  // namespace reelway::edge
