#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/http/message.h"
#include "edge/net/upstream.h"
#include "edge/store/store.h"

namespace reelway::edge {

// How the head of an upstream's answer is taken.
struct HeadVerdict {
  enum class Kind : std::uint8_t {
    body,          // an answer: `meta`, and the body that follows
    sliced,        // an answer whose body is to lie in slices: `meta`, and nothing of the body belongs to it
    not_modified,  // what is `stored` is still good, under `meta`
    refused,       // no answer for anybody: `error` says why
    ask_again,     // an answer without a body that is of no use: ask once more, by another request_text()
  };
  Kind kind = Kind::refused;
  ObjectMeta meta;
  bool keep = false;    // may be stored
  bool shared = false;  // may answer all who wait for it, not only the request that began the fill
  std::shared_ptr<Object> stored;
  // Of `sliced`: what comes is filled into this first slice, up to its length, and no more is taken. None: nothing is.
  std::optional<FillPermit> slice;
  ObjectMeta slice_meta;
  std::optional<Error> error;
};

// What a fill asks of the upstream, and how it takes the answer: all that tells the fill of a film's object
// (film_fetch.h) from that of a site's (site_fetch.h). Owned by its fill, so it outlives the request that made it and
// holds nothing of that request by reference.
class Fetch {
 public:
  virtual ~Fetch() = default;

  virtual Upstream& pool() const = 0;
  virtual std::string_view name() const = 0;  // of what is fetched: for errors and the log
  // The whole request, its content included; or why the upstream is not to be asked. Called when nothing usable has
  // been found on disk, and once more after take() has said ask_again.
  virtual Result<std::string> request_text() = 0;
  // Called with the final head, before the permit gets it; may give the permit's object another key. Says ask_again at
  // most once.
  virtual HeadVerdict take(const http::ResponseHead& head, FillPermit& permit) = 0;
};

}  // namespace reelway::edge
