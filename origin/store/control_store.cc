#include "origin/store/control_store.h"

#include <utility>

namespace reelway::origin {

Compare Compare::absent(std::string key) {
  Compare compare;
  compare.key = std::move(key);
  return compare;
}

Compare Compare::unchanged(std::string key, Revision mod_revision) {
  Compare compare;
  compare.key = std::move(key);
  compare.field = Field::mod_revision;
  compare.number = mod_revision;
  return compare;
}

Operation Operation::put(std::string key, std::string value) {
  return {Kind::put, std::move(key), std::move(value)};
}

Operation Operation::erase(std::string key) {
  return {Kind::erase, std::move(key), {}};
}

Operation Operation::get(std::string key) {
  return {Kind::get, std::move(key), {}};
}

// A key is the first of all keys that begin with it, so a range of one finds it or shows that it is absent.
Result<std::optional<KeyValue>> ControlStore::get(std::string_view key) {
  Result<Page> page = range(key, 1);
  if (!page.ok()) return std::move(page).error();
  if (page->entries.empty() || page->entries.front().key != key) return std::optional<KeyValue>();
  return std::optional<KeyValue>(std::move(page->entries.front()));
}

bool is_interruption(const Error& error) {
  switch (error.code) {
    case ErrorCode::shutting_down:
    case ErrorCode::store_unavailable:
    case ErrorCode::store_unknown: return true;
    default: return false;
  }
}

}  // namespace reelway::origin
