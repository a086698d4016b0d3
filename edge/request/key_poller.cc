#include "edge/request/key_poller.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <utility>

#include "common/base/unique_fd.h"
#include "common/telemetry/log.h"

// One poll at a time. After each the timer is armed for the next: in `interval`, or sooner when someone has asked, but
// never sooner than interval_min after the last one began, so that tokens with made-up keys cannot make the edge
// press upon the origin.
//
// The file is replaced by writing <file>.new, syncing it and renaming it over the old one: after any crash one of the
// two documents is there in full.

namespace reelway::edge {
namespace {

constexpr std::size_t kDocumentBytesMax = 256 * 1024;

Result<void> write_all(int fd, std::string_view text, const std::string& name) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error("write", name, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// Blocks.
Result<void> replace_file(const std::string& file, std::string_view text) {
  const std::string fresh = file + ".new";
  const UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd) return system_error("open", fresh, errno);
  REELWAY_TRY(write_all(fd.get(), text, fresh));
  if (::fsync(fd.get()) != 0) return system_error("fsync", fresh, errno);
  if (::rename(fresh.c_str(), file.c_str()) != 0) return system_error("rename", file, errno);
  return {};
}

}  // namespace

KeyPoller::KeyPoller(ring::Ring& ring, const Clock& clock, ring::SideWorkers& workers, Upstream& upstream,
                     KeyPollerOptions options, Observer& observer)
    : ring_(ring),
      clock_(clock),
      workers_(workers),
      upstream_(upstream),
      options_(std::move(options)),
      observer_(observer),
      timer_(ring) {}

KeyPoller::~KeyPoller() {
  *alive_ = false;
}

void KeyPoller::start() {
  std::ifstream in(options_.file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (in.is_open()) {
    auto keys = KeySet::parse(text);
    if (keys.ok()) {
      keys_ = std::move(keys).value();
      observer_.keys_changed(keys_);
    } else {
      telemetry::log_warn("{}: {}; waiting for the upstream's keys", options_.file, describe(keys.error()));
    }
  }
  poll();
}

void KeyPoller::stop() {
  stopped_ = true;
  timer_.disarm();
}

std::uint64_t KeyPoller::poll_soon() {
  if (!running_ && !asked_ && !stopped_) {
    const auto due = last_begun_ + options_.interval_min;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(due - clock_.monotonic());
    timer_.arm(std::clamp(wait, std::chrono::milliseconds(1), options_.interval_min), [this] { poll(); });
  }
  asked_ = true;
  return begun_ + 1;
}

void KeyPoller::poll() {
  if (running_ || stopped_) return;
  running_ = true;
  asked_ = false;
  ++begun_;
  ++counters_.polls;
  status_ = 0;
  received_ = 0;
  last_begun_ = clock_.monotonic();
  request_text_ = options_.request_text();
  upstream_.begin(*this);
}

bool KeyPoller::head(const http::ResponseHead& head) {
  status_ = head.status;
  document_.resize(kDocumentBytesMax);
  return true;
}

std::span<std::uint8_t> KeyPoller::room() {
  return std::span(document_).subspan(received_);
}

bool KeyPoller::advanced(std::size_t bytes) {
  received_ += bytes;
  return true;
}

void KeyPoller::ended() {
  if (status_ != 200) {
    return poll_ended(Error{ErrorCode::upstream_failed, Side::upstream, true, "status " + std::to_string(status_)});
  }
  auto keys = KeySet::parse(as_text(ByteView(document_).first(received_)));
  if (!keys.ok()) return poll_ended(keys.error());
  last_good_ = clock_.monotonic();
  if (!(*keys == keys_)) {
    take(std::move(keys).value());
  } else if (!saving_ && std::exchange(save_again_, false)) {
    save(keys_);
  }
  poll_ended(std::nullopt);
}

void KeyPoller::failed(Error error) {
  poll_ended(error);
}

// An origin whose revision has gone back was restored from an older state. It is still the authority; but keys that it
// had retired since may be active again, which an operator must know.
void KeyPoller::take(KeySet keys) {
  if (keys.revision() < keys_.revision()) {
    telemetry::log_warn("the upstream's keys went back from revision {} to {}: check which keys are retired",
                        keys_.revision(), keys.revision());
  }
  telemetry::log_info("keys of revision {}: {} known", keys.revision(), keys.keys().size());
  keys_ = std::move(keys);
  observer_.keys_changed(keys_);
  save(keys_);
}

void KeyPoller::poll_ended(const std::optional<Error>& error) {
  running_ = false;
  document_ = {};
  if (error) ++counters_.failures;
  if (error && error->code != ErrorCode::shutting_down && !std::exchange(failing_, true)) {
    telemetry::log_warn("polling the keys failed, and goes on every {} ms: {}", options_.interval.count(),
                        describe(*error));
  }
  if (!error && std::exchange(failing_, false)) telemetry::log_info("polling the keys works again");
  observer_.keys_polled(begun_);
  if (stopped_ || running_) return;
  timer_.arm(asked_ ? options_.interval_min : options_.interval, [this] { poll(); });
}

void KeyPoller::save(const KeySet& keys) {
  if (options_.file.empty()) return;
  if (std::exchange(saving_, true)) {
    save_again_ = true;
    return;
  }
  const auto outcome = std::make_shared<Result<void>>();
  const bool taken =
      workers_.submit([outcome, file = options_.file, text = keys.json()] { *outcome = replace_file(file, text); },
                      [this, alive = alive_, outcome] {
                        if (!*alive) return;
                        if (!outcome->ok())
                          telemetry::log_error("the keys were not saved: {}", describe(outcome->error()));
                        saving_ = false;
                        if (std::exchange(save_again_, false)) save(keys_);
                      });
  if (taken) return;
  // The queue is full of signature checks; the next poll finds the flag.
  saving_ = false;
  save_again_ = true;
}

std::optional<std::chrono::milliseconds> KeyPoller::age() const {
  if (!last_good_) return std::nullopt;
  return std::chrono::floor<std::chrono::milliseconds>(clock_.monotonic() - *last_good_);
}

}  // namespace reelway::edge
