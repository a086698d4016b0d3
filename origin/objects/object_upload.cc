#include "origin/objects/object_upload.h"

#include <algorithm>

#include "common/base/encoding.h"

namespace reelway::origin {
namespace {

constexpr std::uint64_t kPartsMax = 10'000;  // of S3
constexpr std::size_t kSumPiece = 1u << 20;

HttpBody text_body(std::string text) {
  HttpBody body;
  body.size_bytes = text.size();
  body.read = [text = std::move(text)](std::uint64_t offset, std::span<std::uint8_t> out) -> Result<void> {
    std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  };
  return body;
}

// What S3 and most of its kin give an object of parts: the MD5 of the parts' MD5s, and how many they are.
std::optional<std::string> multipart_etag(const std::vector<UploadedPart>& parts) {
  ContentChecksum sum(ChecksumKind::md5);
  for (const UploadedPart& part : parts) {
    const auto md5 = etag_checksum(part.etag);
    if (!md5) return std::nullopt;
    sum.add(md5->value);
  }
  return "\"" + hex(sum.finish()) + "-" + std::to_string(parts.size()) + "\"";
}

// The store does not know the upload: it was completed, abandoned or has expired.
bool is_gone(const Error& error) {
  return error.detail.find("NoSuchUpload") != std::string::npos;
}

Result<Bytes> sha256_of(const HttpBody& body, std::uint64_t offset, std::uint64_t count) {
  ContentChecksum sum(ChecksumKind::sha256);
  Bytes piece(kSumPiece);
  while (count > 0) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(count, piece.size()));
    REELWAY_TRY(body.read(offset, std::span(piece).first(size)));
    sum.add(std::span(piece).first(size));
    offset += size;
    count -= size;
  }
  return sum.finish();
}

Result<ObjectHead> check_stored(const ObjectName& name, const HttpBody& body, Result<ObjectHead> stored) {
  if (!stored.ok() || stored->size_bytes == body.size_bytes) return stored;
  return Error{ErrorCode::object_corrupt, Side::upstream, false,
               object_url(name) + ": " + std::to_string(body.size_bytes) + " bytes were stored, and it has " +
                   std::to_string(stored->size_bytes)};
}

}  // namespace

ObjectRequest ObjectUpload::request(std::string method) const {
  ObjectRequest out;
  out.method = std::move(method);
  out.name = name_;
  return out;
}

std::uint64_t ObjectUpload::part_bytes() const {
  constexpr std::uint64_t kMiB = 1u << 20;
  const std::uint64_t least = (body_.size_bytes + kPartsMax - 1) / kPartsMax;
  return std::max(store_.limits.put_part_bytes, (least + kMiB - 1) / kMiB * kMiB);
}

Result<std::string> ObjectUpload::attach(ObjectRequest& request, std::uint64_t offset, std::uint64_t count) const {
  const Result<Bytes> sum = sha256_of(body_, offset, count);
  if (!sum.ok()) return sum.error();
  request.payload_sha256 = hex(*sum);
  const std::string checksum = base64(*sum);
  request.headers.emplace_back("x-amz-checksum-sha256", checksum);
  request.body.size_bytes = count;
  request.body.read = [this, offset](std::uint64_t at, std::span<std::uint8_t> out) {
    return body_.read(offset + at, out);
  };
  return checksum;
}

Result<void> ObjectUpload::run() {
  REELWAY_TRY(check_object_name(store_.config, name_));
  if (name_.key.empty()) return Error{ErrorCode::http_bad_request, Side::client, false, "an object has a key"};
  if (body_.size_bytes <= store_.limits.put_part_bytes) return put_whole();
  REELWAY_TRY(begin());
  const Result<void> sent = put_parts();
  if (!sent.ok()) abandon();
  return sent;
}

Result<void> ObjectUpload::begin() {
  ObjectRequest post = request("POST");
  post.query = {{"uploads", ""}};
  post.headers = {{"x-amz-checksum-algorithm", "SHA256"}};
  const Result<HttpAnswer> begun = store_.call(post, patience_);
  if (!begun.ok()) return begun.error();
  Result<std::string> id = parse_upload_id(begun->body);
  if (!id.ok()) return object_error(store_.config, id.error());
  upload_id_ = std::move(id).value();
  part_bytes_ = part_bytes();
  parts_.clear();
  return {};
}

Result<void> ObjectUpload::go_on(const PartedUpload& from, const ObjectStore::Keep& keep) {
  REELWAY_TRY(check_object_name(store_.config, name_));
  if (name_.key.empty()) return Error{ErrorCode::http_bad_request, Side::client, false, "an object has a key"};
  if (body_.size_bytes <= store_.limits.put_part_bytes) return put_whole();
  upload_id_ = from.id;
  part_bytes_ = from.part_bytes;
  parts_ = from.parts;
  if (!upload_id_.empty()) {
    Result<void> sent = put_kept_parts(keep);
    const bool begin_anew = !sent.ok() && (is_gone(sent.error()) || sent.error().code == ErrorCode::object_not_found);
    if (!begin_anew) return sent;
  }
  REELWAY_TRY(begin());
  REELWAY_TRY(keep({upload_id_, part_bytes_, parts_}));
  return put_kept_parts(keep);
}

