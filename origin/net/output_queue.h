#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include "origin/net/file_body.h"

namespace reelway::origin {

// What is still to be written to one socket: pieces of text and ranges of files, in order. Owns the pieces.
class OutputQueue {
 public:
  enum class State : std::uint8_t {
    empty,    // everything is with the kernel
    more,     // one turn was sent, more is left: go on when the socket is writable
    blocked,  // the socket is full
    cold,     // the file at the front must be warmed: front_file()
    failed,
  };

  void add(std::string text);
  void add(std::shared_ptr<const std::string> text);
  void add(std::unique_ptr<FileBody> file);

  // Writes what the socket takes, at most one turn of a file. Text pieces are gathered into one call; MSG_MORE joins
  // them with a file that follows, so that a small header does not leave as a packet of its own.
  State write(int socket);

  bool empty() const { return pieces_.empty(); }
  FileBody* front_file() { return pieces_.empty() ? nullptr : pieces_.front().file.get(); }
  std::uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  struct Piece {
    std::shared_ptr<const std::string> text;
    std::unique_ptr<FileBody> file;
  };

  State write_text(int socket);
  State write_file(int socket);
  void consume_text(std::size_t count);

  std::deque<Piece> pieces_;
  std::size_t front_sent_ = 0;  // of the text at the front
  std::uint64_t bytes_sent_ = 0;
};

}  // namespace reelway::origin
