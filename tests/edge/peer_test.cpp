#include "sancho/peer.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <random>

#include "sancho/error.hpp"

namespace {
using sancho::Address;
using sancho::Network;
using sancho::Peer;
using sancho::ProxyHeader;
using sancho::TrustedProxies;

const TrustedProxies by_x({.trusted = {"10.0.0.0/8", "2001:db8::/32", "192.168.1.1"}});
const TrustedProxies by_forwarded({.trusted = {"10.0.0.0/8", "2001:db8::/32"}, .header = ProxyHeader::forwarded});

std::string x(std::string_view list) { return by_x.resolve("10.0.0.1", false, {.x_forwarded_for = list}).remote_address; }
Peer f(std::string_view header) { return by_forwarded.resolve("10.0.0.1", false, {.forwarded = header}); }
Peer proto(std::string_view list, std::string_view protos, bool tls = false) {
  return by_x.resolve("10.0.0.1", tls, {.x_forwarded_for = list, .x_forwarded_proto = protos});
}
const Peer itself{"10.0.0.1", false};
}  // namespace

TEST(Address, HasOneSpellingAndNoOtherForms) {
  EXPECT_EQ(Address::parse("::ffff:10.0.0.1")->text(), "10.0.0.1");
  EXPECT_EQ(Address::parse("2001:DB8:0:0::1")->text(), "2001:db8::1");
  for (const auto text : {"", "localhost", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "0x7f.1", "2130706433", "[::1]", "::1%eth0", "1.2.3.4:80", " 1.2.3.4", "1.2.3.4 ", "::1::", "12345::"})
    EXPECT_FALSE(Address::parse(text)) << text;
  EXPECT_FALSE(Address::parse(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(Address::parse(std::string(1000, '1')));
}

// Every value a part can have, and 100,000 texts that are nearly an address.
TEST(Address, OfIPv4IsWhatTheSystemReadsAndWrites) {
  const auto compare = [](const std::string& text) {
    in_addr theirs{};
    const bool is_one = inet_pton(AF_INET, text.c_str(), &theirs) == 1;
    const auto ours = Address::parse(text);
    ASSERT_EQ(ours.has_value(), is_one) << text;
    if (!is_one) return;
    char spelt[INET_ADDRSTRLEN];
    ASSERT_EQ(ours->text(), inet_ntop(AF_INET, &theirs, spelt, sizeof spelt));
  };
  for (int part = 0; part < 300; ++part) {
    const auto n = std::to_string(part);
    compare(n + ".0.10.255"), compare("9." + n + ".99.100"), compare("1.2." + n + ".3"), compare("1.2.3." + n), compare("1.2.3.0" + n);
  }
  std::mt19937 chance(1);  // NOLINT: the same texts each time
  constexpr std::string_view letters = "0123456789012345678901234567890.... x";
  for (int i = 0; i < 100'000; ++i) {
    auto text = std::to_string(chance() % 300) + '.' + std::to_string(chance() % 300) + '.' + std::to_string(chance() % 12) + '.' + std::to_string(chance() % 300);
    for (auto changes = chance() % 3; changes > 0; --changes) text[chance() % text.size()] = letters[chance() % letters.size()];
    compare(text.substr(0, chance() % 8 == 0 ? chance() % text.size() : text.npos));
  }
}

TEST(Address, KnowsLoopback) {
  for (const auto text : {"127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"}) EXPECT_TRUE(sancho::is_loopback(text)) << text;
  for (const auto text : {"128.0.0.1", "126.255.255.255", "0.0.0.0", "::", "::2", "1::1", "::127.0.0.1", "localhost", "", "127.1"}) EXPECT_FALSE(sancho::is_loopback(text)) << text;
}

TEST(Network, ContainsWhatBeginsAlike) {
  const auto in = [](std::string_view n, std::string_view a) { return Network::parse(n).contains(*Address::parse(a)); };
  EXPECT_TRUE(in("10.0.0.0/8", "10.255.255.255"));
  EXPECT_FALSE(in("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(in("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_TRUE(in("172.16.0.0/12", "172.31.0.1"));
  EXPECT_FALSE(in("172.16.0.0/12", "172.32.0.0"));
  EXPECT_TRUE(in("10.0.0.1", "10.0.0.1"));
  EXPECT_FALSE(in("10.0.0.1", "10.0.0.2"));
  EXPECT_TRUE(in("10.0.0.2/31", "10.0.0.3"));
  EXPECT_TRUE(in("2001:db8::/32", "2001:db8:ffff::1"));
  EXPECT_FALSE(in("2001:db8::/32", "2001:db9::"));
  EXPECT_TRUE(in("::1/128", "::1"));
  EXPECT_FALSE(in("128.0.0.0/1", "2001:db8::1"));
}

TEST(Network, WhatIsNoNetworkIsRefusedAtStartUp) {
  for (const auto text : {"", "/8", "proxy", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/8/8", "10.0.0.0/ 8", "10.0.0.1/8", "10.0.0.0/0", "::/0", "::/129", "2001:db8::1/32", "10.0.0.0/99999999999"})
    EXPECT_THROW(Network::parse(text), sancho::ConfigError) << text;
  EXPECT_THROW(TrustedProxies({.trusted = {"10.0.0.1", "nonsense"}}), sancho::ConfigError);
}

TEST(TrustedProxies, ByDefaultTheConnectionCountsAndHeadersDoNot) {
  const sancho::ProxyHeaders forged{.x_forwarded_for = "1.2.3.4", .x_forwarded_proto = "https", .forwarded = "for=1.2.3.4;proto=https"};
  EXPECT_EQ(TrustedProxies{}.resolve("10.0.0.1", false, forged), itself);
  EXPECT_EQ(TrustedProxies{}.resolve("10.0.0.1", true, forged), (Peer{"10.0.0.1", true}));
  EXPECT_EQ(TrustedProxies{}.resolve("::ffff:10.0.0.1", false, forged), itself);
  EXPECT_EQ(TrustedProxies{}.resolve("2001:DB8:0:0::1", false, forged), (Peer{"2001:db8::1", false}));
  for (const auto text : {"", "not an address", "1.2.3", "1:2"}) EXPECT_EQ(TrustedProxies{}.resolve(text, false, forged), (Peer{text, false}));
  EXPECT_EQ(by_x.resolve("9.9.9.9", false, forged), (Peer{"9.9.9.9", false}));
  EXPECT_EQ(by_x.resolve("9.9.9.9", true, forged), (Peer{"9.9.9.9", true}));
  EXPECT_EQ(by_x.resolve("not an address", false, forged), (Peer{"not an address", false}));
  EXPECT_EQ(by_x.resolve("::ffff:10.0.0.1", false), itself);
}

TEST(TrustedProxies, TheOtherHeaderIsNeverLookedAt) {
  EXPECT_EQ(by_x.resolve("10.0.0.1", false, {.forwarded = "for=1.2.3.4;proto=https"}), itself);
  EXPECT_EQ(by_forwarded.resolve("10.0.0.1", false, {.x_forwarded_for = "1.2.3.4", .x_forwarded_proto = "https"}), itself);
}

TEST(TrustedProxies, TheListIsReadFromItsEndToTheFirstStranger) {
  EXPECT_EQ(x("1.2.3.4"), "1.2.3.4");
  EXPECT_EQ(x("6.6.6.6, 1.2.3.4"), "1.2.3.4");  // the first is what the client claims
  EXPECT_EQ(x("6.6.6.6,1.2.3.4,10.9.9.9 , 192.168.1.1"), "1.2.3.4");
  EXPECT_EQ(x("10.0.0.7"), "10.0.0.7");
  EXPECT_EQ(x("10.0.0.8, 10.0.0.7"), "10.0.0.8");
  EXPECT_EQ(x("2001:db8::7, 10.0.0.7"), "2001:db8::7");
  EXPECT_EQ(x("2a00::1, 2001:db8::7"), "2a00::1");
  EXPECT_EQ(x("1.2.3.4:5678"), "1.2.3.4");
  EXPECT_EQ(x("[2a00::1]:5678"), "2a00::1");
  EXPECT_EQ(x("[2a00::1]"), "2a00::1");
  EXPECT_EQ(x(""), "10.0.0.1");
  EXPECT_EQ(x("  "), "10.0.0.1");
}

TEST(TrustedProxies, SomethingMalformedOnTheWayLeavesTheConnectionsAddress) {
  for (const auto list : {"garbage", "1.2.3.4, ", "1.2.3.4,,10.0.0.7", "1.2.3.4, unknown", "127.1", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:123456", "[1.2.3.4]", "[2a00::1", "[2a00::1]x", "1.2.3.4 5.6.7.8", "\"1.2.3.4\"", ","})
    EXPECT_EQ(x(list), "10.0.0.1") << list;
}

TEST(TrustedProxies, WhatTheClientWroteBeforeHasNoInfluence) {
  for (const auto claim : {"garbage", "\"", "\"\"\"", ",", ",,,", "for=\"", "10.0.0.7", "\\\""}) {
    EXPECT_EQ(x(std::string(claim) + ", 1.2.3.4"), "1.2.3.4") << claim;
    EXPECT_EQ(f(std::string(claim) + ", for=1.2.3.4;proto=https"), (Peer{"1.2.3.4", true})) << claim;
  }
}

TEST(TrustedProxies, TheSchemeBelongsToTheAddress) {
  EXPECT_EQ(proto("1.2.3.4", "https"), (Peer{"1.2.3.4", true}));
  EXPECT_EQ(proto("1.2.3.4", "HTTPS"), (Peer{"1.2.3.4", true}));
  EXPECT_EQ(proto("1.2.3.4", "http", true), (Peer{"1.2.3.4", false}));
  EXPECT_EQ(proto("1.2.3.4, 10.0.0.7", "https"), (Peer{"1.2.3.4", true}));
  EXPECT_EQ(proto("1.2.3.4, 10.0.0.7", "https, http"), (Peer{"1.2.3.4", true}));
  EXPECT_EQ(proto("6.6.6.6, 1.2.3.4", "https, http"), (Peer{"1.2.3.4", false}));  // the first is the client's claim
  EXPECT_EQ(proto("1.2.3.4", "https, http"), (Peer{"1.2.3.4", false}));           // not in step: believed for nobody
  EXPECT_EQ(proto("1.2.3.4", "wss"), (Peer{"1.2.3.4", false}));
  EXPECT_EQ(proto("1.2.3.4", ""), (Peer{"1.2.3.4", false}));
  EXPECT_EQ(proto("1.2.3.4", "", true), (Peer{"1.2.3.4", true}));
  EXPECT_EQ(proto("garbage", "https"), itself);
}

TEST(TrustedProxies, ForwardedIsReadAsRfc7239Says) {
  EXPECT_EQ(f("for=1.2.3.4"), (Peer{"1.2.3.4", false}));
  EXPECT_EQ(f("For=\"[2a00::1]:4711\""), (Peer{"2a00::1", false}));
  EXPECT_EQ(f("for=1.2.3.4;proto=https;by=10.0.0.1"), (Peer{"1.2.3.4", true}));
  EXPECT_EQ(f("proto=\"https\"; host=\"a,b;for=9.9.9.9\"; for=\"1.2.3.4:80\""), (Peer{"1.2.3.4", true}));
  EXPECT_EQ(f("for=6.6.6.6;proto=https, for=1.2.3.4;proto=http, for=10.0.0.7;proto=https"), (Peer{"1.2.3.4", false}));
  for (const auto header : {"for=unknown", "for=_hidden", "for=", "proto=https", "for=1.2.3.4;for=5.6.7.8", "1.2.3.4", "for", "for=\"1.2.3.4", "for=1.2.3.4, "})
    EXPECT_EQ(f(header), itself) << header;
}
