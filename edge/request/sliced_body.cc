#include "edge/request/sliced_body.h"

#include <utility>

#include "common/base/check.h"
#include "edge/request/slice_fetch.h"

namespace reelway::edge {

SlicedBody::SlicedBody(Site& site, std::shared_ptr<Object> whole, const Reader& reader)
    : site_(site), whole_(std::move(whole)), slicing_(slicing_of(whole_->meta())), reader_(reader) {}

SlicedBody::~SlicedBody() {
  drop(current_);
  drop(next_);
}

void SlicedBody::read_from(std::uint64_t offset, std::uint64_t end) {
  const std::uint64_t number = slicing_.number_at(offset);
  if (current_.object == nullptr || current_.number != number) go_to(number);
  while (current_.object != nullptr && current_.object->state() == ObjectState::failed) {
    if (current_.object->failure().code != ErrorCode::upstream_truncated || retries_ == kRetriesMax) return;
    ++retries_;
    ++site_.counters.slices_retried;
    drop(current_);
    current_ = find(number);
  }
  if (current_.object == nullptr || current_.object->state() != ObjectState::complete) return;
  const bool goes_on = slice_end() < end;
  if (goes_on && next_.object == nullptr) next_ = find(number + 1);
}

// One that was read ahead and failed is asked for once more: that was not this reader's turn.
void SlicedBody::go_to(std::uint64_t number) {
  drop(current_);
  const bool is_ahead =
      next_.object != nullptr && next_.number == number && next_.object->state() != ObjectState::failed;
  if (is_ahead) {
    current_ = std::exchange(next_, {});
  } else {
    drop(next_);
    refused_.reset();
    current_ = find(number);
  }
}

// Without an object: refused.
SlicedBody::Part SlicedBody::find(std::uint64_t number) {
  const std::string key = slice_key_of(whole_->meta(), number);
  Lookup found = reader_.alone ? site_.store.pass(key) : site_.store.lookup(key);
  Part part;
  part.number = number;
  if (found.kind == Lookup::Kind::refused) {
    refused_ = Error{ErrorCode::overloaded, Side::self, true, "too many fetches are under way"};
    return part;
  }
  part.object = std::move(found.object);
  part.leads = found.kind == Lookup::Kind::fill;
  if (part.leads) {
    const auto address = reader_.stream.peer_address();
    auto fetch = std::make_unique<SliceFetch>(
        site_, whole_, number,
        SliceFetch::Asked{reader_.stream.request(), address ? address->text() : std::string{}, reader_.primary_key,
                          reader_.alone});
    part.fill = site_.fills.begin(std::move(*found.permit), std::move(fetch), !reader_.alone);
  } else if (found.kind == Lookup::Kind::following) {
    ++site_.counters.slices_followed;
    part.fill = site_.fills.find(*part.object);
    CHECK(part.fill != nullptr);
  } else {
    ++site_.counters.slices_in_memory;
  }
  if (part.object->state() != ObjectState::complete) part.object->add_reader(reader_.woken);
  return part;
}

void SlicedBody::drop(Part& part) {
  if (part.object != nullptr) part.object->remove_reader(reader_.woken);
  part = {};
}

const Error* SlicedBody::failure() const {
  if (current_.object == nullptr) return refused_ ? &*refused_ : nullptr;
  return current_.object->state() == ObjectState::failed ? &current_.object->failure() : nullptr;
}

CacheOutcome SlicedBody::source() const {
  if (current_.fill == nullptr) return CacheOutcome::hit_memory;
  if (current_.fill->source() != Fill::Source::upstream) return CacheOutcome::hit_disk;
  return current_.leads ? CacheOutcome::miss : CacheOutcome::collapsed;
}

}  // namespace reelway::edge
