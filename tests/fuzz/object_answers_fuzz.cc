#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/encoding.h"
#include "origin/objects/object_answers.h"

// What an object store answers. Whatever comes: what is taken as a listing is within the limits, and can be shown and
// sent on.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reelway;
  using namespace reelway::origin;
  const std::string_view xml = as_text(ByteView(data, size));
  if (const auto page = parse_list_page(xml); page.ok()) {
    CHECK(page->objects.size() <= 1000);
    for (const ListedObject& object : page->objects) {
      CHECK(!object.key.empty() && object.key.size() <= 1024 && is_utf8(object.key));
      CHECK(is_plain(object.etag) && is_plain(object.last_modified));
    }
    CHECK(is_plain(page->next_token));
  }
  if (const auto id = parse_upload_id(xml); id.ok()) CHECK(!id->empty() && is_plain(*id));
  const ObjectStoreFault fault = parse_fault(xml);
  CHECK(fault.message.size() <= 300);
  for (const char c : fault.code + fault.message) CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  (void)is_fault(xml);
  return 0;
}
