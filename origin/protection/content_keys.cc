#include "origin/protection/content_keys.h"

#include <openssl/evp.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "common/base/check.h"
#include "common/base/encoding.h"
#include "common/telemetry/log.h"

// Model. The loop owns what is known and who waits. The worker takes one scope after another from its queue, asks the
// provider, and posts the answer. After stop() it answers what is left with shutting_down.

namespace reelway::origin {
namespace {

std::string name_of_version(std::string_view title, std::string_view version) {
  return std::string(title).append("/").append(version);
}

Error stopping() {
  return {ErrorCode::shutting_down, Side::self, true, "no keys are asked for any more"};
}

}  // namespace

struct ContentKeys::Worker {
  using Done = std::function<void(std::string, Result<VersionKeys>)>;

  Worker(std::unique_ptr<KeyProvider> key_provider, Done on_done)
      : provider(std::move(key_provider)), done(std::move(on_done)), thread([this] { run(); }) {}
  ~Worker() { stop(); }

  void ask(const KeyScope& scope) {
    {
      const std::lock_guard hold(mutex);
      queue.push_back(scope);
    }
    changed.notify_one();
  }

  void stop() {
    {
      const std::lock_guard hold(mutex);
      ended = true;
    }
    patience.give_up();
    changed.notify_one();
    const std::lock_guard hold(joining);
    if (thread.joinable()) thread.join();
  }

  void run() {
    for (;;) {
      KeyScope scope;
      {
        std::unique_lock hold(mutex);
        changed.wait(hold, [this] { return ended || !queue.empty(); });
        if (queue.empty()) return;
        scope = std::move(queue.front());
        queue.pop_front();
      }
      auto found = patience.given_up() ? Result<VersionKeys>(stopping()) : provider->keys(scope, patience);
      done(name_of_version(scope.title, scope.version), std::move(found));
    }
  }

  std::unique_ptr<KeyProvider> provider;
  Done done;
  Patience patience;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<KeyScope> queue;  // guarded by mutex; bounded by whoever asks
  bool ended = false;          // guarded by mutex
  std::mutex joining;
  std::thread thread;
};

ContentKeys::ContentKeys(std::unique_ptr<KeyProvider> provider, const Clock& clock, Options options, Post post)
    : clock_(clock),
      options_(options),
      post_(std::move(post)),
      self_(std::make_shared<ContentKeys*>(this)),
      worker_(std::make_unique<Worker>(std::move(provider),
                                       [self = self_, post = post_](std::string name, Result<VersionKeys> found) {
                                         auto kept = std::make_shared<Result<VersionKeys>>(std::move(found));
                                         post([self, name = std::move(name), kept] {
                                           if (*self != nullptr) (*self)->finish(name, std::move(*kept));
                                         });
                                       })) {}

ContentKeys::~ContentKeys() {
  *self_ = nullptr;
}

void ContentKeys::stop() {
  worker_->stop();
}

std::shared_ptr<const VersionKeys> ContentKeys::cached(std::string_view title, std::string_view version) {
  const auto entry = known_.find(name_of_version(title, version));
  if (entry == known_.end() || entry->second.ends <= clock_.monotonic()) return nullptr;
  return entry->second.keys;
}

void ContentKeys::find(const KeyScope& scope, Ready ready) {
  const std::string name = name_of_version(scope.title, scope.version);
  const auto entry = known_.find(name);
  if (entry != known_.end() && entry->second.ends > clock_.monotonic()) {
    post_([ready = std::move(ready), known = entry->second] { known.keys ? ready(known.keys) : ready(known.failure); });
    return;
  }
  if (waiting_.size() >= options_.waiting_max && !waiting_.contains(name)) {
    post_([ready = std::move(ready), count = waiting_.size()] {
      ready(Error{ErrorCode::overloaded, Side::self, true, std::to_string(count) + " versions wait for keys"});
    });
    return;
  }
  std::vector<Ready>& waiting = waiting_[name];
  waiting.push_back(std::move(ready));
  if (waiting.size() > 1) return;
  ++asked_;
  worker_->ask(scope);
}

void ContentKeys::finish(const std::string& name, Result<VersionKeys> found) {
  Entry entry;
  if (found) {
    entry.keys = std::make_shared<const VersionKeys>(std::move(found).value());
    entry.ends = clock_.monotonic() + options_.lifetime;
  } else {
    ++failed_;
    entry.failure = found.error();
    entry.ends = clock_.monotonic() + options_.failure_lifetime;
    telemetry::log_error("content keys of {}: {}", name, describe(entry.failure));
  }
  remember(name, entry);
  const auto waiting = waiting_.extract(name);
  if (waiting.empty()) return;
  for (const Ready& ready : waiting.mapped()) entry.keys ? ready(entry.keys) : ready(entry.failure);
}

void ContentKeys::remember(const std::string& name, Entry entry) {
  if (known_.size() >= options_.versions_max && !known_.contains(name)) {
    known_.erase(std::min_element(known_.begin(), known_.end(),
                                  [](const auto& a, const auto& b) { return a.second.ends < b.second.ends; }));
  }
  known_[name] = std::move(entry);
}

const ProvidedKey& provided_key(const VersionKeys& keys, const hls::Track& track) {
  const auto found = keys.find(key_label(*track.index));
  CHECK(found != keys.end());
  return found->second;
}

hls::ContentKey track_key(const ProvidedKey& key, std::string_view track_id, std::size_t track_position) {
  hls::ContentKey made;
  made.id = key.id;
  made.key = key.key;
  made.track = static_cast<std::uint16_t>(track_position);
  if (key.iv) {
    made.iv = *key.iv;
    return made;
  }
  ByteWriter text;
  text.append(std::string_view("reelway-iv-1:"));
  text.append(ByteView(key.id));
  text.append(track_id);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> sum{};
  CHECK(EVP_Digest(text.bytes().data(), text.size(), sum.data(), nullptr, EVP_sha256(), nullptr) == 1);
  std::copy_n(sum.begin(), made.iv.size(), made.iv.begin());
  return made;
}

std::string clearkey_licence(const hls::ContentKey& key) {
  return R"({"keys":[{"kty":"oct","kid":")" + base64url(key.id) + R"(","k":")" + base64url(key.key) +
         R"("}],"type":"temporary"})";
}

}  // namespace reelway::origin
