#include "stores/authority.hpp"

#include <charconv>

#include "sancho/error.hpp"

namespace sancho {

namespace {

[[noreturn]] void refuse(const StoreUri& uri, const std::string& why) {
  throw ConfigError(uri.scheme + ": " + why + "; write " + uri.scheme + "://user:password@host:port,host:port/...");
}

std::uint16_t port_of(const StoreUri& uri, std::string_view text) {
  std::uint16_t port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || stop != text.data() + text.size() || port == 0)
    refuse(uri, "a port is a number from 1 to 65535");
  return port;
}

Endpoint endpoint_of(const StoreUri& uri, std::string_view text, std::uint16_t default_port) {
  Endpoint e;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) refuse(uri, "an address that begins with [ ends with ]");
    e.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && port[0] != ':') refuse(uri, "behind an address in brackets stands a port or nothing");
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    e.host = percent_decoded(text.substr(0, colon), uri.scheme + ":");
    port = text.substr(colon);
  }
  if (e.host.empty()) refuse(uri, "a host is missing");
  e.port = port.empty() ? default_port : port_of(uri, port.substr(1));
  return e;
}

}  // namespace

Authority Authority::parse(const StoreUri& uri, std::uint16_t default_port) {
  Authority a;
  std::string_view rest = uri.authority;
  // The last one: a password with a stray @ in it goes with the password.
  if (const auto at = rest.rfind('@'); at != rest.npos) {
    const auto who = rest.substr(0, at);
    const auto colon = who.find(':');
    a.user = percent_decoded(who.substr(0, colon), uri.scheme + ":");
    if (colon != who.npos) a.password = percent_decoded(who.substr(colon + 1), uri.scheme + ":");
    rest.remove_prefix(at + 1);
  }
  if (rest.empty()) refuse(uri, "a host is missing");
  for (bool more = true; more;) {
    const auto comma = rest.find(',');
    more = comma != rest.npos;
    a.endpoints.push_back(endpoint_of(uri, rest.substr(0, comma), default_port));
    if (more) rest.remove_prefix(comma + 1);
  }
  return a;
}

std::string to_string(const Endpoint& e) {
  const bool v6 = e.host.find(':') != e.host.npos;
  return (v6 ? "[" + e.host + "]" : e.host) + ":" + std::to_string(e.port);
}

}  // namespace sancho
