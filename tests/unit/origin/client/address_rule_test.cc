#include "origin/client/address_rule.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace reelway::origin {
namespace {

sockaddr_storage address_of(const char* text) {
  sockaddr_storage storage{};
  auto& in4 = reinterpret_cast<sockaddr_in&>(storage);
  auto& in6 = reinterpret_cast<sockaddr_in6&>(storage);
  if (inet_pton(AF_INET, text, &in4.sin_addr) == 1) {
    storage.ss_family = AF_INET;
  } else {
    EXPECT_EQ(inet_pton(AF_INET6, text, &in6.sin6_addr), 1) << text;
    storage.ss_family = AF_INET6;
  }
  return storage;
}

bool is_public(const char* text) {
  const sockaddr_storage storage = address_of(text);
  return is_public_address(reinterpret_cast<const sockaddr&>(storage));
}

TEST(AddressRule, AddressesOfThePublicInternetPass) {
  for (const char* text : {"1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0",
                           "169.253.0.1", "192.167.1.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111",
                           "2a00:1450::1", "::ffff:1.1.1.1", "64:ff9b::101:101"}) {
    EXPECT_TRUE(is_public(text)) << text;
  }
}

TEST(AddressRule, ThisMachineItsNetworksAndMetadataServicesDoNot) {
  for (const char* text : {"0.0.0.0", "127.0.0.1", "127.255.255.255", "10.1.2.3", "172.16.0.1", "172.31.255.255",
                           "192.168.1.1", "169.254.169.254", "100.100.100.200", "192.0.0.192", "192.0.2.1",
                           "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "255.255.255.255"}) {
    EXPECT_FALSE(is_public(text)) << text;
  }
  for (const char* text : {"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1",
                           "64:ff9b:1::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001::1", "2001:db8::1",
                           "2002:7f00:1::", "3fff::1", "100::1", "fec0::1"}) {
    EXPECT_FALSE(is_public(text)) << text;
  }
}

TEST(AddressRule, OtherFamiliesDoNot) {
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  EXPECT_FALSE(is_public_address(reinterpret_cast<const sockaddr&>(storage)));
  EXPECT_EQ(address_text(reinterpret_cast<const sockaddr&>(storage)), "an address of family 1");
}

TEST(AddressRule, AnAddressReadsAsPeopleWriteIt) {
  for (const char* text : {"127.0.0.1", "2001:db8::1"}) {
    const sockaddr_storage storage = address_of(text);
    EXPECT_EQ(address_text(reinterpret_cast<const sockaddr&>(storage)), text);
  }
}

}  // namespace
}  // namespace reelway::origin
