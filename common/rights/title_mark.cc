#include "common/rights/title_mark.h"

#include <algorithm>

#include "common/base/siphash.h"

namespace reelway::rights {
namespace {

constexpr SipKey kTitleKey{0x7265656c77617921, 2};  // fixed, so that every origin and edge agree

}  // namespace

EntitlementId title_mark_id(std::string_view title) {
  const Hash128 hash = siphash128(kTitleKey, as_bytes(title));
  EntitlementId id{};
  for (std::size_t i = 0; i < 8; ++i) {
    id[i] = static_cast<std::uint8_t>(hash.low >> (8 * i));
    id[8 + i] = static_cast<std::uint8_t>(hash.high >> (8 * i));
  }
  return id;
}

Record title_mark(bool withdrawn) {
  Record record;
  record.kind = Kind::title;
  record.state = withdrawn ? State::revoked : State::active;
  return record;
}

bool is_withdrawal(const Record& record) {
  return record.kind == Kind::title && record.state != State::active;
}

}  // namespace reelway::rights
