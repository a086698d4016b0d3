#include "common/base/bytes.h"
#include "common/base/check.h"
#include "origin/jobs/work_messages.h"

// What workers and the origin tell each other, and the records of parts: whatever comes is refused, or leads to names
// that can stand in paths and to a bounded number of parts; and what was understood is told in the same words again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reelway::origin;
  const auto json = nlohmann::json::parse(reelway::as_text(reelway::ByteView{data, size}), nullptr, false);
  if (json.is_discarded()) return 0;
  if (const auto assignment = parse_assignment(json); assignment.ok()) {
    CHECK(is_plain_name(assignment->claim.job) && is_plain_name(assignment->claim.part));
    CHECK(encode_parts(assignment->plan).size() <= 8192);
    const auto again = parse_assignment(to_message(*assignment));
    CHECK(again.ok() && to_message(*again) == to_message(*assignment));
  }
  if (const auto outcome = parse_outcome(json); outcome.ok()) {
    CHECK(to_message(*parse_outcome(to_message(*outcome))) == to_message(*outcome));
  }
  if (const auto failure = parse_failure(json); failure.ok()) CHECK(!failure->error.info().name.empty());
  return 0;
}
