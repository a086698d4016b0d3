#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "origin/client/patience.h"
#include "origin/client/retries.h"
#include "origin/objects/content_checksum.h"
#include "origin/objects/object_answers.h"
#include "origin/objects/object_request.h"

namespace reelway::origin {

struct ObjectStoreLimits {
  HttpLimits http;
  RetryLimits retry;
  std::uint64_t put_part_bytes = 64ull << 20;  // larger objects are sent in parts of this size or more
  std::size_t idle_connections_max = 16;
};

struct ListRequest {
  std::string prefix;
  std::string token;         // ListPage::next_token of the page before; empty: from the beginning
  std::size_t limit = 1000;  // 1 to 1,000; the store may give fewer
};

struct ObjectHead {
  std::uint64_t size_bytes = 0;
  std::string etag;  // pins this content: see read()
  std::optional<ExpectedChecksum> checksum;
};

struct ObjectRange {
  std::uint64_t offset = 0;
  std::uint64_t count = 0;  // 1 or more, within the object
};

// How far an upload in parts is, for one that goes on in another process.
struct PartedUpload {
  std::string id;                // the store's; empty: none has begun
  std::uint64_t part_bytes = 0;  // of each part but the last, which may be shorter
  std::vector<UploadedPart> parts;
};

// A client of one S3-compatible object store. Every request is signed (AWS Signature Version 4); whatever may be
// repeated safely is, with growing pauses. Blocking: never on an event loop. Thread-safe; each call in progress has a
// connection of its own, which is kept for the next.
//
// Errors of every call: object_store_unreachable, object_store_denied, object_store_clock_skew, object_store_busy,
// object_store_redirected, object_store_failed, object_store_answer_malformed, bucket_not_found, timed_out,
// upstream_truncated, http_bad_request (a name that is none), shutting_down (patience was given up).
class ObjectStore {
 public:
  using Take = std::function<Result<void>(ByteView bytes)>;

  // `clock` and `random` outlive the store.
  ObjectStore(ObjectStoreConfig config, const Clock& clock, Random& random, ObjectStoreLimits limits = {});
  ~ObjectStore();

  const ObjectStoreConfig& config() const;

  Result<ListPage> list(const std::string& bucket, const ListRequest& request, Patience& patience);
  Result<ObjectHead> head(const ObjectName& name, Patience& patience);  // object_not_found

  // Gives the bytes of a range of the object that head() told of, in order; after an interruption it goes on with the
  // first byte that has not been taken. object_changed when the object has another ETag or size by now,
  // object_not_found; an error of `take` ends it.
  Result<void> read(const ObjectName& name, const ObjectHead& head, ObjectRange range, const Take& take,
                    Patience& patience);
  // The whole object, compared with the checksum that the store has for it, if any: object_corrupt.
  Result<void> read_all(const ObjectName& name, const ObjectHead& head, const Take& take, Patience& patience);

  // Stores an object, in parts when it is large: each is sent with its SHA-256, by which the store checks it. An object
  // under the key is replaced once all is there; a failed attempt leaves it as it was. The body is read twice.
  Result<ObjectHead> put(const ObjectName& name, const HttpBody& body, Patience& patience);
  // The same in parts that survive the caller: it goes on from `from`, and tells `keep` how far it is once an upload
  // has begun and after each part. An upload that the store no longer knows is begun anew. What an error leaves in the
  // store stays there, to be gone on with or abandoned.
  using Keep = std::function<Result<void>(const PartedUpload& upload)>;
  Result<ObjectHead> put_parts(const ObjectName& name, const HttpBody& body, const PartedUpload& from, const Keep& keep,
                               Patience& patience);
  Result<void> abandon(const ObjectName& name, const std::string& upload_id, Patience& patience);
  Result<void> erase(const ObjectName& name, Patience& patience);  // what is absent is no error

 private:
  friend class ObjectUpload;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reelway::origin
