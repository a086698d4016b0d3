#pragma once

#include <string>
#include <vector>

#include "origin/objects/object_store_state.h"

namespace reelway::origin {

// One object on its way into a store, in one request or, when it is large, in parts that are put together by a last
// one. What a failed upload in parts has left is removed; where that fails too it stays until the bucket's rule for
// incomplete multipart uploads removes it.
class ObjectUpload {
 public:
  ObjectUpload(ObjectStore::State& store, const ObjectName& name, const HttpBody& body, Patience& patience)
      : store_(store), name_(name), body_(body), patience_(patience) {}

  Result<void> run();
  // ObjectStore::put_parts()
  Result<void> go_on(const PartedUpload& from, const ObjectStore::Keep& keep);

 private:
  Result<void> begin();
  Result<void> put_whole();
  Result<void> put_parts();
  Result<void> put_kept_parts(const ObjectStore::Keep& keep);
  Result<void> put_part(std::uint64_t offset, std::uint64_t count);
  Result<void> complete();
  Result<void> completed_before();
  void abandon();

  std::uint64_t part_bytes() const;
  ObjectRequest request(std::string method) const;
  // Gives a request a part of the body, with its SHA-256.
  Result<std::string> attach(ObjectRequest& request, std::uint64_t offset, std::uint64_t count) const;

  ObjectStore::State& store_;
  const ObjectName& name_;
  const HttpBody& body_;
  Patience& patience_;
  std::string upload_id_;
  std::uint64_t part_bytes_ = 0;
  std::vector<UploadedPart> parts_;
};

}  // namespace reelway::origin
