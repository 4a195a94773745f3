// # What an adapter hands over, and gets back
//
// The library knows no framework. An adapter fills a `Request` with views into
// its own, and copies the header lines of the answer into its response.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

// A request as far as sessions care. Views need to live as long as the call
// they are passed to; nothing is kept. Empty means: the header is not there.
struct Request {
  std::string_view method = "GET";
  // The `Cookie` lines as they came over the wire, neither decoded nor joined.
  std::span<const std::string_view> cookies{};
  // The lines of the header that carries ids, where one does (`Policy::transport`).
  std::span<const std::string_view> id_lines{};
  std::string_view peer_address{};  // of the socket's other end
  bool https = false;             // the socket itself speaks TLS

  std::string_view host{}, origin{}, referer{}, sec_fetch_site{}, user_agent{}, content_type{};
  // Believed only where the peer is a trusted proxy (see `Policy::proxies`).
  std::string_view x_forwarded_for{}, x_forwarded_proto{}, forwarded{};
};

// The methods that change nothing.
constexpr bool is_safe_method(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

namespace detail {
inline constexpr auto token_chars = [] {
  std::array<bool, 256> allowed{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    allowed[static_cast<unsigned char>(c)] = true;
  return allowed;
}();
}  // namespace detail

// What names of header lines, methods and schemes are made of, and whether a text is
// such a token (RFC 9110, section 5.6.2). An empty one is none.
constexpr bool is_token_char(char c) { return detail::token_chars[static_cast<unsigned char>(c)]; }
constexpr bool is_token(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char); }

// Names of header lines differ in no more than case (of ASCII, in no locale).
constexpr bool same_header(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

// One line of a response's head.
struct HeaderLine {
  std::string name;
  std::string value;
  bool operator==(const HeaderLine&) const = default;
};

// Lines to be added to the response; each `Set-Cookie` is a line of its own.
using HeaderLines = std::vector<HeaderLine>;

}  // namespace sancho
