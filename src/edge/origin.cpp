#include <algorithm>
#include <charconv>

#include "base/ascii.hpp"
#include "sancho/origin_guard.hpp"
#include "sancho/peer.hpp"

namespace sancho {

namespace {
bool take(std::string_view& text, std::string_view prefix) {
  if (!same_ignoring_case(text.substr(0, prefix.size()), prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Everything that may stand in a host name as browsers send it. What they
// would have to decode, or what could be read as something else (`@`, `\`,
// `%`), is not among it.
bool name_char(char c) { return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_'; }

// The host at the front, in its one spelling, or nothing.
std::optional<std::string> take_host(std::string_view& text) {
  if (!text.starts_with('[')) {
    const auto end = std::find_if_not(text.begin(), text.end(), name_char);
    const auto host = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(host.size());
    if (host.empty() || host.front() == '.') return std::nullopt;
    return lower_case(host);
  }
  const auto close = text.find(']');
  if (close == std::string_view::npos) return std::nullopt;
  const auto inside = text.substr(1, close - 1);
  const auto address = Address::parse(inside);
  if (!address || inside.find(':') == std::string_view::npos) return std::nullopt;
  text.remove_prefix(close + 1);
  return "[" + address->text() + "]";
}

// The port at the front, or the scheme's own where there is none.
std::optional<unsigned> take_port(std::string_view& text, unsigned otherwise) {
  if (!text.starts_with(':')) return otherwise;
  text.remove_prefix(1);
  const auto digits = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  if (digits == 0 || digits > 5 || text.front() == '0') return std::nullopt;
  unsigned port = 0;
  std::from_chars(text.data(), text.data() + digits, port);
  text.remove_prefix(digits);
  return port <= 65535 ? std::optional(port) : std::nullopt;
}

// Takes an origin from the front of an address and leaves the rest of it.
std::optional<std::string> take_origin(std::string_view& text) {
  const bool https = take(text, "https://");
  if (!https && !take(text, "http://")) return std::nullopt;
  const auto host = take_host(text);
  if (!host) return std::nullopt;
  const auto port = take_port(text, https ? 443 : 80);
  if (!port) return std::nullopt;
  return (https ? "https://" : "http://") + *host + ":" + std::to_string(*port);
}
}  // namespace

std::optional<Origin> Origin::parse(std::string_view text) {
  auto origin = take_origin(text);
  if (!origin || !text.empty()) return std::nullopt;
  return Origin(std::move(*origin));
}

std::optional<Origin> Origin::of_url(std::string_view url) {
  auto origin = take_origin(url);
  if (!origin || !(url.empty() || url.front() == '/' || url.front() == '?' || url.front() == '#')) return std::nullopt;
  return Origin(std::move(*origin));
}

}  // namespace sancho
