#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "edge/store/chunk_pool.h"

namespace reelway::edge {

// What is kept of a stored response beside its body. Serialised, with a format number, as the RocksDB record.
struct ObjectMeta {
  std::string key;
  std::uint16_t status = 200;  // 0: a variant marker, which has no body and names, in `vary`, what selects one
  std::string content_type;
  std::string etag;                     // as received, with quotes; may be empty
  std::string last_modified;            // as received; may be empty
  std::string cache_control;            // as received, passed on to the client
  std::string content_encoding;         // as received; may be empty
  std::optional<std::uint64_t> length;  // known from the head on when the origin sent Content-Length
  std::optional<std::uint32_t>
      crc32c;  // the origin's sum from its head; after a completed fill always our own sum, equal to it
  std::int64_t received_ms = 0;     // wall time at which the response head arrived
  std::int64_t date_ms = 0;         // the origin's Date, or received_ms
  std::uint32_t age_s = 0;          // Age in the response
  std::int64_t fresh_until_ms = 0;  // wall time

  // All other end-to-end header lines of a site's response, "Name: value\r\n" each, in the order received; empty for
  // objects of films.
  std::string headers;
  std::vector<std::string> tags;  // Surrogate-Key or Cache-Tag: at most kTagsMax of at most kTagBytesMax each
  std::vector<std::string> vary;  // lower-case field names: of a variant marker, and of each of its variants
  std::uint32_t stale_while_revalidate_s = 0;  // RFC 5861 section 3
  std::uint32_t stale_if_error_s = 0;          // RFC 5861 section 4
  bool must_revalidate = false;                // never served stale (must-revalidate, proxy-revalidate, s-maxage)
  bool always_validate = false;                // no-cache: validated before each use
  bool heuristic = false;                      // its lifetime is a guess (RFC 9111 section 4.2.2)
  // Not 0: this is the head of a large object of a site. Its body is not here but lies in slices, which are objects of
  // their own (policy/slices.h).
  std::uint64_t sliced_bytes = 0;  // of the whole body
  std::uint64_t slice_bytes = 0;   // of each slice but the last
  // Set by the store when the fill began: purges that came later (a higher epoch) concern this object.
  std::uint64_t purge_epoch = 0;

  static constexpr std::size_t kTagsMax = 64;
  static constexpr std::size_t kTagBytesMax = 256;
};

inline bool lies_in_slices(const ObjectMeta& meta) {
  return meta.sliced_bytes > 0 && meta.slice_bytes > 0;
}

// Whether new metadata can be that of the stored body: length and sum, where they are given, are equal.
inline bool is_same_body(const ObjectMeta& fresh, const ObjectMeta& stored) {
  return (!fresh.length || fresh.length == stored.length) && (!fresh.crc32c || fresh.crc32c == stored.crc32c);
}

enum class ObjectState : std::uint8_t { awaiting_head, filling, complete, failed };

// One stored response. While it is filled its body grows; readers follow it byte by byte. Belongs to one ring
// thread; shared by reference counts among the store and the requests that read it. Once complete it never changes:
// new metadata for the same body (after a 304) makes another Object that shares the body.
//
// The body lies in chunks of kChunkBytes (the last one shorter), so growing never moves bytes that a send reads.
class Object {
 public:
  static constexpr std::size_t kChunkBytes = ChunkPool::kFullBytes;

  // Wakes a reader: called on the ring's thread when the head arrives, bytes are added, or the state ends. A reader
  // that is called may add or remove readers, itself included.
  class Reader {
   public:
    virtual void object_advanced() = 0;

   protected:
    ~Reader() = default;
  };

  explicit Object(std::string key);
  ~Object();
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  ObjectState state() const { return state_; }
  const ObjectMeta& meta() const { return meta_; }
  const Error& failure() const;  // only in state failed
  std::uint64_t bytes_present() const { return bytes_present_; }
  // Contiguous bytes from `offset`, at most to the end of the chunk that holds it; empty when none are present yet.
  ByteView view(std::uint64_t offset) const;
  // Whether what view() shows may be sent by reference; see Chunk::lend(). Only of a complete object.
  bool lend(std::uint64_t offset) const;

  // CRC32C of a part of what is present.
  std::uint32_t crc_of(std::uint64_t offset, std::uint64_t bytes) const;

  // A place for what is made of the meta once and used for each answer; empty at first. Only for a complete object, the
  // meta of which no longer changes.
  std::string& answer_lines() const { return answer_lines_; }

  void add_reader(Reader& reader);
  void remove_reader(Reader& reader);
  std::size_t readers() const;

  // Whether an Object with other metadata holds the same body.
  bool shares_body() const { return body_.use_count() > 1; }

 private:
  friend class ObjectWriter;  // the only one that changes an object

  struct Body {
    std::vector<Chunk> chunks;        // all but the last are kChunkBytes long
    std::vector<std::uint32_t> crcs;  // of what is present in each chunk
  };

  ObjectState state_ = ObjectState::awaiting_head;
  ObjectMeta meta_;
  std::uint64_t bytes_present_ = 0;
  std::shared_ptr<Body> body_ = std::make_shared<Body>();
  std::vector<Reader*> readers_;  // null where one was removed while they are being woken
  std::size_t waking_depth_ = 0;
  mutable std::string answer_lines_;
  std::optional<Error> failure_;
};

}  // namespace reelway::edge
