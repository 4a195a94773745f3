// # Who and where
//
// The part of a store URI behind `//`: `user:password@host:port,host:port`, as
// the drivers' own URIs write it. Percent-decoded; an IPv6 address stands in
// brackets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stores/uri.hpp"

namespace sancho {

struct Endpoint {
  std::string host;  // without brackets
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

struct Authority {
  std::string user;                     // empty: none given
  std::optional<std::string> password;
  std::vector<Endpoint> endpoints;      // at least one

  // Throws `ConfigError`; its message shows neither user nor password.
  static Authority parse(const StoreUri& uri, std::uint16_t default_port);
};

// "host:port", with brackets around an IPv6 address.
std::string to_string(const Endpoint& endpoint);

}  // namespace sancho
