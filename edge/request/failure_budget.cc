#include "edge/request/failure_budget.h"

#include <algorithm>

// The balance may go below zero, because checks that were under way when it was spent still fail; but not below
// -burst, so that an address whose junk has ended is admitted again after a known time.

namespace reelway::edge {
namespace {

constexpr std::size_t kIpv6CustomerBytes = 8;

// What is counted together: an IPv4 address; of an IPv6 address the first 64 bits.
ClientAddress counted_as(ClientAddress address) {
  if (!address.is_ipv4()) std::fill(address.bytes.begin() + kIpv6CustomerBytes, address.bytes.end(), std::uint8_t{0});
  return address;
}

}  // namespace

FailureBudget::Account* FailureBudget::find(const ClientAddress& counted) {
  const auto found = by_address_.find(counted);
  if (found == by_address_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  refill(recent_.front());
  return &recent_.front();
}

FailureBudget::Account& FailureBudget::account(const ClientAddress& address) {
  const ClientAddress counted = counted_as(address);
  if (Account* known = find(counted)) return *known;
  recent_.push_front({counted, static_cast<double>(options_.burst), clock_.monotonic(), 0});
  by_address_.emplace(counted, recent_.begin());
  if (recent_.size() > options_.addresses_max) {
    ++forgotten_;
    by_address_.erase(recent_.back().address);
    recent_.pop_back();
  }
  return recent_.front();
}

bool FailureBudget::is_spent(const ClientAddress& address) {
  const Account* known = find(counted_as(address));
  return known != nullptr && known->left < 1;
}

void FailureBudget::refill(Account& account) const {
  const auto now = clock_.monotonic();
  const double seconds = std::chrono::duration<double>(now - account.filled).count();
  account.filled = now;
  account.left = std::min<double>(options_.burst, account.left + seconds * options_.per_second);
}

FailureBudget::Admission FailureBudget::begin(const ClientAddress& address) {
  Account& found = account(address);
  if (found.left < 1) return Admission::spent;
  if (found.checks >= options_.checks_max) return Admission::busy;
  ++found.checks;
  return Admission::admitted;
}

void FailureBudget::ended(const ClientAddress& address, bool good) {
  Account& found = account(address);
  if (found.checks > 0) --found.checks;  // an account that was forgotten meanwhile has none
  if (!good) charge(address);
}

void FailureBudget::charge(const ClientAddress& address) {
  Account& found = account(address);
  found.left = std::max(found.left - 1, -static_cast<double>(options_.burst));
}

}  // namespace reelway::edge
