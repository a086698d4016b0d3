#include "origin/net/output_queue.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/base/check.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kGatherMax = 8;  // a response has at most three pieces of text

}  // namespace

void OutputQueue::add(std::string text) {
  add(std::make_shared<const std::string>(std::move(text)));
}

void OutputQueue::add(std::shared_ptr<const std::string> text) {
  if (!text->empty()) pieces_.push_back({std::move(text), nullptr});
}

void OutputQueue::add(std::unique_ptr<FileBody> file) {
  if (file->bytes_left() > 0) pieces_.push_back({nullptr, std::move(file)});
}

OutputQueue::State OutputQueue::write(int socket) {
  while (!pieces_.empty() && pieces_.front().text) {
    const State state = write_text(socket);
    if (state != State::more) return state;
  }
  return pieces_.empty() ? State::empty : write_file(socket);
}

OutputQueue::State OutputQueue::write_text(int socket) {
  std::array<iovec, kGatherMax> parts;
  std::size_t count = 0;
  bool file_follows = false;
  for (const Piece& piece : pieces_) {
    file_follows = piece.file != nullptr;
    if (file_follows || count == kGatherMax) break;
    const std::size_t skip = count == 0 ? front_sent_ : 0;
    parts[count++] = {const_cast<char*>(piece.text->data()) + skip, piece.text->size() - skip};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  const ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT | (file_follows ? MSG_MORE : 0));
  if (sent < 0) {
    if (errno == EINTR) return State::more;
    return errno == EAGAIN || errno == EWOULDBLOCK ? State::blocked : State::failed;
  }
  consume_text(static_cast<std::size_t>(sent));
  return State::more;
}

void OutputQueue::consume_text(std::size_t count) {
  bytes_sent_ += count;
  while (count > 0) {
    CHECK(!pieces_.empty() && pieces_.front().text);
    const std::size_t left = pieces_.front().text->size() - front_sent_;
    const std::size_t taken = std::min(left, count);
    count -= taken;
    front_sent_ += taken;
    if (taken < left) return;
    pieces_.pop_front();
    front_sent_ = 0;
  }
}

OutputQueue::State OutputQueue::write_file(int socket) {
  FileBody& file = *pieces_.front().file;
  const std::uint64_t before = file.bytes_left();
  const FileBody::Turn turn = file.send(socket);
  bytes_sent_ += before - file.bytes_left();
  if (file.bytes_left() == 0) {
    pieces_.pop_front();
    return pieces_.empty() ? State::empty : State::more;
  }
  switch (turn) {
    case FileBody::Turn::sent: return State::more;
    case FileBody::Turn::blocked: return State::blocked;
    case FileBody::Turn::cold: return State::cold;
    case FileBody::Turn::failed: break;
  }
  return State::failed;
}

}  // namespace reelway::origin
