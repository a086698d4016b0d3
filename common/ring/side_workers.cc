// A job moves: queue (guarded by the mutex) -> one worker -> the ring's posted tasks, where its `done` runs and both
// functions are destroyed. After the destructor, a `done` still posted finds `alive` false and is dropped.

#include "common/ring/side_workers.h"

#include <pthread.h>
#include <signal.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/ring/ring.h"

namespace reelway::ring {
namespace {

struct Job {
  std::function<void()> work;
  std::function<void()> done;
};

constexpr std::size_t kThreadNameMax = 15;  // the kernel's limit

}  // namespace

struct SideWorkers::State {
  Ring& ring;
  const std::size_t queue_max;
  const std::string name;
  const std::shared_ptr<bool> alive = std::make_shared<bool>(true);  // the ring's thread only

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<Job> queue;  // guarded by mutex
  bool stopping = false;  // guarded by mutex

  std::vector<std::thread> threads;

  State(Ring& the_ring, std::size_t the_queue_max, const char* the_name)
      : ring(the_ring), queue_max(the_queue_max), name(std::string(the_name).substr(0, kThreadNameMax)) {}

  void work();
  void report(Job job);
};

SideWorkers::SideWorkers(Ring& ring, std::size_t threads, std::size_t queue_max, const char* name)
    : state_(std::make_unique<State>(ring, queue_max, name)) {
  CHECK(threads > 0);
  // Signals belong to the main thread: workers start with all of them blocked.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (std::size_t i = 0; i < threads; ++i) {
    std::thread& thread = state_->threads.emplace_back([state = state_.get()] { state->work(); });
    pthread_setname_np(thread.native_handle(), state_->name.c_str());
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

SideWorkers::~SideWorkers() {
  std::deque<Job> dropped;
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    dropped.swap(state_->queue);
  }
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
  *state_->alive = false;
}

bool SideWorkers::submit(std::function<void()> job, std::function<void()> done) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->queue.size() >= state_->queue_max) return false;
    state_->queue.push_back({std::move(job), std::move(done)});
  }
  state_->changed.notify_one();
  return true;
}

std::size_t SideWorkers::queued() const {
  const std::lock_guard lock(state_->mutex);
  return state_->queue.size();
}

void SideWorkers::State::work() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return stopping || !queue.empty(); });
    if (stopping) return;
    Job job = std::move(queue.front());
    queue.pop_front();
    lock.unlock();
    job.work();
    report(std::move(job));
    lock.lock();
  }
}

// The whole job goes to the ring's thread, so that what its functions hold is also destroyed there.
void SideWorkers::State::report(Job job) {
  auto shared = std::make_shared<Job>(std::move(job));
  ring.post([shared = std::move(shared), still = alive] {
    if (*still && shared->done) shared->done();
  });
}

}  // namespace reelway::ring
