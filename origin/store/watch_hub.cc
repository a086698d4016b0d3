#include "origin/store/watch_hub.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

// Model. A watch is a thread with a position in the log. The log itself is its queue: it reads what lies between its
// position and the last committed revision, delivers it, and sleeps until more is committed. Replay and live are the
// same act, so there is no seam between them where an event could fall through, and a slow watch holds no memory but
// the slice it is delivering.
//
// Bounds: a watch that had caught up and then falls more than backlog_max revisions behind is lost (it could otherwise
// keep compaction from being of use); one that replays from far behind is let run. The hub and its watches share
// State, so a Watch may be destroyed after its store.

namespace reelway::origin {
namespace {

constexpr std::size_t kSliceRevisions = 256;
constexpr std::size_t kSliceBytes = 1 << 20;

}  // namespace

struct WatchHub::State {
  const Database& database;
  const WatchLimits limits;
  std::mutex mutex;
  std::condition_variable changed;
  Revision revision;  // last committed
  bool closing = false;
  std::size_t running = 0;  // threads that may use the database

  State(const Database& database_in, const WatchLimits& limits_in)
      : database(database_in), limits(limits_in), revision(database_in.revision()) {}
};

namespace {

enum class Wake : std::uint8_t { more, lagging, stopped, closing };

template <class HubState>
class LogWatch final : public Watch {
 public:
  // What the thread needs, apart from the Watch: it may outlive it when the Watch is destroyed in its own delivery.
  struct Follower {
    std::shared_ptr<HubState> hub;
    std::string prefix;
    Revision next = 1;
    std::function<void(const WatchMessage&)> deliver;
    bool stopped = false;  // guarded by hub->mutex
    bool caught_up = false;

    Wake wait() {
      std::unique_lock hold(hub->mutex);
      hub->changed.wait(hold, [&] { return stopped || hub->closing || hub->revision >= next; });
      if (stopped) return Wake::stopped;
      if (hub->closing) return Wake::closing;
      return caught_up && hub->revision - next >= hub->limits.backlog_max ? Wake::lagging : Wake::more;
    }

    Revision last_committed() {
      const std::lock_guard hold(hub->mutex);
      return hub->revision;
    }

    bool is_stopped() {
      const std::lock_guard hold(hub->mutex);
      return stopped;
    }

    // False when the watch has ended.
    bool deliver_slice() {
      const Revision committed = last_committed();
      Result<LogSlice> log = hub->database.read_log(next, kSliceRevisions, kSliceBytes);
      if (!log.ok()) return end(WatchLost{describe(log.error())});
      if (next < log->floor) return end(WatchCompacted{log->floor});
      for (WatchBatch& batch : log->batches) {
        std::erase_if(batch.events, [&](const auto& event) { return !event.entry.key.starts_with(prefix); });
        if (is_stopped()) return false;
        if (!batch.events.empty()) deliver(std::move(batch));
      }
      next = log->next;
      caught_up = caught_up || next > committed;
      return true;
    }

    bool end(const WatchMessage& last) {
      if (!is_stopped()) deliver(last);
      return false;
    }

    void run() {
      for (;;) {
        switch (wait()) {
          case Wake::more:
            if (!deliver_slice()) return;
            break;
          case Wake::lagging: end(WatchLost{"the watch fell behind at revision " + std::to_string(next)}); return;
          case Wake::closing: end(WatchLost{"the store is closing"}); return;
          case Wake::stopped: return;
        }
      }
    }
  };

  explicit LogWatch(std::shared_ptr<Follower> follower) : follower_(std::move(follower)) {
    thread_ = std::thread([follower = follower_] {
      follower->run();
      const std::lock_guard hold(follower->hub->mutex);
      --follower->hub->running;
      follower->hub->changed.notify_all();
    });
  }

  ~LogWatch() override {
    {
      const std::lock_guard hold(follower_->hub->mutex);
      follower_->stopped = true;
    }
    follower_->hub->changed.notify_all();
    if (thread_.get_id() == std::this_thread::get_id())
      thread_.detach();
    else
      thread_.join();
  }

 private:
  std::shared_ptr<Follower> follower_;
  std::thread thread_;
};

// The answer to one watch too many: lost from the start.
class RefusedWatch final : public Watch {};

}  // namespace

WatchHub::WatchHub(const Database& database, const WatchLimits& limits)
    : state_(std::make_shared<State>(database, limits)) {}

WatchHub::~WatchHub() {
  std::unique_lock hold(state_->mutex);
  state_->closing = true;
  state_->changed.notify_all();
  state_->changed.wait(hold, [&] { return state_->running == 0; });
}

std::unique_ptr<Watch> WatchHub::add(std::string prefix, Revision from,
                                     std::function<void(const WatchMessage&)> deliver) {
  std::unique_lock hold(state_->mutex);
  if (state_->running >= state_->limits.watches_max || state_->closing) {
    const WatchLost refusal{"the store runs " + std::to_string(state_->running) + " watches, or is closing"};
    hold.unlock();
    deliver(refusal);
    return std::make_unique<RefusedWatch>();
  }
  ++state_->running;
  hold.unlock();
  auto follower = std::make_shared<LogWatch<State>::Follower>();
  follower->hub = state_;
  follower->prefix = std::move(prefix);
  follower->next = std::max<Revision>(from, 1);
  follower->deliver = std::move(deliver);
  return std::make_unique<LogWatch<State>>(std::move(follower));
}

void WatchHub::committed(Revision revision) {
  {
    const std::lock_guard hold(state_->mutex);
    state_->revision = std::max(state_->revision, revision);
  }
  state_->changed.notify_all();
}

}  // namespace reelway::origin
