#include "edge/net/continued_fetches.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/check.h"

// The life of a fetch:  head -> body -> ended
//                                |  cut: ask for the rest
//                                +-> head of the rest -> (bytes that are there already are dropped) -> body -> ...

namespace reelway::edge {
namespace {

constexpr std::size_t kDroppedRoomBytes = 64 * 1024;
constexpr auto kReplacedFields = std::to_array<std::string_view>(
    {"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"});

std::string_view field(const http::ResponseHead& head, std::string_view name) {
  return head.headers.find(name).value_or(std::string_view{});
}

bool is_strong(std::string_view etag) {
  return etag.size() >= 2 && etag.front() == '"' && etag.back() == '"';
}

std::string rest_of(std::uint64_t from, std::uint64_t length) {
  return "bytes " + std::to_string(from) + "-" + std::to_string(length - 1) + "/" + std::to_string(length);
}

}  // namespace

std::string continuation_request(const std::string& request_text, std::uint64_t from, const std::string& etag) {
  std::string text;
  std::size_t at = 0;
  while (true) {
    const std::size_t end = request_text.find("\r\n", at);
    if (end == std::string::npos || end == at) break;
    const std::string_view line = std::string_view(request_text).substr(at, end + 2 - at);
    const std::string_view name = line.substr(0, line.find(':'));
    const bool replaced = std::any_of(kReplacedFields.begin(), kReplacedFields.end(),
                                      [&](std::string_view one) { return http::names_equal(one, name); });
    if (!replaced) text += line;
    at = end + 2;
  }
  text += "Range: bytes=" + std::to_string(from) + "-\r\nIf-Range: " + etag + "\r\n";
  return text.append(request_text, at);
}

class ContinuedFetches::Fetch final : public UpstreamCall {
 public:
  Fetch(ContinuedFetches& owner, UpstreamCall& call) : owner_(owner), call_(call) {}

  const std::string& request_text() const override { return rest_of_ ? continuation_text_ : call_.request_text(); }
  bool repeatable() const override { return call_.repeatable(); }
  void request_leaves() override { call_.request_leaves(); }
  void interim(const http::ResponseHead& head) override {
    if (!rest_of_) call_.interim(head);
  }

  bool head(const http::ResponseHead& head) override {
    if (rest_of_) return continues(head) || refuse();
    remember(head);
    return call_.head(head) || let_go();
  }

  std::span<std::uint8_t> room() override {
    if (to_drop_ == 0) return call_.room();
    dropped_.resize(kDroppedRoomBytes);
    return std::span(dropped_).first(static_cast<std::size_t>(std::min<std::uint64_t>(to_drop_, dropped_.size())));
  }

  bool advanced(std::size_t bytes) override {
    if (to_drop_ > 0) {
      to_drop_ -= bytes;
      return true;
    }
    received_ += bytes;
    return call_.advanced(bytes) || let_go();
  }

  void ended() override {
    if (rest_of_) ++owner_.counters_.completed;
    const auto self = owner_.release(*this);
    call_.ended();
  }

  void failed(Error error) override {
    const bool cut = error.side == Side::upstream && error.code == ErrorCode::upstream_truncated;
    if (cut && etag_ && received_ < length_ && continuations_ < kContinuationsMax) return ask_for_the_rest(error);
    const auto self = owner_.release(*this);
    // What ended the body is the reason, not why its rest could not be had; but if this program ends, it says so.
    call_.failed(rest_of_ && error.side != Side::self ? *rest_of_ : std::move(error));
  }

 private:
  void remember(const http::ResponseHead& head) {
    const std::string_view etag = field(head, "ETag");
    const bool known = head.status == 200 && !head.chunked && head.content_length.value_or(0) > 0 && is_strong(etag) &&
                       call_.request_text().starts_with("GET ");
    if (!known) return;
    etag_ = etag;
    length_ = *head.content_length;
    coding_ = field(head, "Content-Encoding");
  }

  void ask_for_the_rest(const Error& error) {
    if (!rest_of_) rest_of_ = error;
    ++continuations_;
    ++owner_.counters_.begun;
    to_drop_ = 0;
    continuation_text_ = continuation_request(call_.request_text(), received_, *etag_);
    owner_.upstream_.begin(*this);
  }

  bool continues(const http::ResponseHead& head) {
    if (field(head, "Content-Encoding") != coding_) return false;
    const std::string_view etag = field(head, "ETag");
    if (head.status == 206) {
      const bool is_rest = http::names_equal(field(head, "Content-Range"), rest_of(received_, length_));
      const bool fits = head.chunked || head.content_length == length_ - received_;
      return is_rest && fits && (etag.empty() || etag == *etag_);
    }
    if (head.status != 200 || etag != *etag_ || head.chunked || head.content_length != length_) return false;
    to_drop_ = received_;
    return true;
  }

  bool refuse() {
    ++owner_.counters_.refused;
    const auto self = owner_.release(*this);
    call_.failed(*rest_of_);
    return false;
  }

  bool let_go() {
    const auto self = owner_.release(*this);
    return false;
  }

  ContinuedFetches& owner_;
  UpstreamCall& call_;
  std::optional<std::string> etag_;  // set when the body can be continued
  std::string coding_;
  std::uint64_t length_ = 0;
  std::uint64_t received_ = 0;    // of the body, by the caller
  std::optional<Error> rest_of_;  // how the first answer broke off; set from then on
  std::size_t continuations_ = 0;
  std::string continuation_text_;
  std::uint64_t to_drop_ = 0;
  std::vector<std::uint8_t> dropped_;
};

ContinuedFetches::ContinuedFetches(Upstream& upstream) : upstream_(upstream) {}
ContinuedFetches::~ContinuedFetches() = default;

void ContinuedFetches::begin(UpstreamCall& call) {
  auto made = std::make_unique<Fetch>(*this, call);
  Fetch& fetch = *made;
  fetches_.emplace(&fetch, std::move(made));
  upstream_.begin(fetch);
}

std::unique_ptr<ContinuedFetches::Fetch> ContinuedFetches::release(const Fetch& fetch) {
  const auto found = fetches_.find(&fetch);
  CHECK(found != fetches_.end());
  auto owned = std::move(found->second);
  fetches_.erase(found);
  return owned;
}

}  // namespace reelway::edge
