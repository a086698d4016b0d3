#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace reelway::edge {

// An IP address without a port, as 16 bytes; an IPv4 address as IPv6 maps it (RFC 4291 section 2.5.5.2), so one that
// came over a dual-stack socket is the same address.
struct ClientAddress {
  std::array<std::uint8_t, 16> bytes{};

  // Of the other side of a connected socket; nullopt when it is gone already.
  static std::optional<ClientAddress> of_peer(int fd);
  // "192.0.2.1" or "2001:db8::1"; nullopt for anything else.
  static std::optional<ClientAddress> parse(const std::string& text);

  bool is_ipv4() const;
  std::string text() const;

  bool operator==(const ClientAddress&) const = default;
};

struct ClientAddressHash {
  std::size_t operator()(const ClientAddress& address) const {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size()});
  }
};

}  // namespace reelway::edge
