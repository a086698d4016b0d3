#pragma once

#include <optional>

#include "common/base/result.h"
#include "origin/store/control_store.h"

// The meaning of a transaction, apart from where the state lies. Pure. Limits and refusals are etcd's, so that
// nothing passes in one backend and fails in another.

namespace reelway::origin {

// store_too_large over kTxnOperationsMax compares or operations of one branch, or over kTxnBytesMax;
// store_request_invalid for an empty key, and for a key that one branch puts twice, or both puts and erases.
Result<void> check_txn(const Txn& txn);

// `entry` is the key's present state, empty when it is absent.
bool holds(const Compare& compare, const std::optional<KeyValue>& entry);

// The entry after a put in the transaction of that revision.
KeyValue after_put(const Operation& put, const std::optional<KeyValue>& before, Revision revision);

}  // namespace reelway::origin
