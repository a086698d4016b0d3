#include "edge/request/failure_budget.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

// The balance may go below zero, because checks that were under way when it was spent still fail; but not below
// -burst, so that an address whose junk has ended is admitted again after a known time.

namespace reelway::edge {
namespace {

// What is counted together: the address without its port; of IPv6 the first 64 bits.
std::string counted_as(std::string_view address) {
  if (!address.starts_with('[')) return std::string(address.substr(0, address.rfind(':')));
  const std::string host(address.substr(1, address.find(']') - 1));
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return host;
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

}  // namespace

FailureBudget::Account& FailureBudget::account(std::string_view address) {
  const std::string key = counted_as(address);
  if (const auto found = by_address_.find(key); found != by_address_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
    refill(recent_.front());
    return recent_.front();
  }
  recent_.push_front({key, static_cast<double>(options_.burst), clock_.monotonic(), 0});
  by_address_.emplace(recent_.front().address, recent_.begin());
  if (recent_.size() > options_.addresses_max) {
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

FailureBudget::Admission FailureBudget::begin(std::string_view address) {
  Account& found = account(address);
  if (found.left < 1) return Admission::spent;
  if (found.checks >= options_.checks_max) return Admission::busy;
  ++found.checks;
  return Admission::admitted;
}

void FailureBudget::ended(std::string_view address, bool good) {
  Account& found = account(address);
  if (found.checks > 0) --found.checks;  // an account that was forgotten meanwhile has none
  if (!good) found.left = std::max(found.left - 1, -static_cast<double>(options_.burst));
}

}  // namespace reelway::edge
