#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "common/base/error.h"
#include "edge/net/exchange.h"
#include "edge/policy/cache_status.h"
#include "edge/policy/slices.h"
#include "edge/request/fill.h"
#include "edge/request/site.h"
#include "edge/store/object.h"

namespace reelway::edge {

// The body of an object that lies in slices, as one request reads it. It holds the slice that is being sent, and the
// next one from when that is whole on: two at most, however slow the client and long the object. Slices come from the
// store or by fills that requests share, like any object. All of them are of the version of the head that the answer
// began with, or there are none (SliceFetch).
class SlicedBody {
 public:
  // How often a slice that broke off is looked for again; what was sent of it stands, for the version is the same.
  static constexpr std::size_t kRetriesMax = 3;

  struct Reader {
    Object::Reader& woken;   // when more of a slice is there
    ResponseStream& stream;  // whose request is asked of the upstream
    std::string_view primary_key;
    bool alone = false;  // nothing is stored for it, nor shared with it while it is fetched
  };

  SlicedBody(Site& site, std::shared_ptr<Object> whole, const Reader& reader);
  ~SlicedBody();
  SlicedBody(const SlicedBody&) = delete;
  SlicedBody& operator=(const SlicedBody&) = delete;

  // The next byte to be read is that at `offset`, and then those up to `end`. After that there is a slice or a failure.
  void read_from(std::uint64_t offset, std::uint64_t end);

  const std::shared_ptr<Object>& slice() const { return current_.object; }
  std::uint64_t slice_begin() const { return current_.number * slicing_.slice_bytes; }
  std::uint64_t slice_end() const { return slice_begin() + slicing_.range(current_.number).count; }
  // Why the slice is not to be had; null while it is, or is being fetched.
  const Error* failure() const;

  // Where the slice in hand comes from, once some of it is there: hit_memory, hit_disk, collapsed or miss.
  CacheOutcome source() const;
  std::uint16_t upstream_status() const { return current_.fill == nullptr ? 0 : current_.fill->upstream_status(); }
  bool is_stored() const { return current_.leads && current_.fill->kept(); }

 private:
  struct Part {
    std::uint64_t number = 0;
    std::shared_ptr<Object> object;
    std::shared_ptr<Fill> fill;  // null: it was in memory
    bool leads = false;          // this request began the fill
  };

  Part find(std::uint64_t number);
  void drop(Part& part);
  void go_to(std::uint64_t number);

  Site& site_;
  const std::shared_ptr<Object> whole_;
  const Slicing slicing_;
  const Reader reader_;
  Part current_;
  Part next_;
  std::size_t retries_ = 0;
  std::optional<Error> refused_;
};

}  // namespace reelway::edge
