#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace reelway::transport {

// A TCP socket of the address's family, without Nagle's delay.
Result<UniqueFd> tcp_socket(int family);
Error connect_error(std::string_view what, int errno_value);

}  // namespace reelway::transport
