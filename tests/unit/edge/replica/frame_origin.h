#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/base/unique_fd.h"
#include "tests/support/fake_origin.h"
#include "tests/unit/edge/replica/records.h"

namespace reelway::edge {

// An origin that serves the change stream of a model, one blocking thread a connection, and does wrong when told to.
// All members may be called from the test's thread.
class FrameOrigin {
 public:
  struct Sent {  // one frame of the stream
    rights::Revision revision;
    rights::Frame frame;
  };
  // What goes wrong, each once unless said otherwise. Guarded by mutex_; change it by faults().
  struct Faults {
    std::deque<std::size_t> cuts;  // body bytes after which the next streams are cut, one for each
    bool gone = false;
    bool skip_one = false;                          // leaves out the next frame of a stream
    bool flip_bit = false;                          // of the next frame of a stream
    bool silent = false;                            // the next stream says nothing after HELLO
    int not_ready = 0;                              // so many requests get 503
    bool lie = false;                               // the next change is told with another content than the model has
    bool buckets_lie = false;                       // buckets are told without their records, always
    int snapshots_cut = 0;                          // so many snapshots end before END
    rights::Revision snapshot_lag = 0;              // HELLO of a snapshot is so many revisions behind, always
    std::shared_ptr<testing::Latch> snapshot_gate;  // before END, always
  };

