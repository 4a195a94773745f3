#include "sancho/cookie.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/ascii.hpp"
#include "sancho/error.hpp"

namespace sancho {

namespace {
using std::chrono::seconds;

constexpr bool visible(char c) { return c > 0x20 && c < 0x7f; }
constexpr bool path_char(char c) { return visible(c) && c != ';'; }

// Browsers compare the prefixes without regard to case (RFC 6265bis).
bool has_prefix(std::string_view name, std::string_view prefix) {
  return same_ignoring_case(name.substr(0, prefix.size()), prefix);
}

// Which letters a value has can be told neither from the time this takes nor from what is
// in the caches afterwards: no branch and no table depends on one.
#ifdef __GNUC__
bool is_value(std::string_view text) {
  using Chars [[gnu::vector_size(16)]] = signed char;
  Chars good = Chars{} == Chars{};
  for (std::size_t at = 0; at < text.size(); at += sizeof good) {
    std::array<signed char, sizeof good> some;
    some.fill('a');
    std::memcpy(some.data(), text.data() + at, std::min(text.size() - at, sizeof good));
    Chars c;
    std::memcpy(&c, some.data(), sizeof c);
    good &= (c > 0x20) & (c < 0x7f) & (c != '"') & (c != ',') & (c != ';') & (c != '\\');
  }
  const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(good);
  return (halves[0] & halves[1]) == ~std::uint64_t{0};
}
#else
bool is_value(std::string_view text) {
  bool good = true;
  for (const char c : text) good &= visible(c) & (c != '"') & (c != ',') & (c != ';') & (c != '\\');
  return good;
}
#endif

bool host_name(std::string_view host) {
  char before = '.';
  for (const char c : host) {
    if (!(is_letter_or_digit(c) || c == '-' || (c == '.' && before != '.'))) return false;
    before = c;
  }
  return before != '.';
}

bool legal(seconds max_age) { return max_age > seconds::zero() && max_age <= max_max_age; }

void require(bool condition, const char* otherwise) {
  if (!condition) throw ConfigError(otherwise);
}

void check_prefix(const CookieAttributes& a) {
  const bool host = has_prefix(a.name, "__Host-");
  const bool http = has_prefix(a.name, "__Http-") || has_prefix(a.name, "__Host-Http-");
  if (host || http || has_prefix(a.name, "__Secure-"))
    require(a.secure, "a cookie whose name begins with __Host-, __Http- or __Secure- must be Secure");
  if (http) require(a.http_only, "a cookie whose name begins with __Http- or __Host-Http- must be HttpOnly");
  if (!host) return;
  require(a.path == "/", "a cookie whose name begins with __Host- must have the path /");
  require(a.domain.empty(), "a cookie whose name begins with __Host- must not have a domain");
}

void check(const CookieAttributes& a) {
  require(!a.name.empty() && std::all_of(a.name.begin(), a.name.end(), is_token_char), "a cookie's name must be a token (RFC 9110)");
  require(a.name.size() <= max_name_and_value, "a cookie's name is longer than the 4096 bytes browsers keep");
  require(!a.path.empty() && a.path.front() == '/', "a cookie's path must begin with /");
  require(std::all_of(a.path.begin(), a.path.end(), path_char), "a cookie's path must be visible ASCII without ; (percent-encode the rest)");
  require(a.path.size() <= max_attribute, "a cookie's path is longer than the 1024 bytes browsers keep");
  require(a.domain.empty() || host_name(a.domain), "a cookie's domain must be a host name in ASCII, without a leading dot");
  require(a.domain.size() <= max_attribute, "a cookie's domain is longer than the 1024 bytes browsers keep");
  require(a.same_site != SameSite::none || a.secure, "a cookie with SameSite=None must be Secure");
  require(!a.partitioned || a.secure, "a cookie that is Partitioned must be Secure");
  require(!a.max_age || legal(*a.max_age), "a cookie's Max-Age must be between one second and 400 days");
  check_prefix(a);
}

std::string_view word(SameSite same_site) {
  switch (same_site) {
    case SameSite::strict: return "; SameSite=Strict";
    case SameSite::none: return "; SameSite=None";
    case SameSite::lax: break;
  }
  return "; SameSite=Lax";
}

// All but the lifetime, in the order of the documents.
std::string begin(const CookieAttributes& a, std::string_view value) {
  std::string header;
  header.reserve(a.name.size() + value.size() + a.path.size() + a.domain.size() + 128);
  header.append(a.name).append("=").append(value).append("; Path=").append(a.path);
  if (!a.domain.empty()) header.append("; Domain=").append(a.domain);
  if (a.secure) header.append("; Secure");
  if (a.http_only) header.append("; HttpOnly");
  header.append(word(a.same_site));
  if (a.partitioned) header.append("; Partitioned");
  return header;
}
}  // namespace

SetCookie::SetCookie(CookieAttributes attributes) : attributes_(std::move(attributes)) { check(attributes_); }

std::string SetCookie::build(std::string_view value) const { return build(value, attributes_.max_age); }

// The message never quotes the value: it may be a secret.
std::string SetCookie::build(std::string_view value, std::optional<seconds> max_age) const {
  if (!is_value(value)) throw UsageError("a cookie's value holds a byte that cookies cannot carry");
  if (value.size() > max_name_and_value - attributes_.name.size()) throw UsageError("a cookie's name and value are longer than the 4096 bytes browsers keep");
  if (max_age && !legal(*max_age)) throw UsageError("a cookie's Max-Age must be between one second and 400 days");
  auto header = begin(attributes_, value);
  if (max_age) header.append("; Max-Age=").append(std::to_string(max_age->count()));
  return header;
}

// `Max-Age` for browsers, `Expires` for what is older than it.
std::string SetCookie::removal() const {
  return begin(attributes_, {}).append("; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
}

CookieOptions CookieOptions::insecure_dev() {
  CookieOptions options;
  options.name = "sid";
  options.plain_http = true;
  return options;
}

CookieAttributes CookieOptions::attributes() const {
  return {.name = name, .path = path, .domain = domain, .secure = !plain_http, .http_only = true,
          .same_site = same_site, .max_age = max_age, .partitioned = partitioned};
}

}  // namespace sancho
