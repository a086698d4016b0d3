#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/access/play_path.h"
#include "edge/request/edge_server.h"

namespace reelway::edge {

// What this edge would do with a public URL, step by step, without doing it: GET /v1/explain. The token is judged as
// for a viewer; the store is asked without touching the object's use; nothing is fetched.
class Explanation final : public std::enable_shared_from_this<Explanation>,
                          private TokenAuthority::Waiter,
                          private Rights::Waiter {
 public:
  // `explained` gets the JSON, on a later turn or from inside start().
  Explanation(EdgeServer& server, const Clock& clock, std::string target, std::function<void(std::string)> explained);
  ~Explanation();

  void start();
  // The asker is gone: `explained` is not called any more.
  void cancel() { explained_ = nullptr; }

 private:
  struct Verdict {
    std::string_view step;
    std::optional<Error> refusal;
    std::string detail;
  };

  void token_decided(Result<Grant> decision) override;
  void rights_decided(Result<void> decision) override;
  void name_film_object(std::string_view view);
  void judge_rental(const Grant& grant);
  void look_up();
  // A request of the site, without any field but Host: no token, and what is stored by the rules of a shared cache.
  void explain_site();
  void look_up_site();
  void look_at(const std::optional<Store::Probe>& probe);
  std::string judge_stored(const Store::Probe& probe);
  std::string judge_site(const Store::Probe& probe);
  void finish(const std::optional<Store::Probe>& probe);

  EdgeServer& server_;
  const Clock& clock_;
  const std::string target_;
  std::function<void(std::string)> explained_;
  bool waits_for_token_ = false;
  bool waits_for_rental_ = false;
  std::shared_ptr<Explanation> self_;  // while something is awaited
  std::optional<access::PlayPath> path_;
  std::string key_;
  std::string home_key_;     // of a film's object: where it is at home
  std::string primary_key_;  // of a site's object; key_ may be that of a variant
  std::vector<Verdict> verdicts_;
};

// The path of a public URL or path: "http://127.0.0.1:8090/t/x" and "/t/x" both give "/t/x".
std::string_view public_path(std::string_view target);

// The host of a URL, with its port; empty for a path alone.
std::string_view public_host(std::string_view target);

// The value of a query parameter, percent-decoded; nothing when it is absent or badly encoded.
std::optional<std::string> query_parameter(std::string_view query, std::string_view name);

}  // namespace reelway::edge
