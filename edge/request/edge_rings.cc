#include "edge/request/edge_rings.h"

#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "common/base/check.h"
#include "common/ring/turn_clock.h"
#include "edge/request/ring_shares.h"

namespace reelway::edge {
namespace {

void add(PurgeResult& to, const PurgeResult& more) {
  to.objects += more.objects;
  to.memory_objects += more.memory_objects;
  to.disk_objects += more.disk_objects;
  to.is_truncated = to.is_truncated || more.is_truncated;
  for (const std::string& key : more.keys) {
    if (to.keys.size() < PurgeResult::kKeysMax) {
      to.keys.push_back(key);
    } else {
      to.is_truncated = true;
    }
  }
}

}  // namespace

// Everything of the ring is made and destroyed on its thread.
class EdgeRings::Further {
 public:
  Further(const Clock& base, EdgeConfig config, const EdgeServer::Place& place)
      : thread_([this, &base, config = std::move(config), place] { run(base, config, place); }) {}
  ~Further() {
    may_end_.set_value();
    thread_.join();
  }

  // Blocks until it is there, or says why not.
  Result<void> wait() { return made_.get_future().get(); }
  bool is_there() const { return server_ != nullptr; }
  ring::Ring& ring() { return *ring_; }
  EdgeServer& server() { return *server_; }
  void stop() {
    ring_->post([this] { ring_->stop(); });
  }
  void close_unstarted() {
    ring_->post([this] { server_->close([this] { ring_->stop(); }); });
  }

 private:
  void run(const Clock& base, const EdgeConfig& config, const EdgeServer::Place& place) {
    auto ring = ring::Ring::create();
    if (!ring.ok()) return made_.set_value(std::move(ring).error());
    ring_ = std::move(ring).value();
    const ring::TurnClock clock(*ring_, base);
    auto server = EdgeServer::create(*ring_, clock, config, place);
    if (!server.ok()) return made_.set_value(std::move(server).error());
    server_ = std::move(server).value();
    made_.set_value({});
    ring_->run();
    // What the rings have lent each other goes home by messages, so all end together.
    may_end_.get_future().wait();
    ring_->abandon();
    server_.reset();
  }

  std::unique_ptr<ring::Ring> ring_;
  std::unique_ptr<EdgeServer> server_;
  std::promise<Result<void>> made_;
  std::promise<void> may_end_;
  std::thread thread_;
};

Result<std::unique_ptr<EdgeRings>> EdgeRings::create(ring::Ring& first, const Clock& clock, const Clock& base,
                                                     const EdgeConfig& config) {
  auto rings = rings_of(config);
  if (!rings.ok()) return std::move(rings).error();
  std::unique_ptr<EdgeRings> made(new EdgeRings(first, *rings));
  const bool alone = *rings == 1;
  const auto place = [&](std::size_t index) {
    return EdgeServer::Place{{alone ? nullptr : &made->team_, index}, alone ? nullptr : &made->connections_};
  };
  auto server = EdgeServer::create(first, clock, share_of(config, 0, *rings), place(0));
  if (!server.ok()) return std::move(server).error();
  made->first_ = std::move(server).value();
  made->team_.join(0, first, *made->first_);
  for (std::size_t index = 1; index < *rings; ++index) {
    EdgeConfig share = share_of(config, index, *rings);
    share.public_listen.port = made->first_->listener().port();
    made->further_.push_back(std::make_unique<Further>(base, std::move(share), place(index)));
  }
  std::optional<Error> failure;
  for (std::size_t index = 1; index < *rings; ++index) {
    Further& further = *made->further_[index - 1];
    if (auto there = further.wait(); !there.ok()) {
      failure = std::move(there).error();
    } else {
      made->team_.join(index, further.ring(), further.server());
    }
  }
  if (!failure) return made;
  made->close_unstarted();
  return *failure;
}

EdgeRings::EdgeRings(ring::Ring& first, std::size_t rings) : first_ring_(first), team_(rings) {}

EdgeRings::~EdgeRings() {
  first_.reset();
  further_.clear();
}

// The stores work from their opening on.
void EdgeRings::close_unstarted() {
  for (const auto& further : further_) {
    if (further->is_there()) further->close_unstarted();
  }
  first_->close([this] { first_ring_.stop(); });
  first_ring_.run();
  first_ring_.abandon();
}

void EdgeRings::start() {
  // The first one tells the others what it knows of the origin before they begin to accept.
  first_->start();
  for (std::size_t index = 1; index < size(); ++index) {
    team_.post(index, [](EdgeServer& server) { server.start(); });
  }
}

void EdgeRings::on_all(const std::function<void(EdgeServer&, std::function<void()>)>& begin,
                       std::function<void()> done) {
  const auto left = std::make_shared<std::size_t>(size());
  const auto ended = [this, left, done = std::move(done)] {
    if (--*left == 0) done();
  };
  for (std::size_t index = 1; index < size(); ++index) {
    team_.post(index, [this, begin, ended](EdgeServer& server) {
      begin(server, [this, ended] { team_.post(0, [ended](EdgeServer&) { ended(); }); });
    });
  }
  begin(*first_, ended);
}

void EdgeRings::drain(std::function<void()> drained) {
  if (std::exchange(draining_, true)) return;
  const auto stop_further = [this, drained = std::move(drained)] {
    for (const auto& further : further_) further->stop();
    drained();
  };
  const auto close = [this, stop_further] {
    on_all([](EdgeServer& server, std::function<void()> closed) { server.close(std::move(closed)); }, stop_further);
  };
  on_all([](EdgeServer& server, std::function<void()> finished) { server.finish_answers(std::move(finished)); }, close);
}

void EdgeRings::visit(std::function<void(EdgeServer&)> task, std::function<void()> done) {
  task(*first_);
  visit_from(1, std::move(task), std::move(done));
}

void EdgeRings::visit_from(std::size_t index, std::function<void(EdgeServer&)> task, std::function<void()> done) {
  if (index == size()) {
    if (size() == 1) return done();
    return team_.post(0, [done = std::move(done)](EdgeServer&) { done(); });
  }
  team_.post(index, [this, index, task = std::move(task), done = std::move(done)](EdgeServer& server) {
    task(server);
    visit_from(index + 1, task, done);
  });
}

void EdgeRings::purge(const PurgeRequest& request, std::function<void(Result<PurgeResult>)> done) {
  struct Gathered {
    PurgeResult result;
    std::optional<Error> error;
  };
  const auto gathered = std::make_shared<Gathered>();
  const auto take = [gathered](const Result<PurgeResult>& outcome) {
    if (!outcome.ok()) {
      gathered->error = outcome.error();
    } else {
      add(gathered->result, *outcome);
    }
  };
  on_all(
      [this, request, take](EdgeServer& server, const std::function<void()>& purged) {
        // Gathered on the first ring, each outcome before its end is told.
        server.store().purge(
            request, [this, take, purged, is_first = server.seat().is_first()](const Result<PurgeResult>& outcome) {
              if (is_first) {
                take(outcome);
              } else {
                team_.post(0, [take, outcome](EdgeServer&) { take(outcome); });
              }
              purged();
            });
      },
      [gathered, done = std::move(done)] {
        gathered->error ? done(*gathered->error) : done(std::move(gathered->result));
      });
}

}  // namespace reelway::edge
