#include "edge/request/hand_over.h"

#include <utility>

#include "edge/request/edge_server.h"
#include "edge/request/request.h"

namespace reelway::edge {
namespace {

// A piece of at most this is copied: cheaper than a message that gives its memory back.
constexpr std::size_t kCopiedBytesMax = 8 * 1024;

// Memory of the home ring in another ring's hands. Its end there posts it home, where it is let go.
class Loan {
 public:
  Loan(const RingTeam& team, std::size_t home, std::shared_ptr<const void> owner)
      : team_(team), home_(home), owner_(std::move(owner)) {}
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  ~Loan() {
    team_.post(home_, [owner = std::move(owner_)](EdgeServer&) {});
  }

 private:
  const RingTeam& team_;
  const std::size_t home_;
  std::shared_ptr<const void> owner_;
};

}  // namespace

// The home side of one request: the stream that its Request writes to.
class HandOver::Guest final : public ResponseStream {
 public:
  Guest(std::shared_ptr<HandOver> over, HandedRequests& guests, Services& services)
      : over_(std::move(over)), guests_(guests), request_(services, *this) {}

  void begin() { request_.begin_handed(over_->request_->grant, over_->request_->began); }
  Request& request_under_way() { return request_; }

  const http::RequestHead& request() const override { return over_->request_->head.head(); }
  std::string_view content() const override { return over_->request_->content; }
  std::optional<ClientAddress> peer_address() const override { return over_->request_->peer; }
  bool may_keep_alive() const override { return over_->request_->may_keep_alive; }

  void write(Piece piece) override {
    if (piece.head.size() + piece.body.size() + piece.tail.size() <= kCopiedBytesMax) {
      piece.head.append(as_text(piece.body)).append(piece.tail);
      piece.body = {};
      piece.tail = {};
      piece.owner.reset();
    } else if (piece.owner != nullptr) {
      piece.owner = std::make_shared<Loan>(*over_->from_.team, over_->home_, std::move(piece.owner));
    }
    over_->at_connection([piece = std::move(piece)](Sender& sender, HandOver& over) mutable {
      over.answer_has_begun_ = true;
      sender.handed_piece(std::move(piece));
    });
  }
  void finish(bool keep_alive) override {
    over_->at_connection([keep_alive](Sender& sender, HandOver& over) {
      over.sender_ = nullptr;
      sender.handed_finished(keep_alive);
    });
    guests_.end(*over_);
  }
  void abort() override {
    over_->at_connection([](Sender& sender, HandOver& over) {
      over.sender_ = nullptr;
      sender.handed_cut();
    });
    guests_.end(*over_);
  }

 private:
  const std::shared_ptr<HandOver> over_;
  HandedRequests& guests_;
  Request request_;
};

HandedRequest::HandedRequest(const ResponseStream& stream)
    : head(stream.request()),
      content(stream.content()),
      peer(stream.peer_address()),
      may_keep_alive(stream.may_keep_alive()) {}

HandOver::HandOver(const RingSeat& from, std::size_t home, std::unique_ptr<HandedRequest> request, Sender& sender)
    : from_(from), home_(home), request_(std::move(request)), sender_(&sender) {}

std::shared_ptr<HandOver> HandOver::begin(const RingSeat& from, std::size_t home,
                                          std::unique_ptr<HandedRequest> request, Sender& sender) {
  auto over = std::make_shared<HandOver>(from, home, std::move(request), sender);
  over->from_.team->post(home, [over](EdgeServer& server) { server.handed().begin(over); });
  return over;
}

void HandOver::at_home(std::function<void(HandedRequests&, HandOver&)> task) {
  from_.team->post(home_, [over = shared_from_this(), task = std::move(task)](EdgeServer& server) {
    if (over->guest_ != nullptr) task(server.handed(), *over);
  });
}

void HandOver::at_connection(std::function<void(Sender&, HandOver&)> task) {
  from_.team->post(from_.index, [over = shared_from_this(), task = std::move(task)](EdgeServer&) {
    if (over->sender_ != nullptr) task(*over->sender_, *over);
  });
}

void HandOver::written() {
  at_home([](HandedRequests&, HandOver& over) { over.guest_->request_under_way().written(); });
}

void HandOver::client_gone() {
  sender_ = nullptr;
  at_home([](HandedRequests& guests, HandOver& over) {
    over.guest_->request_under_way().client_gone();
    guests.end(over);
  });
}

void HandOver::end_rental(Error why) {
  sender_ = nullptr;
  at_home([why = std::move(why)](HandedRequests& guests, HandOver& over) {
    over.guest_->request_under_way().refuse(why);
    over.guest_->request_under_way().client_gone();
    guests.end(over);
  });
}

void HandOver::withdraw() {
  sender_ = nullptr;
  at_home([](HandedRequests& guests, HandOver& over) { guests.end(over); });
}

HandedRequests::HandedRequests(ring::Ring& ring, Services& services) : ring_(ring), services_(services) {}

HandedRequests::~HandedRequests() {
  *alive_ = false;
}

void HandedRequests::begin(const std::shared_ptr<HandOver>& over) {
  ++begun_;
  auto guest = std::make_unique<HandOver::Guest>(over, *this, services_);
  over->guest_ = guest.get();
  guests_.emplace(over.get(), std::move(guest));
  over->guest_->begin();
}

// The guest's request may be on the stack, so it goes later in the ring's turn.
void HandedRequests::end(HandOver& over) {
  auto guest = guests_.extract(&over);
  if (guest.empty()) return;
  over.guest_ = nullptr;
  if (ended_.empty()) {
    ring_.defer([this, alive = alive_] {
      if (*alive) ended_.clear();
    });
  }
  ended_.push_back(std::move(guest.mapped()));
}

}  // namespace reelway::edge
