// # Who is on the other end
//
// The address of a connection is a fact; the address in a header is a claim,
// and anybody can make it. It is believed only as far as it was written by
// proxies that the application names:
//
//     const sancho::TrustedProxies proxies({.trusted = {"10.0.0.0/8", "::1"}});
//     const auto peer = proxies.resolve(socket_address, tls, {.x_forwarded_for = ..., .x_forwarded_proto = ...});
//
// By default none is named and the headers are not looked at.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

// An IPv4 or IPv6 address. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`,
// as dual-stack sockets report it) is that IPv4 address.
class Address {
 public:
  // In the usual text, without port, brackets or zone; anything else is nothing.
  static std::optional<Address> parse(std::string_view text);
  // The one spelling of it.
  std::string text() const;

  bool is_v4() const;
  // 127.0.0.0/8 or ::1.
  bool is_loopback() const;
  auto operator<=>(const Address&) const = default;

 private:
  friend class Network;
  std::array<std::uint8_t, 16> bytes_{};
};

// Whether this is the text of a loopback address.
bool is_loopback(std::string_view address);

// An address, or all that begin alike: `10.0.0.0/8`, `2001:db8::/32`.
class Network {
 public:
  // Throws `ConfigError`, which names the text, if it is no address, if the
  // length of the prefix is none, zero, or does not cover the address.
  static Network parse(std::string_view text);
  bool contains(const Address& address) const;

 private:
  Address base_;
  unsigned prefix_ = 128;  // bits of the 16 bytes
};

// Which header the proxies write. The other is never looked at: a proxy that
// writes the one hands on the other as the client made it.
enum class ProxyHeader {
  x_forwarded_for,  // with X-Forwarded-Proto
  forwarded,        // RFC 7239
};

struct ProxyOptions {
  std::vector<std::string> trusted{};  // addresses and networks
  ProxyHeader header = ProxyHeader::x_forwarded_for;
};

// The headers, several lines of one joined with ", "; absent ones are empty.
struct ProxyHeaders {
  std::string_view x_forwarded_for{};
  std::string_view x_forwarded_proto{};
  std::string_view forwarded{};
};

struct Peer {
  std::string remote_address;
  bool https = false;
  bool operator==(const Peer&) const = default;
};

// Immutable, so any thread may share it.
class TrustedProxies {
 public:
  // Throws `ConfigError`.
  explicit TrustedProxies(const ProxyOptions& options = {});

  // The connection's own address and scheme, unless it comes from a trusted
  // proxy. Then the header is read from its end, past every trusted proxy, to
  // the first address that is not one (or to the beginning). What stands
  // before that was written by the client and is not read at all. If something
  // that is no address is met on the way, the connection's own address stands.
  //
  // The scheme comes from the element that gave the address; or, where
  // `X-Forwarded-Proto` has one value for all of them, from that.
  Peer resolve(std::string_view peer_address, bool peer_tls, const ProxyHeaders& headers = {}) const;

 private:
  bool trusts(const Address& address) const;
  std::vector<Network> trusted_;
  ProxyHeader header_;
};

}  // namespace sancho
