#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "common/access/token.h"

namespace reelway::edge {

// Verified tokens by their text, at most `max`. A look-up is for every request and finds the text's entry in two or
// three places of memory: a slot of an open table with a part of the hash, and the entry, whose text lies within it.
// Who leaves when it is full is found by a hand that walks over all and passes by those used since it last came, so
// that a look-up has no list to mend. One thread.
class RememberedTokens {
 public:
  explicit RememberedTokens(std::size_t max);
  ~RememberedTokens();
  RememberedTokens(const RememberedTokens&) = delete;
  RememberedTokens& operator=(const RememberedTokens&) = delete;

  // Valid until the next call that may change what is remembered. Counts as a use.
  const access::Token* find(std::string_view text);
  // Does nothing when the text is there.
  void add(std::string_view text, access::Token token);
  void erase(std::string_view text);
  void erase_if(const std::function<bool(const access::Token&)>& is_to_go);

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry;
  struct Slot {
    std::uint64_t hash = 0;
    Entry* entry = nullptr;
  };
  static constexpr std::size_t kSlotsMin = 64;  // a power of two, as every later number of slots

  std::size_t home(std::uint64_t hash) const { return hash & (slots_.size() - 1); }
  std::size_t find_slot(std::string_view text, std::uint64_t hash) const;  // the text's, or a free one
  void grow();
  void make_room();
  void erase_entry(Entry& entry);
  void free_slot(std::size_t slot);

  const std::size_t max_;
  std::vector<Slot> slots_;                      // at most half of them taken
  std::vector<std::unique_ptr<Entry>> entries_;  // in no order
  std::size_t hand_ = 0;
};

}  // namespace reelway::edge
