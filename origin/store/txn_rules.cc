#include "origin/store/txn_rules.h"

#include <compare>
#include <map>
#include <string>
#include <string_view>

namespace reelway::origin {
namespace {

Error invalid(std::string detail) {
  return {ErrorCode::store_request_invalid, Side::client, false, std::move(detail)};
}

Error too_large(std::string detail) {
  return {ErrorCode::store_too_large, Side::client, false, std::move(detail)};
}

Result<void> check_count(std::string_view what, std::size_t count) {
  if (count <= kTxnOperationsMax) return {};
  return too_large(std::to_string(count) + " " + std::string(what) + ", at most " + std::to_string(kTxnOperationsMax));
}

Result<void> check_branch(const std::vector<Operation>& operations) {
  std::map<std::string_view, Operation::Kind> written;
  for (const Operation& operation : operations) {
    if (operation.key.empty()) return invalid("an operation has an empty key");
    if (operation.kind == Operation::Kind::get) continue;
    const auto [place, is_new] = written.emplace(operation.key, operation.kind);
    const bool both_erase = place->second == Operation::Kind::erase && operation.kind == Operation::Kind::erase;
    if (!is_new && !both_erase) return invalid("key " + operation.key + " is written twice in one transaction");
  }
  return {};
}

std::size_t bytes_of(const std::vector<Operation>& operations) {
  std::size_t bytes = 0;
  for (const Operation& operation : operations) bytes += operation.key.size() + operation.value.size();
  return bytes;
}

bool satisfies(std::strong_ordering order, Compare::Relation relation) {
  switch (relation) {
    case Compare::Relation::equal: return order == 0;
    case Compare::Relation::not_equal: return order != 0;
    case Compare::Relation::less: return order < 0;
    case Compare::Relation::greater: return order > 0;
  }
  return false;
}

}  // namespace

Result<void> check_txn(const Txn& txn) {
  REELWAY_TRY(check_count("compares", txn.compares.size()));
  REELWAY_TRY(check_count("operations", txn.then_operations.size()));
  REELWAY_TRY(check_count("operations", txn.else_operations.size()));
  std::size_t bytes = bytes_of(txn.then_operations) + bytes_of(txn.else_operations);
  for (const Compare& compare : txn.compares) {
    if (compare.key.empty()) return invalid("a compare has an empty key");
    bytes += compare.key.size() + compare.value.size();
  }
  if (bytes > kTxnBytesMax) {
    return too_large(std::to_string(bytes) + " bytes of keys and values, at most " + std::to_string(kTxnBytesMax));
  }
  REELWAY_TRY(check_branch(txn.then_operations));
  return check_branch(txn.else_operations);
}

bool holds(const Compare& compare, const std::optional<KeyValue>& entry) {
  const auto number = [&](std::int64_t present) {
    return satisfies((entry ? present : 0) <=> compare.number, compare.relation);
  };
  switch (compare.field) {
    case Compare::Field::version: return number(entry ? entry->version : 0);
    case Compare::Field::create_revision: return number(entry ? entry->create_revision : 0);
    case Compare::Field::mod_revision: return number(entry ? entry->mod_revision : 0);
    case Compare::Field::value:
      return entry.has_value() && satisfies(entry->value.compare(compare.value) <=> 0, compare.relation);
  }
  return false;
}

KeyValue after_put(const Operation& put, const std::optional<KeyValue>& before, Revision revision) {
  KeyValue entry;
  entry.key = put.key;
  entry.value = put.value;
  entry.create_revision = before ? before->create_revision : revision;
  entry.mod_revision = revision;
  entry.version = before ? before->version + 1 : 1;
  return entry;
}

}  // namespace reelway::origin
