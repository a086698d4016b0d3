#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "origin/hls/content_key.h"
#include "origin/hls/presentation.h"
#include "origin/protection/key_provider.h"

namespace reelway::origin {

// The keys that are in use, in memory for `lifetime`, and one thread that asks the provider for others, so that a slow
// provider holds up nothing but requests that need its keys. Many that need the keys of one version ask once. A failure
// is remembered for `failure_lifetime`, so that a provider that is down is not asked by every request.
//
// Loop thread only; `post` brings a task from the other thread to it.
class ContentKeys {
 public:
  struct Options {
    std::size_t versions_max = 1024;  // in memory; the one that would end first is dropped
    std::size_t waiting_max = 256;    // versions that wait for the provider
    std::chrono::milliseconds lifetime{3'600'000};
    std::chrono::milliseconds failure_lifetime{2'000};
  };
  using Post = std::function<void(std::function<void()>)>;
  using Ready = std::function<void(Result<std::shared_ptr<const VersionKeys>>)>;

  ContentKeys(std::unique_ptr<KeyProvider> provider, const Clock& clock, Options options, Post post);
  ~ContentKeys();
  ContentKeys(const ContentKeys&) = delete;
  ContentKeys& operator=(const ContentKeys&) = delete;

  // Null when they have to be found first.
  std::shared_ptr<const VersionKeys> cached(std::string_view title, std::string_view version);
  // Calls `ready` later, never from within. The provider's errors; overloaded.
  void find(const KeyScope& scope, Ready ready);
  // Ends the thread: whoever waits is told shutting_down, in time. Blocking; any thread.
  void stop();

  std::uint64_t asked_count() const { return asked_; }
  std::uint64_t failed_count() const { return failed_; }

 private:
  struct Worker;
  struct Entry {
    std::shared_ptr<const VersionKeys> keys;  // null: `failure` holds
    Error failure;
    Clock::Monotonic ends{};
  };
  void finish(const std::string& name, Result<VersionKeys> found);
  void remember(const std::string& name, Entry entry);

  const Clock& clock_;
  const Options options_;
  const Post post_;
  std::map<std::string, Entry, std::less<>> known_;
  std::map<std::string, std::vector<Ready>, std::less<>> waiting_;
  std::uint64_t asked_ = 0, failed_ = 0;
  std::shared_ptr<ContentKeys*> self_;  // null inside once this is gone: for tasks that come after
  std::unique_ptr<Worker> worker_;
};

const ProvidedKey& provided_key(const VersionKeys& keys, const hls::Track& track);

// The key of one track, as packaging wants it. Tracks of one label share a key; the IV differs by track, unless the
// provider states it, and so does the number that IVs of cenc begin with.
hls::ContentKey track_key(const ProvidedKey& key, std::string_view track_id, std::size_t track_position);

// {"keys":[{"kty":"oct","kid":...,"k":...}],"type":"temporary"}: a licence for ClearKey (W3C Encrypted Media Extensions
// section 9.1.4).
std::string clearkey_licence(const hls::ContentKey& key);

}  // namespace reelway::origin
