#include "edge/request/remembered_tokens.h"

#include <cstring>
#include <new>
#include <utility>

#include "common/base/check.h"

// Slots are probed one after another from the hash's home. A slot that is freed is filled again with what came to lie
// behind it for want of it, so there are no marks of former entries to pass over.

namespace reelway::edge {

// The text lies right behind.
struct RememberedTokens::Entry {
  std::uint64_t hash;
  std::uint32_t text_bytes;
  bool used = false;  // since the hand last came by; being added is no use
  std::size_t place;  // in entries_
  access::Token token;

  std::string_view text() const { return {reinterpret_cast<const char*>(this + 1), text_bytes}; }

  static std::unique_ptr<Entry> make(std::string_view text, std::uint64_t hash, access::Token token) {
    void* const memory = ::operator new(sizeof(Entry) + text.size());
    auto* const entry = new (memory) Entry{hash, static_cast<std::uint32_t>(text.size()), false, 0, std::move(token)};
    std::memcpy(static_cast<void*>(entry + 1), text.data(), text.size());
    return std::unique_ptr<Entry>(entry);
  }
  static void operator delete(void* memory) { ::operator delete(memory); }  // not of sizeof(Entry) bytes
};

namespace {

// No need for a key: only texts with a good signature get here.
std::uint64_t hash_of(std::string_view text) {
  return std::hash<std::string_view>{}(text);
}

}  // namespace

RememberedTokens::RememberedTokens(std::size_t max) : max_(max), slots_(kSlotsMin) {
  CHECK(max > 0);
}

RememberedTokens::~RememberedTokens() = default;

std::size_t RememberedTokens::find_slot(std::string_view text, std::uint64_t hash) const {
  std::size_t slot = home(hash);
  while (slots_[slot].entry != nullptr) {
    if (slots_[slot].hash == hash && slots_[slot].entry->text() == text) break;
    slot = (slot + 1) & (slots_.size() - 1);
  }
  return slot;
}

const access::Token* RememberedTokens::find(std::string_view text) {
  Entry* const entry = slots_[find_slot(text, hash_of(text))].entry;
  if (entry == nullptr) return nullptr;
  entry->used = true;
  return &entry->token;
}

void RememberedTokens::add(std::string_view text, access::Token token) {
  const std::uint64_t hash = hash_of(text);
  if (slots_[find_slot(text, hash)].entry != nullptr) return;
  if (entries_.size() == max_) make_room();
  if ((entries_.size() + 1) * 2 > slots_.size()) grow();
  auto entry = Entry::make(text, hash, std::move(token));
  entry->place = entries_.size();
  slots_[find_slot(text, hash)] = {hash, entry.get()};
  entries_.push_back(std::move(entry));
}

void RememberedTokens::make_room() {
  while (true) {
    if (hand_ >= entries_.size()) hand_ = 0;
    Entry& entry = *entries_[hand_];
    if (!std::exchange(entry.used, false)) return erase_entry(entry);
    ++hand_;
  }
}

void RememberedTokens::grow() {
  slots_ = std::vector<Slot>(slots_.size() * 2);
  for (const auto& entry : entries_) slots_[find_slot(entry->text(), entry->hash)] = {entry->hash, entry.get()};
}

void RememberedTokens::erase(std::string_view text) {
  Entry* const entry = slots_[find_slot(text, hash_of(text))].entry;
  if (entry != nullptr) erase_entry(*entry);
}

void RememberedTokens::erase_if(const std::function<bool(const access::Token&)>& is_to_go) {
  for (std::size_t place = entries_.size(); place-- > 0;) {
    if (is_to_go(entries_[place]->token)) erase_entry(*entries_[place]);
  }
}

void RememberedTokens::erase_entry(Entry& entry) {
  free_slot(find_slot(entry.text(), entry.hash));
  const std::size_t place = entry.place;
  entries_[place].swap(entries_.back());
  entries_[place]->place = place;
  entries_.pop_back();
}

void RememberedTokens::free_slot(std::size_t slot) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = slot;
  for (std::size_t at = (hole + 1) & mask; slots_[at].entry != nullptr; at = (at + 1) & mask) {
    // It may move to the hole unless its home lies behind the hole, on the way to where it is.
    const std::size_t way = (at - home(slots_[at].hash)) & mask;
    if (way >= ((at - hole) & mask)) slots_[std::exchange(hole, at)] = slots_[at];
  }
  slots_[hole] = {};
}

}  // namespace reelway::edge
