#include "origin/client/address_rule.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace reelway::origin {
namespace {

struct Net4 {
  std::uint32_t address;
  int bits;
};

constexpr std::uint32_t ip(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr std::array kSpecial4{
    Net4{ip(0, 0, 0, 0), 8},        // this network
    Net4{ip(10, 0, 0, 0), 8},       // private
    Net4{ip(100, 64, 0, 0), 10},    // shared by a provider's customers; metadata of some clouds
    Net4{ip(127, 0, 0, 0), 8},      // loopback
    Net4{ip(169, 254, 0, 0), 16},   // link-local; metadata of most clouds
    Net4{ip(172, 16, 0, 0), 12},    // private
    Net4{ip(192, 0, 0, 0), 24},     // protocol assignments; metadata of some clouds
    Net4{ip(192, 0, 2, 0), 24},     // documentation
    Net4{ip(192, 88, 99, 0), 24},   // 6to4 relays
    Net4{ip(192, 168, 0, 0), 16},   // private
    Net4{ip(198, 18, 0, 0), 15},    // benchmarks
    Net4{ip(198, 51, 100, 0), 24},  // documentation
    Net4{ip(203, 0, 113, 0), 24},   // documentation
    Net4{ip(224, 0, 0, 0), 4},      // multicast
    Net4{ip(240, 0, 0, 0), 4},      // reserved, broadcast
};

bool is_public4(std::uint32_t address) {
  return std::none_of(kSpecial4.begin(), kSpecial4.end(),
                      [&](const Net4& net) { return (address ^ net.address) >> (32 - net.bits) == 0; });
}

using Bytes16 = std::array<std::uint8_t, 16>;

bool begins(const Bytes16& address, std::initializer_list<std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), address.begin());
}

bool is_public6(const Bytes16& address) {
  const std::uint32_t last4 = ip(address[12], address[13], address[14], address[15]);
  if (begins(address, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})) return is_public4(last4);
  if (begins(address, {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return is_public4(last4);
  const bool is_global_unicast = address[0] >> 5 == 1;                                    // 2000::/3
  const bool is_assigned_to_protocols = begins(address, {0x20, 0x01}) && address[2] < 2;  // 2001::/23, Teredo within
  const bool is_documentation =
      begins(address, {0x20, 0x01, 0x0d, 0xb8}) || (begins(address, {0x3f, 0xff}) && address[2] < 0x10);
  const bool is_6to4 = begins(address, {0x20, 0x02});
  return is_global_unicast && !is_assigned_to_protocols && !is_documentation && !is_6to4;
}

}  // namespace

bool is_public_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof(in));
    return is_public4(ntohl(in.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof(in));
    Bytes16 bytes;
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return is_public6(bytes);
  }
  return false;
}

std::string address_text(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  sockaddr_in in4{};
  sockaddr_in6 in6{};
  if (address.sa_family == AF_INET) {
    std::memcpy(&in4, &address, sizeof(in4));
    bytes = &in4.sin_addr;
  } else if (address.sa_family == AF_INET6) {
    std::memcpy(&in6, &address, sizeof(in6));
    bytes = &in6.sin6_addr;
  }
  if (bytes == nullptr || ::inet_ntop(address.sa_family, bytes, text.data(), text.size()) == nullptr) {
    return "an address of family " + std::to_string(address.sa_family);
  }
  return text.data();
}

}  // namespace reelway::origin