Result<void> ObjectUpload::put_kept_parts(const ObjectStore::Keep& keep) {
  for (std::uint64_t at = parts_.size() * part_bytes_; at < body_.size_bytes; at += part_bytes_) {
    REELWAY_TRY(put_part(at, std::min(part_bytes_, body_.size_bytes - at)));
    REELWAY_TRY(keep({upload_id_, part_bytes_, parts_}));
  }
  return complete();
}

Result<void> ObjectUpload::put_whole() {
  ObjectRequest put = request("PUT");
  const Result<std::string> checksum = attach(put, 0, body_.size_bytes);
  if (!checksum.ok()) return checksum.error();
  const Result<HttpAnswer> answer = store_.call(put, patience_);
  if (!answer.ok()) return answer.error();
  return {};
}

Result<void> ObjectUpload::put_parts() {
  for (std::uint64_t offset = 0; offset < body_.size_bytes; offset += part_bytes_) {
    REELWAY_TRY(put_part(offset, std::min(part_bytes_, body_.size_bytes - offset)));
  }
  return complete();
}

Result<void> ObjectUpload::put_part(std::uint64_t offset, std::uint64_t count) {
  ObjectRequest put = request("PUT");
  put.query = {{"partNumber", std::to_string(parts_.size() + 1)}, {"uploadId", upload_id_}};
  Result<std::string> checksum = attach(put, offset, count);
  if (!checksum.ok()) return checksum.error();
  const Result<HttpAnswer> answer = store_.call(put, patience_);
  if (!answer.ok()) return answer.error();
  const std::string etag = answer->header("etag");
  if (etag.empty()) {
    return Error{ErrorCode::object_store_answer_malformed, Side::upstream, false, "a stored part was given no ETag"};
  }
  parts_.push_back({etag, std::move(checksum).value()});
  return {};
}

// A store may fail after its 200, and it may have completed an upload of whose end nobody heard: then it does not know
// the upload any more. That may be so at the first answer, too, since libcurl repeats a request by itself when a
// connection that was kept turns out to be closed.
Result<void> ObjectUpload::complete() {
  ObjectRequest post = request("POST");
  post.query = {{"uploadId", upload_id_}};
  const std::string text = complete_upload_body(parts_);
  post.body = text_body(text);
  post.payload_sha256 = access::sha256_hex(as_bytes(text));
  for (Retries retries(store_.limits.retry, store_.random, patience_);;) {
    ObjectStore::State::Attempt made = store_.attempt(post, patience_);
    if (made.answer.ok()) {
      if (!is_fault(made.answer->body)) return {};
      made.answer->status = 500;
      made.answer = object_error(store_.config, post, *made.answer, store_.clock.wall_s());
    }
    const Error& error = made.answer.error();
    if (is_gone(error)) return completed_before();
    if (!retries.again(error, made.pause)) return error;
  }
}

// Whether the object under the key is the one that the parts make, by its ETag.
Result<void> ObjectUpload::completed_before() {
  const Result<HttpAnswer> answer = store_.call(request("HEAD"), patience_);
  if (!answer.ok()) return answer.error();
  if (const auto etag = multipart_etag(parts_); etag && *etag == answer->header("etag")) return {};
  return Error{
      ErrorCode::object_store_failed, Side::upstream, false,
      object_url(name_) + ": the upload's parts are gone (NoSuchUpload), and the object is not what they make"};
}

void ObjectUpload::abandon() {
  ObjectRequest request_to_abandon = request("DELETE");
  request_to_abandon.query = {{"uploadId", upload_id_}};
  (void)store_.attempt(request_to_abandon, patience_);
}

Result<ObjectHead> ObjectStore::put(const ObjectName& name, const HttpBody& body, Patience& patience) {
  REELWAY_TRY(ObjectUpload(*state_, name, body, patience).run());
  return check_stored(name, body, head(name, patience));
}

Result<ObjectHead> ObjectStore::put_parts(const ObjectName& name, const HttpBody& body, const PartedUpload& from,
                                          const Keep& keep, Patience& patience) {
  REELWAY_TRY(ObjectUpload(*state_, name, body, patience).go_on(from, keep));
  return check_stored(name, body, head(name, patience));
}

Result<void> ObjectStore::abandon(const ObjectName& name, const std::string& upload_id, Patience& patience) {
  ObjectRequest request;
  request.method = "DELETE";
  request.name = name;
  request.query = {{"uploadId", upload_id}};
  const Result<HttpAnswer> answer = state_->call(request, patience);
  if (!answer.ok() && answer.error().code != ErrorCode::object_not_found) return answer.error();
  return {};
}

}  // namespace reelway::origin
