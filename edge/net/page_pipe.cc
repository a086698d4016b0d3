#include "edge/net/page_pipe.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace reelway::edge {
namespace {

// As much as an unprivileged process may have, so that a body usually goes in one turn. With less it takes more turns.
constexpr int kPipeBytes = 1024 * 1024;

}  // namespace

bool PagePipe::open() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  read_end_.reset(ends[0]);
  write_end_.reset(ends[1]);
  (void)::fcntl(write_end_.get(), F_SETPIPE_SZ, kPipeBytes);
  return true;
}

PagePipe::Sent PagePipe::send(int socket, ByteView bytes) {
  Sent sent;
  while (sent.bytes < bytes.size()) {
    if (!write_end_ && !open()) return {sent.bytes, errno};
    const ByteView rest = bytes.subspan(sent.bytes);
    const iovec run{const_cast<std::uint8_t*>(rest.data()), rest.size()};
    const ssize_t taken = ::vmsplice(write_end_.get(), &run, 1, 0);
    if (taken <= 0) return {sent.bytes, taken == 0 ? EIO : errno};
    const Sent passed = pass_on(socket, static_cast<std::size_t>(taken));
    sent.bytes += passed.bytes;
    if (passed.error == 0) continue;
    // What is left in the pipe goes with it: it is another answer's turn next.
    read_end_.reset();
    write_end_.reset();
    return {sent.bytes, passed.error};
  }
  return sent;
}

PagePipe::Sent PagePipe::pass_on(int socket, std::size_t bytes) {
  Sent sent;
  while (sent.bytes < bytes) {
    const ssize_t passed = ::splice(read_end_.get(), nullptr, socket, nullptr, bytes - sent.bytes, SPLICE_F_NONBLOCK);
    if (passed <= 0) return {sent.bytes, passed == 0 ? EIO : errno};
    sent.bytes += static_cast<std::size_t>(passed);
  }
  return sent;
}

}  // namespace reelway::edge
