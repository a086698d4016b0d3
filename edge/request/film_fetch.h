#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "edge/policy/cache_key.h"
#include "edge/request/fetch.h"

namespace reelway::edge {

class Fills;

// Asks the origin for an object of a film. The request carries nothing of any client's, neither headers nor query (of
// what codings it takes only whether gzip is among them), so its answer is the same for whoever asks: that is why an
// answer that may not be stored can still be shared with those who asked while it was awaited (a reading of RFC 9111
// section 4 that is wider than its letter); whoever asks later fetches anew.
class FilmFetch final : public Fetch {
 public:
  // The origin is told the view (common/access/view.h) unless it is that of every viewer. It is asked whether `stored`,
  // which is complete and no longer fresh, is still good, when there is one that has an entity tag.
  struct Asked {  // copied
    std::string_view object_path;
    std::string_view view;
    Coding coding = Coding::identity;
  };
  FilmFetch(const Fills& fills, const Asked& asked, std::shared_ptr<Object> stored = nullptr)
      : fills_(fills),
        object_path_(asked.object_path),
        view_(asked.view),
        coding_(asked.coding),
        stored_(std::move(stored)) {}

  Upstream& pool() const override;
  std::string_view name() const override { return object_path_; }
  Result<std::string> request_text() override;
  HeadVerdict take(const http::ResponseHead& head, FillPermit& permit) override;

 private:
  bool is_conditional() const { return stored_ != nullptr && !stored_->meta().etag.empty() && !asked_again_; }
  HeadVerdict take_not_modified(const http::ResponseHead& head);
  HeadVerdict take_body(const http::ResponseHead& head);
  void drop_stored();

  const Fills& fills_;
  const std::string object_path_;
  const std::string view_;
  const Coding coding_;
  const std::shared_ptr<Object> stored_;
  bool asked_again_ = false;
};

}  // namespace reelway::edge
