#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "edge/policy/slices.h"
#include "edge/request/fetch.h"
#include "edge/request/site.h"
#include "edge/request/site_fetch.h"

namespace reelway::edge {

Slicing slicing_of(const ObjectMeta& whole);
// By which the slices of the object are known to belong together.
std::string_view slice_validator_of(const ObjectMeta& whole);
std::string slice_key_of(const ObjectMeta& whole, std::uint64_t number);
// What is stored beside a slice's bytes: times and tags are those of the whole.
ObjectMeta slice_meta(const ObjectMeta& whole, std::uint64_t number);

// Asks a site's upstream for one slice of an object whose head is known. When the answer shows that there is no such
// object any more, or that its slices are not to be had, the head is dropped from the store: the next request begins
// anew. Its slices are found by nothing then, and leave as others need their room.
class SliceFetch final : public Fetch {
 public:
  struct Asked {  // views are copied
    const http::RequestHead& head;
    std::string client_address;
    std::string_view primary_key;
    // The bytes are for this request alone: nothing is stored, whatever the answer says of that.
    bool alone = false;
  };

  SliceFetch(Site& site, std::shared_ptr<const Object> whole, std::uint64_t number, const Asked& asked);

  Upstream& pool() const override { return site_.pool; }
  std::string_view name() const override { return target_; }
  Result<std::string> request_text() override;
  HeadVerdict take(const http::ResponseHead& head, FillPermit& permit) override;

 private:
  bool may_be_stored(const http::ResponseHead& head) const;
  void note_change() const;
  bool forget_whole() const;
  HeadVerdict refuse(ErrorCode code, std::string detail) const;

  Site& site_;
  const std::shared_ptr<const Object> whole_;
  const std::uint64_t number_;
  const std::string primary_key_;
  const std::string target_;
  const bool alone_;
  const bool authorization_;
  std::string text_;
  std::int64_t asked_ms_ = 0;
};

}  // namespace reelway::edge
