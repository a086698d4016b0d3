#pragma once

// CHECK stays on in every build: it states what cannot happen. Conditions that can happen in operation
// (a peer's bytes, a full disk, a missing file) are Errors, never CHECKs.

namespace reelway {

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace reelway

#define CHECK(expression)                                       \
  (__builtin_expect(static_cast<bool>(expression), 1) ? void(0) \
                                                      : ::reelway::check_failed(#expression, __FILE__, __LINE__))
