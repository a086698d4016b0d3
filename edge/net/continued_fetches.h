#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "edge/net/upstream.h"

namespace reelway::edge {

struct ContinuationCounters {
  std::uint64_t begun = 0;      // requests for the rest of a body
  std::uint64_t completed = 0;  // bodies that became whole by one
  std::uint64_t refused = 0;    // answers to one that were not the rest of the same body
};

// A layer over another Upstream that makes broken bodies whole: when the answer to a GET ends early it asks for the
// rest, from the byte reached, and the caller sees one answer. Only where both answers are known to be of the same
// bytes: the first one was a 200 with a strong validator and a length (RFC 9110 sections 8.8.1 and 14.2), and the other
// one is a 206 of exactly the rest or a 200 with the same validator and length, whose first bytes are then dropped. An
// answer that has changed meanwhile fails the call as the break would have, and so does a fourth break.
//
// Whoever is asked for the rest is the layer below's choice; it may be another upstream with the same things.
class ContinuedFetches final : public Upstream {
 public:
  static constexpr std::size_t kContinuationsMax = 3;

  explicit ContinuedFetches(Upstream& upstream);  // which must outlive this, or fail all calls before
  ~ContinuedFetches();

  void begin(UpstreamCall& call) override;
  const ContinuationCounters& counters() const { return counters_; }

 private:
  class Fetch;
  std::unique_ptr<Fetch> release(const Fetch& fetch);

  Upstream& upstream_;
  ContinuationCounters counters_;
  std::unordered_map<const Fetch*, std::unique_ptr<Fetch>> fetches_;
};

// The request for what follows the first `from` bytes of the answer with this strong ETag: the same request with Range
// and If-Range in place of any precondition or range it had.
std::string continuation_request(const std::string& request_text, std::uint64_t from, const std::string& etag);

}  // namespace reelway::edge
