#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "origin/store/control_store.h"

// The bytes of the embedded store's records: docs/formats/control_store.md. Pure.

namespace reelway::origin::records {

inline constexpr std::uint32_t kStoreFormat = 1;

// Family "kv": the user's key to metadata and value.
std::string kv_value(const KeyValue& entry);
Result<KeyValue> parse_kv(std::string_view key, std::string_view bytes);

// Family "log": revision and position within the transaction, to what was done. Big-endian, so order of keys is order
// of commit.
std::string log_key(Revision revision, std::uint32_t position);
std::optional<Revision> log_revision(std::string_view key);
std::string log_value(const WatchBatch::Event& event);
Result<WatchBatch::Event> parse_log(std::string_view key, std::string_view bytes);

// Family "meta".
inline constexpr std::string_view kMetaFormat = "format";
inline constexpr std::string_view kMetaCluster = "cluster";
inline constexpr std::string_view kMetaRevision = "revision";
inline constexpr std::string_view kMetaFloor = "floor";
std::string number_value(std::int64_t number);
std::optional<std::int64_t> parse_number(std::string_view bytes);

}  // namespace reelway::origin::records
