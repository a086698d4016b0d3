#pragma once

#include <sys/socket.h>

#include <string>

// What an IP address may lead to. Pure.

namespace reelway::origin {

// Whether it is an address of the public internet: global unicast, and none of those that mean this machine, its own
// networks, their routers and the metadata services of clouds (IANA's special-purpose registries, RFC 6890). An IPv4
// address within an IPv6 one (mapped, or translated by NAT64) is judged as itself. False for other families.
bool is_public_address(const sockaddr& address);

std::string address_text(const sockaddr& address);  // "192.0.2.1", "2001:db8::1"; no port

}  // namespace reelway::origin
