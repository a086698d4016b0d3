#include "origin/objects/object_store.h"

#include "common/base/check.h"
#include "origin/objects/object_store_state.h"

namespace reelway::origin {
namespace {

Error changed(const ObjectName& name, std::string_view what) {
  return {ErrorCode::object_changed, Side::upstream, false, object_url(name) + ": " + std::string(what)};
}

Error malformed(const ObjectName& name, std::string_view what) {
  return {ErrorCode::object_store_answer_malformed, Side::upstream, false, object_url(name) + ": " + std::string(what)};
}

// Whether the head of an answer begins the bytes that were asked for, of the content that was asked for.
Result<void> check_range(const ObjectName& name, const ObjectHead& head, ObjectRange range, const HttpAnswer& answer) {
  if (answer.header("etag") != head.etag) return changed(name, "its ETag is another now");
  const std::uint64_t last = range.offset + range.count - 1;
  if (answer.status == 206) {
    const std::string place = "bytes " + std::to_string(range.offset) + "-" + std::to_string(last) + "/";
    const std::string given = answer.header("content-range");
    if (given == place + std::to_string(head.size_bytes)) return {};
    return given.starts_with(place) ? changed(name, "its size is another now: " + given)
                                    : malformed(name, "asked for " + place + " the answer has " + given);
  }
  if (range.offset == 0 && range.count == head.size_bytes) {
    return answer.number("content-length").value_or(range.count) == range.count
               ? Result<void>()
               : changed(name, "its size is another now");
  }
  return malformed(name, "a request for a range was answered without one");
}

}  // namespace

std::unique_ptr<HttpConnection> ObjectStore::State::take_connection() {
  const std::lock_guard hold(mutex);
  if (idle.empty()) {
    HttpTerms terms;
    terms.ca_file = config.ca_file;
    terms.limits = limits.http;
    terms.unreachable = ErrorCode::object_store_unreachable;
    terms.malformed = ErrorCode::object_store_answer_malformed;
    return std::make_unique<HttpConnection>(std::move(terms));
  }
  auto connection = std::move(idle.back());
  idle.pop_back();
  return connection;
}

void ObjectStore::State::keep_connection(std::unique_ptr<HttpConnection> connection) {
  const std::lock_guard hold(mutex);
  if (idle.size() < limits.idle_connections_max) idle.push_back(std::move(connection));
}

ObjectStore::State::Attempt ObjectStore::State::attempt(const ObjectRequest& request, Patience& patience,
                                                        const HttpSink* sink) {
  const std::int64_t time_s = clock.wall_s();
  auto connection = take_connection();
  Result<HttpAnswer> answer = connection->exchange(signed_request(config, request, time_s), patience, sink);
  keep_connection(std::move(connection));
  if (!answer.ok()) return {object_error(config, answer.error())};
  if (answer->status >= 200 && answer->status < 300) return {std::move(answer)};
  return {object_error(config, request, *answer, time_s), retry_after(*answer, limits.retry)};
}

Result<HttpAnswer> ObjectStore::State::call(const ObjectRequest& request, Patience& patience) {
  REELWAY_TRY(check_object_name(config, request.name));
  for (Retries retries(limits.retry, random, patience);;) {
    Attempt made = attempt(request, patience);
    if (made.answer.ok() || !retries.again(made.answer.error(), made.pause)) return std::move(made.answer);
  }
}

ObjectStore::ObjectStore(ObjectStoreConfig config, const Clock& clock, Random& random, ObjectStoreLimits limits)
    : state_(new State{std::move(config), clock, random, limits, {}, {}}) {}
ObjectStore::~ObjectStore() = default;

const ObjectStoreConfig& ObjectStore::config() const {
  return state_->config;
}

Result<ListPage> ObjectStore::list(const std::string& bucket, const ListRequest& request, Patience& patience) {
  ObjectRequest get;
  get.name.bucket = bucket;
  get.query = {{"list-type", "2"}, {"encoding-type", "url"}, {"max-keys", std::to_string(request.limit)}};
  if (!request.prefix.empty()) get.query.emplace_back("prefix", request.prefix);
  if (!request.token.empty()) get.query.emplace_back("continuation-token", request.token);
  const Result<HttpAnswer> answer = state_->call(get, patience);
  if (!answer.ok()) return answer.error();
  Result<ListPage> page = parse_list_page(answer->body);
  if (!page.ok()) return object_error(config(), page.error());
  if (!request.token.empty() && page->next_token == request.token) {
    return malformed(get.name, "a page of a listing is followed by itself");
  }
  return page;
}

Result<ObjectHead> ObjectStore::head(const ObjectName& name, Patience& patience) {
  ObjectRequest ask;
  ask.method = "HEAD";
  ask.name = name;
  ask.headers = {{"x-amz-checksum-mode", "ENABLED"}};
  Result<HttpAnswer> answer = state_->call(ask, patience);
  if (!answer.ok()) {
    if (answer.error().side != Side::upstream || answer.error().retry) return answer.error();
    // The answer to a HEAD cannot say why it refuses; that to a GET can.
    ask.method = "GET";
    ask.headers = {{"range", "bytes=0-0"}};
    const Result<HttpAnswer> reason = state_->call(ask, patience);
    const bool says_more = !reason.ok() && reason.error().code != ErrorCode::object_changed;
    return says_more ? reason.error() : answer.error();
  }
  const auto size = answer->number("content-length");
  if (!size) return malformed(name, "the store does not say how long it is");
  ObjectHead head{*size, answer->header("etag"), {}};
  if (head.etag.empty() || !is_plain(head.etag))
    return malformed(name, "the store gives no ETag, so a change could not be noticed");
  head.checksum =
      expected_checksum([&](std::string_view field) { return answer->header(field); }, config().etag_is_md5);
  return head;
}

Result<void> ObjectStore::read(const ObjectName& name, const ObjectHead& head, ObjectRange range, const Take& take,
                               Patience& patience) {
  CHECK(range.count > 0 && range.offset < head.size_bytes && range.count <= head.size_bytes - range.offset);
  REELWAY_TRY(check_object_name(config(), name));
  for (Retries retries(state_->limits.retry, state_->random, patience);;) {
    const std::uint64_t before = range.count;
    HttpSink sink;
    sink.begin = [&](const HttpAnswer& answer) { return check_range(name, head, range, answer); };
    sink.take = [&](ByteView bytes) -> Result<void> {
      if (bytes.size() > range.count) return malformed(name, "more bytes came than were asked for");
      REELWAY_TRY(take(bytes));
      range.offset += bytes.size();
      range.count -= bytes.size();
      return {};
    };
    ObjectRequest get;
    get.name = name;
    get.headers = {
        {"range", "bytes=" + std::to_string(range.offset) + "-" + std::to_string(range.offset + range.count - 1)},
        {"if-match", head.etag}};
    State::Attempt made = state_->attempt(get, patience, &sink);
    if (made.answer.ok() && range.count > 0) {
      made.answer =
          Error{ErrorCode::upstream_truncated, Side::upstream, true, object_url(name) + ": the answer ended early"};
    }
    if (range.count == 0) return {};
    if (range.count < before) retries.progress();
    if (!retries.again(made.answer.error(), made.pause)) return made.answer.error();
  }
}

Result<void> ObjectStore::read_all(const ObjectName& name, const ObjectHead& head, const Take& take,
                                   Patience& patience) {
  std::optional<ContentChecksum> sum;
  if (head.checksum) sum.emplace(head.checksum->kind);
  if (head.size_bytes > 0) {
    const Take summing = [&](ByteView bytes) {
      if (sum) sum->add(bytes);
      return take(bytes);
    };
    REELWAY_TRY(read(name, head, {0, head.size_bytes}, summing, patience));
  }
  if (!sum || sum->finish() == head.checksum->value) return {};
  return Error{ErrorCode::object_corrupt, Side::upstream, false,
               object_url(name) + ": its " + std::string(name_of(head.checksum->kind)) + " is another"};
}

Result<void> ObjectStore::erase(const ObjectName& name, Patience& patience) {
  ObjectRequest request;
  request.method = "DELETE";
  request.name = name;
  if (name.key.empty()) return Error{ErrorCode::http_bad_request, Side::client, false, "an object has a key"};
  const Result<HttpAnswer> answer = state_->call(request, patience);
  if (!answer.ok() && answer.error().code != ErrorCode::object_not_found) return answer.error();
  return {};
}

}  // namespace reelway::origin