  FrameOrigin() : listen_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    CHECK(::bind(listen_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    CHECK(::listen(listen_.get(), 64) == 0);
    CHECK(::getsockname(listen_.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~FrameOrigin() {
    ::shutdown(listen_.get(), SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  std::uint16_t port() const { return port_; }

  rights::Revision put(const rights::EntitlementId& id, const rights::Record& record) {
    const std::lock_guard lock(mutex_);
    model_.put(id, record, ++revision_);
    rights::Record told = record;
    if (std::exchange(faults_.lie, false)) told.view_until_s += 1;
    log_.push_back({revision_, rights::EventsFrame{0, revision_, {{id, told}}}});
    changed_.notify_all();
    return revision_;
  }
  rights::Revision erase(const rights::EntitlementId& id) {
    const std::lock_guard lock(mutex_);
    model_.erase(id);
    log_.push_back({++revision_, rights::EventsFrame{0, revision_, {{id, std::nullopt}}}});
    changed_.notify_all();
    return revision_;
  }
  rights::Revision beat(std::int64_t age_ms = 0) {
    const std::lock_guard lock(mutex_);
    rights::BeatFrame frame{0, ++revision_, SystemClock{}.wall_ms() - age_ms, 0, model_.entries.size(), {}};
    frame.root = model_.digest.root();
    log_.push_back({revision_, frame});
    changed_.notify_all();
    return revision_;
  }
  // Goes on as another cluster, or the same one with another history.
  void become(const std::string& cluster, RecordsModel model, rights::Revision revision) {
    const std::lock_guard lock(mutex_);
    cluster_ = cluster;
    model_ = std::move(model);
    revision_ = revision;
    log_.clear();
    for (int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  void faults(const std::function<void(Faults&)>& change) {
    const std::lock_guard lock(mutex_);
    change(faults_);
  }
  void cut_all() {
    const std::lock_guard lock(mutex_);
    for (int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }

  RecordsModel model() const {
    const std::lock_guard lock(mutex_);
    return model_;
  }
  rights::Revision revision() const {
    const std::lock_guard lock(mutex_);
    return revision_;
  }
  int asked(const std::string& what) const {  // "stream", "snapshot", "buckets", "bucket", "entitlement"
    const std::lock_guard lock(mutex_);
    const auto found = asked_.find(what);
    return found == asked_.end() ? 0 : found->second;
  }
  bool all_cuts_made() const {
    const std::lock_guard lock(mutex_);
    return faults_.cuts.empty();
  }

 private:
  // One answer's body, sent in chunks; stops at a cut.
  struct Body {
    int fd;
    std::size_t left;

    bool send(const rights::Frame& frame) { return send_bytes(rights::encode_frame(frame)); }
    bool send_bytes(std::string bytes) {
      const bool is_cut = bytes.size() > left;
      bytes.resize(std::min(bytes.size(), left));
      left -= bytes.size();
      char size[20];
      std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
      if (!bytes.empty() && !send_all(fd, size + bytes + "\r\n")) return false;
      return !is_cut;
    }
  };

  void accept_all() {
    while (true) {
      const int fd = ::accept4(listen_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const std::lock_guard lock(mutex_);
      open_.insert(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }

  void serve(int fd) {
    std::string input;
    while (serve_one(fd, input)) {
    }
    const std::lock_guard lock(mutex_);
    open_.erase(fd);
    ::close(fd);
  }

  bool serve_one(int fd, std::string& input) {
    std::size_t end = 0;
    while ((end = input.find("\r\n\r\n")) == std::string::npos) {
      char buffer[4096];
      const ssize_t count = ::read(fd, buffer, sizeof buffer);
      if (count <= 0) return false;
      input.append(buffer, static_cast<std::size_t>(count));
    }
    const std::string target = input.substr(4, input.find(' ', 4) - 4);
    input.erase(0, end + 4);
    const std::string path = target.substr(0, target.find('?'));
    const std::string what = path.substr(path.rfind('/') + 1);
    bool not_ready = false;
    {
      const std::lock_guard lock(mutex_);
      ++asked_[what];
      not_ready = faults_.not_ready > 0 && faults_.not_ready-- > 0;
    }
    if (not_ready) {
      return send_all(fd, "HTTP/1.1 503 X\r\nReelway-Error: replica_not_ready\r\nContent-Length: 0\r\n\r\n");
    }
    if (!send_all(fd,
                  "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.reelway.replica\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n")) {
      return false;
    }
    Body body{fd, SIZE_MAX};
    if (what == "stream") {
      stream(body, target);
      return false;
    }
    if (what == "snapshot" && !snapshot(body)) return false;
    if (what == "buckets" && !body.send(buckets())) return false;
    if (what == "bucket" && !bucket(body, std::stoul(argument(target, "number")))) return false;
    if (what == "entitlement" && !one_entitlement(body, argument(target, "id"))) return false;
    return send_all(fd, "0\r\n\r\n");
  }

  static std::string argument(const std::string& target, const std::string& name) {
    const std::size_t at = target.find(name + "=");
    CHECK(at != std::string::npos);
    const std::size_t from = at + name.size() + 1;
    return target.substr(from, target.find('&', from) - from);
  }

  void stream(Body& body, const std::string& target) {
    rights::Revision position = std::stoll(argument(target, "from"));
    std::unique_lock lock(mutex_);
    if (!faults_.cuts.empty()) {
      body.left = faults_.cuts.front();
      faults_.cuts.pop_front();
    }
    const bool is_gone = std::exchange(faults_.gone, false);
    const bool has_moved = argument(target, "cluster") != cluster_ || position > revision_;
    const bool is_silent = std::exchange(faults_.silent, false);
    const rights::HelloFrame hello{cluster_, 0, position};
    const rights::MovedFrame moved{cluster_};
    lock.unlock();
    if (is_gone) return (void)body.send(rights::GoneFrame{1});
    if (has_moved) return (void)body.send(moved);
    if (!body.send(hello)) return;
    while (!is_silent && send_next(body, position)) {
    }
    if (!is_silent) return;
    char byte = 0;
    (void)!::read(body.fd, &byte, 1);
  }

  // Waits for the first frame after the position.
  bool send_next(Body& body, rights::Revision& position) {
    std::unique_lock lock(mutex_);
    const auto next = [&] {
      return std::find_if(log_.begin(), log_.end(), [&](const Sent& sent) { return sent.revision > position; });
    };
    changed_.wait(lock, [&] { return stopping_ || next() != log_.end(); });
    if (stopping_) return false;
    rights::Frame frame = next()->frame;
    const rights::Revision revision = next()->revision;
    if (auto* events = std::get_if<rights::EventsFrame>(&frame)) events->previous = position;
    if (auto* beat = std::get_if<rights::BeatFrame>(&frame)) beat->previous = position;
    const bool skip = std::exchange(faults_.skip_one, false);
    const bool flip = std::exchange(faults_.flip_bit, false);
    lock.unlock();
    position = revision;
    if (skip) return true;
    std::string bytes = rights::encode_frame(frame);
    if (flip) bytes[bytes.size() / 2] ^= 4;
    return body.send_bytes(std::move(bytes));
  }

  bool snapshot(Body& body) {
    std::unique_lock lock(mutex_);
    const rights::HelloFrame hello{cluster_, 0, revision_ - faults_.snapshot_lag};
    const rights::EndFrame end{model_.entries.size(), revision_};
    std::vector<std::string> frames{rights::encode_frame(hello)};
    for (std::size_t bucket = 0; bucket < rights::kBuckets; ++bucket) {
      auto records = model_.bucket(bucket);
      if (!records.empty()) frames.push_back(rights::encode_frame(rights::RecordsFrame{std::move(records)}));
    }
    const auto gate = faults_.snapshot_gate;
    const bool is_cut = faults_.snapshots_cut > 0 && faults_.snapshots_cut-- > 0;
    lock.unlock();
    for (std::string& frame : frames) {
      if (!body.send_bytes(std::move(frame))) return false;
    }
    if (gate) gate->wait();
    return !is_cut && body.send(end);
  }

  rights::BucketsFrame buckets() const {
    const std::lock_guard lock(mutex_);
    return {revision_, model_.digest.buckets()};
  }

  bool bucket(Body& body, std::size_t number) {
    std::unique_lock lock(mutex_);
    const rights::HelloFrame hello{cluster_, 0, revision_};
    rights::RecordsFrame records{model_.bucket(number)};
    if (faults_.buckets_lie) records.records.clear();
    const rights::EndFrame end{records.records.size(), revision_};
    lock.unlock();
    return body.send(hello) && body.send(records) && body.send(end);
  }

  bool one_entitlement(Body& body, const std::string& text) {
    const auto id = rights::parse_entitlement_id(text);
    CHECK(id.has_value());
    std::unique_lock lock(mutex_);
    rights::RecordsFrame records;
    const auto found = model_.entries.find(*id);
    if (found != model_.entries.end()) {
      records.records.push_back({*id, found->second.mod_revision, found->second.record});
    }
    const rights::EndFrame end{records.records.size(), revision_};
    lock.unlock();
    return body.send(records) && body.send(end);
  }

  static bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  UniqueFd listen_;
  std::uint16_t port_ = 0;
  std::thread acceptor_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::string cluster_ = "c1";
  rights::Revision revision_ = 0;
  RecordsModel model_;
  std::vector<Sent> log_;
  Faults faults_;
  std::map<std::string, int> asked_;
  std::set<int> open_;
  std::vector<std::thread> threads_;
};

}  // namespace reelway::edge
