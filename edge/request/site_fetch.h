#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "edge/policy/freshness.h"
#include "edge/policy/reuse.h"
#include "edge/request/fetch.h"
#include "edge/request/kept_head.h"
#include "edge/request/site.h"

namespace reelway::edge {

// Whether a stored response may answer requests with Authorization (RFC 9111 section 3.5).
bool may_share_authorized(const ObjectMeta& meta);

// Asks a site's upstream, for a request that has been looked up. What it asks:
//   passes      what the client asked, with its method, preconditions, ranges and content
//   else        the whole object by GET, with the client's other fields; conditional when something is `stored`, and
//   then
//               once more without the condition when the 304 is about something else
// A HEAD is always passed as a HEAD.
class SiteFetch final : public Fetch {
 public:
  struct Asked {  // views are copied
    const http::RequestHead& head;
    std::string_view content;
    std::string client_address;
    std::string_view key;  // under which the fill's object is found
  };

  SiteFetch(Site& site, const SiteState& state, const Asked& asked);
  ~SiteFetch() override;

  // The fill is for nobody but the store, and counts among Site::kBackgroundMax while it lasts.
  void in_background();

  Upstream& pool() const override { return site_.pool; }
  std::string_view name() const override { return target_; }
  Result<std::string> request_text() override;
  HeadVerdict take(const http::ResponseHead& head, FillPermit& permit) override;

 private:
  bool to_head() const { return method_ == http::Method::head; }
  HeadVerdict take_passed(const http::ResponseHead& head);
  HeadVerdict take_not_modified(const http::ResponseHead& head);
  HeadVerdict take_answer(const http::ResponseHead& head, FillPermit& permit);
  bool choose_key(const http::ResponseHead& head, FillPermit& permit, ObjectMeta& meta);
  void take_slices(const http::ResponseHead& head, const FillPermit& permit, HeadVerdict& verdict) const;
  bool wants_first_slice(const ObjectMeta& whole) const;
  void write_marker(const std::vector<std::string>& names, const std::string& generation);
  void not_stored(const http::ResponseHead& head);
  StoringRequest storing_request() const;
  HeadVerdict refuse(std::string detail) const;

  Site& site_;
  const bool passes_;
  const bool only_if_cached_;
  const http::Method method_;
  const std::string method_text_;
  const std::string host_;  // as received, or the upstream's name
  const std::string target_;
  const ReuseRequest wish_;
  const KeptHeaders headers_;
  const std::string primary_key_;
  const std::string key_;
  const std::shared_ptr<Object> marker_;
  const std::shared_ptr<Object> stored_;
  std::string text_;  // the request without a condition
  std::int64_t asked_ms_ = 0;
  bool asked_again_ = false;
  bool in_background_ = false;
};

}  // namespace reelway::edge
