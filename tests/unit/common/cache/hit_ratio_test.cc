#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <list>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/cache/s3_fifo.h"

// Why S3-FIFO: its hit ratio beside that of least-recently-used, on traces of the shapes an edge sees. The traces are
// made here, the same in every run.

namespace reelway::cache {
namespace {

struct Access {
  std::uint32_t object = 0;
  std::uint32_t bytes = 0;
};
using Trace = std::vector<Access>;

class Lru {
 public:
  explicit Lru(std::uint64_t budget_bytes) : budget_bytes_(budget_bytes) {}
  bool ask(const Access& access) {
    if (const auto at = places_.find(access.object); at != places_.end()) {
      order_.splice(order_.begin(), order_, at->second);
      return true;
    }
    order_.push_front(access);
    places_[access.object] = order_.begin();
    for (bytes_ += access.bytes; bytes_ > budget_bytes_; order_.pop_back()) {
      bytes_ -= order_.back().bytes;
      places_.erase(order_.back().object);
    }
    return false;
  }

 private:
  std::uint64_t budget_bytes_;
  std::uint64_t bytes_ = 0;
  std::list<Access> order_;
  std::unordered_map<std::uint32_t, std::list<Access>::iterator> places_;
};

class OurPolicy {
 public:
  explicit OurPolicy(std::uint64_t budget_bytes) : budget_bytes_(budget_bytes), policy_(budget_bytes) {}
  bool ask(const Access& access) {
    const std::string key = std::to_string(access.object);
    if (policy_.find_and_touch(key) != nullptr) return true;
    while (policy_.bytes() + access.bytes > budget_bytes_) (void)policy_.evict();
    policy_.insert(key, access.bytes, 0);
    return false;
  }

 private:
  std::uint64_t budget_bytes_;
  S3Fifo<int> policy_;
};

template <class Policy>
double hit_ratio(const Trace& trace, std::uint64_t budget_bytes) {
  Policy policy(budget_bytes);
  std::uint64_t hits = 0;
  for (const Access& access : trace) hits += policy.ask(access) ? 1 : 0;
  return static_cast<double>(hits) / static_cast<double>(trace.size());
}

// Ranks by Zipf's law: the weight of rank r is 1 / r^exponent.
class Zipf {
 public:
  Zipf(std::uint32_t count, double exponent) {
    double sum = 0;
    for (std::uint32_t rank = 1; rank <= count; ++rank) sums_.push_back(sum += 1 / std::pow(rank, exponent));
  }
  std::uint32_t operator()(std::mt19937_64& random) const {
    const double at = static_cast<double>(random() >> 11) / 9007199254740992.0 * sums_.back();
    return static_cast<std::uint32_t>(std::lower_bound(sums_.begin(), sums_.end(), at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

constexpr std::uint32_t kVideoBytes = 1 << 20;
constexpr std::uint32_t kAudioBytes = 96'000;

// A viewer plays a film from some segment on, a video and an audio segment at a time.
struct Viewer {
  std::uint32_t film = 0;
  std::uint32_t segment = 0;
  std::uint32_t last = 0;
};
constexpr std::uint32_t kSegments = 300;

void play_one(Viewer& viewer, Trace& trace) {
  const std::uint32_t object = (viewer.film * kSegments + viewer.segment) * 2;
  trace.push_back({object, kVideoBytes});
  trace.push_back({object + 1, kAudioBytes});
  ++viewer.segment;
}

// A catalogue of 2,000 films by Zipf's law, of which most viewers see the first minutes only.
Trace long_tail(std::size_t length) {
  std::mt19937_64 random(1);
  const Zipf films(2000, 0.9);
  std::vector<Viewer> viewers(400);
  Trace trace;
  while (trace.size() < length) {
    Viewer& viewer = viewers[random() % viewers.size()];
    if (viewer.segment >= viewer.last) {
      viewer = {films(random), 0, 0};
      viewer.last = random() % 3 == 0 ? kSegments : 5 + static_cast<std::uint32_t>(random() % 40);
    }
    play_one(viewer, trace);
  }
  return trace;
}

// Half of all viewers play one new film, spread over it; the rest the catalogue, each film to its end.
Trace premiere(std::size_t length) {
  std::mt19937_64 random(2);
  const Zipf films(2000, 0.7);
  std::vector<Viewer> viewers(400);
  Trace trace;
  while (trace.size() < length) {
    Viewer& viewer = viewers[random() % viewers.size()];
    if (viewer.segment >= viewer.last) {
      const bool is_premiere = random() % 2 == 0;
      viewer = {is_premiere ? 0 : 1 + films(random), static_cast<std::uint32_t>(random() % kSegments), kSegments};
    }
    play_one(viewer, trace);
  }
  return trace;
}

// A site: small objects by Zipf's law, and a crawler that asks for everything once.
Trace site_with_crawler(std::size_t length) {
  std::mt19937_64 random(3);
  const Zipf pages(100'000, 0.9);
  Trace trace;
  std::uint32_t crawled = 100'000;
  while (trace.size() < length) {
    const std::uint32_t object = random() % 4 == 0 ? crawled++ : pages(random);
    trace.push_back({object, 2000 + object * 7919u % 60'000});
  }
  return trace;
}

TEST(HitRatio, IsNoWorseThanLruOnEveryShape) {
  constexpr std::size_t kLength = 300'000;
  constexpr std::uint64_t kGiB = 1ull << 30;
  const struct {
    const char* name;
    Trace trace;
    std::vector<std::uint64_t> budgets;
  } cases[] = {{"long tail", long_tail(kLength), {2 * kGiB, 8 * kGiB, 32 * kGiB}},
               {"premiere", premiere(kLength), {kGiB / 2, 2 * kGiB, 8 * kGiB}},
               {"site with crawler", site_with_crawler(kLength), {kGiB / 32, kGiB / 8, kGiB / 2}}};
  for (const auto& one : cases) {
    for (const std::uint64_t budget : one.budgets) {
      const double lru = hit_ratio<Lru>(one.trace, budget);
      const double ours = hit_ratio<OurPolicy>(one.trace, budget);
      std::printf("%-18s %6llu MiB: LRU %5.1f %%, S3-FIFO %5.1f %%\n", one.name,
                  static_cast<unsigned long long>(budget >> 20), 100 * lru, 100 * ours);
      EXPECT_GE(ours, lru) << one.name << " " << budget;
    }
  }
}

}  // namespace
}  // namespace reelway::cache
