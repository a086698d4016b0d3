#pragma once

#include <cstdint>

#include "common/base/check.h"

namespace reelway::ring {

class Ring;

// One operation in flight. The ring holds its address: an Operation may be neither moved nor freed while
// in_flight(). Its owner embeds it, one member per kind of operation that can be in flight at once.
//
// `result` is the kernel's: a count or descriptor, or a negative errno. `flags` are the completion's flags
// (IORING_CQE_F_MORE and others), passed on for multishot operations.
class Operation {
 public:
  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  virtual ~Operation() { CHECK(!in_flight_); }

  bool in_flight() const { return in_flight_; }

 protected:
  virtual void completed(std::int32_t result, std::uint32_t flags) = 0;

 private:
  friend class Ring;
  // What its completion carries besides a count: a descriptor, or a buffer that goes back to the ring.
  enum class Kind : std::uint8_t { plain, accept, receive };
  bool in_flight_ = false;
  Kind kind_ = Kind::plain;
};

// Calls a member function of its owner: Bound<Connection, &Connection::on_received> recv_{*this};
template <class Owner, void (Owner::*kHandler)(std::int32_t result, std::uint32_t flags)>
class Bound final : public Operation {
 public:
  explicit Bound(Owner& owner) : owner_(owner) {}

 private:
  void completed(std::int32_t result, std::uint32_t flags) override { (owner_.*kHandler)(result, flags); }
  Owner& owner_;
};

}  // namespace reelway::ring
