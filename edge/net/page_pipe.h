#pragma once

#include <cstddef>

#include "common/base/bytes.h"
#include "common/base/unique_fd.h"

namespace reelway::edge {

// Sends memory to a socket by reference: its pages pass through a pipe (vmsplice, splice) and are not copied. What has
// been sent so must never be written again, not even when the peer has it: the kernel may still read those pages, and
// lets them go when it no longer does. Whoever gives the memory up gives its pages to the kernel (PageRuns::give_lent).
//
// There is no such operation of a ring that does not take a thread of its own, so these are calls which do not wait;
// the socket must be one that does not block, and the process must ignore SIGPIPE. One thread.
class PagePipe {
 public:
  struct Sent {
    std::size_t bytes = 0;
    int error = 0;  // why not all of them; EAGAIN: the socket is full
  };

  Sent send(int socket, ByteView bytes);

 private:
  bool open();
  Sent pass_on(int socket, std::size_t bytes);

  UniqueFd read_end_;
  UniqueFd write_end_;
};

}  // namespace reelway::edge
