#include "edge/replica/records_answer.h"

#include <algorithm>
#include <string>
#include <variant>

namespace reelway::edge {
namespace {

Error malformed(std::string detail) {
  return {ErrorCode::replica_malformed, Side::upstream, true, std::move(detail)};
}

}  // namespace

Result<bool> RecordsAnswer::frame(const rights::Frame& frame) {
  if (done_) return malformed("a frame after END");
  if (const auto* hello = std::get_if<rights::HelloFrame>(&frame)) {
    if (hello_ || records_ > 0) return malformed("HELLO is not the first frame");
    hello_ = *hello;
    return false;
  }
  if (const auto* records = std::get_if<rights::RecordsFrame>(&frame)) {
    for (const rights::ReplicaRecord& record : records->records) {
      ++records_;
      newest_ = std::max(newest_, record.mod_revision);
      REELWAY_TRY(take_(record));
    }
    return false;
  }
  const auto* end = std::get_if<rights::EndFrame>(&frame);
  if (end == nullptr) return malformed("a frame that belongs to no set of records");
  if (end->records != records_) {
    return malformed("END tells of " + std::to_string(end->records) + " records, " + std::to_string(records_) +
                     " came");
  }
  if (newest_ > end->revision) return malformed("a record is newer than END says");
  end_revision_ = end->revision;
  done_ = true;
  return true;
}

}  // namespace reelway::edge
