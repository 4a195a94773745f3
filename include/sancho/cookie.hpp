// # Cookies
//
// Reading what a browser sends and writing what it is to keep. Both sides are
// strict: the reader never repairs, never decodes and never guesses, and the
// writer refuses what a browser would drop or, worse, understand otherwise.
//
//     auto sid = sancho::find_cookie(header, "__Host-Http-sid");
//     if (sid.outcome == sancho::FoundCookie::Outcome::found) use(sid.value);
//
//     const sancho::SetCookie cookie(sancho::CookieOptions{}.attributes());
//     response.add("Set-Cookie", cookie.build(id.reveal()));
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

// ## Reading
//
// A `Cookie` header is split at `;` and nowhere else. Spaces and tabs around a
// pair go, no other white space does. The name ends at the first `=`; a pair
// without one, or without a name, is passed over. Quotes, percent signs and
// `$Version` mean nothing here. Names are compared byte by byte.
//
// Beyond these limits the whole header is ignored. Browsers keep no larger
// pair, and at most some 180 cookies for a whole site; most servers take less
// than 16 KiB.
inline constexpr std::size_t max_cookie_bytes = 16 * 1024;  // lines joined with "; "
inline constexpr std::size_t max_cookie_pairs = 200;        // blank ones not counted
inline constexpr std::size_t max_cookie_pair = 4097;        // name, `=` and value

// The answer for one name.
struct FoundCookie {
  enum class Outcome {
    absent,       // no such name
    found,        // once: `value` is set
    ambiguous,    // more than once. Which is first says nothing (RFC 6265,
                  // section 4.2.2): somebody may be tossing cookies at us
    over_limits,  // nothing was believed
  };
  Outcome outcome = Outcome::absent;
  // The bytes as they came, a view into the header; empty unless found.
  std::string_view value;
};

// Looks for one name in a `Cookie` header, or in several header lines, which
// are read as one joined with "; " (HTTP/2 and HTTP/3 split it). Allocates
// nothing, throws nothing, takes time in proportion to the bytes, at most
// `max_cookie_bytes` of them. Any thread.
FoundCookie find_cookie(std::string_view header, std::string_view name) noexcept;
FoundCookie find_cookie(std::span<const std::string_view> lines, std::string_view name) noexcept;

// One pair, as views into the header.
struct Cookie {
  std::string_view name;
  std::string_view value;
  bool operator==(const Cookie&) const = default;
};

// All pairs of a header, in their order, kept in place: it allocates nothing
// and must not outlive the header. Empty if the header is over the limits.
class Cookies {
 public:
  const Cookie* begin() const { return pairs_.data(); }
  const Cookie* end() const { return pairs_.data() + size_; }
  std::size_t size() const { return size_; }
  bool over_limits() const { return over_limits_; }
  // As `find_cookie`.
  FoundCookie find(std::string_view name) const noexcept;

 private:
  friend Cookies parse_cookies(std::span<const std::string_view> lines) noexcept;
  std::array<Cookie, max_cookie_pairs> pairs_{};
  std::size_t size_ = 0;
  bool over_limits_ = false;
};

Cookies parse_cookies(std::string_view header) noexcept;
Cookies parse_cookies(std::span<const std::string_view> lines) noexcept;

// ## Writing

enum class SameSite { lax, strict, none };

// What a cookie is, apart from its value.
struct CookieAttributes {
  std::string name;
  std::string path = "/";
  std::string domain{};  // empty: this host alone
  bool secure = true;
  bool http_only = true;
  SameSite same_site = SameSite::lax;
  std::optional<std::chrono::seconds> max_age{};  // none: until the browser closes
  bool partitioned = false;
};

// What browsers keep at most (RFC 6265bis, section 5.6).
inline constexpr std::size_t max_name_and_value = 4096;
inline constexpr std::size_t max_attribute = 1024;
inline constexpr std::chrono::seconds max_max_age = std::chrono::days{400};

// Writes `Set-Cookie` headers for one cookie. Attributes that got in here are
// legal. Immutable, so any thread may share it.
class SetCookie {
 public:
  // Throws `ConfigError` for what no browser would keep or what it would read
  // otherwise than it was meant:
  //
  //   - a name that is no token (RFC 9110), or too long;
  //   - a path that does not begin with `/`, a domain that is no host name, or
  //     a control character, `;` or white space in either;
  //   - the prefixes `__Secure-`, `__Host-`, `__Http-` and `__Host-Http-`, in
  //     whatever case, without what they promise;
  //   - `SameSite=None` or `Partitioned` without `Secure`;
  //   - a `Max-Age` that is not positive or beyond 400 days.
  explicit SetCookie(CookieAttributes attributes);

  // The header's value, with the attributes' `Max-Age` or with this one.
  // Throws `UsageError`, and gives nothing, if the value holds anything but
  // cookie octets (RFC 6265, section 4.1.1: no control character, white space,
  // `"`, `,`, `;` or `\`), if name and value together are too long, or if the
  // `Max-Age` is not between one second and 400 days.
  std::string build(std::string_view value) const;
  std::string build(std::string_view value, std::optional<std::chrono::seconds> max_age) const;

  // The header's value that makes the browser forget the cookie: the same
  // name, path, domain and flags, an empty value, and a lifetime that is over.
  std::string removal() const;

  const CookieAttributes& attributes() const { return attributes_; }

 private:
  CookieAttributes attributes_;
};

// ## The session's cookie

// The defaults are the strictest that every browser of today keeps:
// `__Host-Http-sid; Path=/; Secure; HttpOnly; SameSite=Lax`, gone with the
// browser. A script can neither read nor set it, nor can a neighbouring host.
struct CookieOptions {
  std::string name = "__Host-Http-sid";
  std::string path = "/";
  std::string domain{};  // set it only to share the session between hosts; the prefix must go then
  SameSite same_site = SameSite::lax;
  std::optional<std::chrono::seconds> max_age{};
  bool partitioned = false;
  // Without `Secure`. For loopback alone: a request from elsewhere is a broken rule.
  bool plain_http = false;

  // For development on one's own machine, without TLS: a plain `sid`.
  static CookieOptions insecure_dev();

  bool operator==(const CookieOptions&) const = default;

  // As attributes: always `HttpOnly`, and `Secure` unless `plain_http`.
  CookieAttributes attributes() const;
};

}  // namespace sancho
