#include "common/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace reelway {

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, expression);
  std::abort();
}

}  // namespace reelway
