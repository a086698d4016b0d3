#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "edge/net/exchange.h"
#include "edge/request/kept_head.h"
#include "edge/request/ring_team.h"
#include "edge/request/token_authority.h"

namespace reelway::edge {

class HandedRequests;
struct Services;

// What the home ring is told of a request: copies, for the connection's memory is its own ring's.
struct HandedRequest {
  explicit HandedRequest(const ResponseStream& stream);

  KeptHead head;
  std::string content;
  std::optional<ClientAddress> peer;
  bool may_keep_alive;
  Clock::Monotonic began;
  std::optional<Grant> grant;  // of a film's request
};

// One request whose object is at home at another ring. The connection's ring has authorized it, keeps watching its
// rental, and sends; the home ring looks up, fetches, says what to send piece by piece, and logs. Both hold this; each
// side's members are its own.
//
//   connection's ring  ->  begin, written ..., client_gone | end_rental | withdraw
//   home ring          ->  piece ..., finished | cut
//
// A body is sent from the home ring's memory: what keeps it there goes back with the piece's end, to be let go at home.
class HandOver final : public std::enable_shared_from_this<HandOver> {
 public:
  // The connection's side. None of it comes from inside a call to this, nor after client_gone() and its like.
  class Sender {
   public:
    virtual void handed_piece(ResponseStream::Piece piece) = 0;
    virtual void handed_finished(bool keep_alive) = 0;
    virtual void handed_cut() = 0;  // the answer cannot be completed

   protected:
    ~Sender() = default;
  };

  static std::shared_ptr<HandOver> begin(const RingSeat& from, std::size_t home, std::unique_ptr<HandedRequest> request,
                                         Sender& sender);
  HandOver(const RingSeat& from, std::size_t home, std::unique_ptr<HandedRequest> request, Sender& sender);

  // By the connection's ring.
  bool answer_has_begun() const { return answer_has_begun_; }
  void written();
  void client_gone();
  void end_rental(Error why);  // of an answer that has begun: the connection is cut, the home ring logs why
  void withdraw();             // of one that has not: answered otherwise, and logged there

 private:
  friend class HandedRequests;
  class Guest;

  void at_home(std::function<void(HandedRequests&, HandOver&)> task);
  void at_connection(std::function<void(Sender&, HandOver&)> task);

  const RingSeat from_;
  const std::size_t home_;
  const std::unique_ptr<const HandedRequest> request_;  // read at home only
  Sender* sender_;                                      // null: it hears no more
  bool answer_has_begun_ = false;
  Guest* guest_ = nullptr;  // the home side; null before it is there and after its end
};

// The requests of other rings' connections that are answered here: as many as those have connections. One ring thread.
class HandedRequests {
 public:
  HandedRequests(ring::Ring& ring, Services& services);
  ~HandedRequests();

  void begin(const std::shared_ptr<HandOver>& over);
  std::size_t running() const { return guests_.size(); }
  std::uint64_t begun() const { return begun_; }

 private:
  friend class HandOver;
  void end(HandOver& over);

  ring::Ring& ring_;
  Services& services_;
  std::unordered_map<const HandOver*, std::unique_ptr<HandOver::Guest>> guests_;
  std::vector<std::unique_ptr<HandOver::Guest>> ended_;
  std::uint64_t begun_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what is deferred
};

}  // namespace reelway::edge
