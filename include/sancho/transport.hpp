// # How a session's id travels
//
// In a cookie, which is what browsers are for; or in a header, for programs and
// for pages that keep the id themselves. Never in both: a manager reads one and
// sends one.
//
//     policy.transport = sancho::Transport::bearer();      // Authorization: Bearer <id>
//     policy.transport = sancho::Transport::header();      // Session-Id: <id>
//
// With a header no cookie is read or sent. A response that has a new id to tell
// (somebody logged in, the id was renewed) tells it in a header of its own, and
// the client sends that one from then on. Where a cookie would be removed, at a
// logout, the header is there and its value is empty. Such a response has
// `Cache-Control: no-store`.
//
//     POST /login                                          POST /logout
//                                                          Authorization: Bearer 8Uq…
//     200 OK                                               200 OK
//     Session-Id: 8Uq…                                     Session-Id:
//     Cache-Control: no-store                              Cache-Control: no-store
//     Vary: Authorization                                  Vary: Authorization
//
// What is different then:
//
//   - Nobody's browser sends the header by itself, so no other site can make it
//     do so. The origin guard and CSRF tokens have nothing left to do:
//     `csrf_token` is empty and `check_csrf_token` says yes. Form tokens work as
//     ever.
//   - There is no pre-session: a visitor gets an id with the first thing that is
//     kept.
//   - A script that can read the id can also give it away, which `HttpOnly`
//     prevents. Whoever writes pages for browsers stays with the cookie.
//   - Nothing keeps a client from sending the id without TLS, which `Secure`
//     does. Serve TLS alone.
//   - A cache knows that what is asked with `Authorization` is somebody's own; of
//     a header of another name it knows nothing. Say `Cache-Control: private` on
//     such pages; where an id is told, `no-store` is said anyhow.
//   - A page of another origin reads the response's header only where the
//     application says `Access-Control-Expose-Headers`.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

struct Transport {
  // The request's header; empty: the id travels in the cookie (`Policy::cookie`).
  std::string request_header{};
  // What stands before the id and one space; empty: nothing.
  std::string scheme{};
  // The response's header.
  std::string response_header{};

  static Transport cookie() { return {}; }
  // `Authorization: Bearer <id>` (RFC 6750). That RFC has no header for a new
  // token, so the response's is ours.
  static Transport bearer(std::string response_header = "Session-Id");
  // One name for both. Letters, digits and `-` alone: what stands behind CGI
  // tells no other characters apart.
  static Transport header(std::string name = "Session-Id");

  bool by_cookie() const { return request_header.empty(); }
  // Throws `ConfigError` if a name is none, or is one that means something else
  // to browsers, servers or caches.
  void check() const;

  bool operator==(const Transport&) const = default;
};

// What came in the request's header.
struct FoundId {
  enum class Outcome {
    absent,     // no such line
    found,      // one: `value` is what stands behind the scheme
    ambiguous,  // more than one, whatever they are
    malformed,  // another scheme, or not written as `Bearer <id>`
  };
  Outcome outcome = Outcome::absent;
  // A view into the line; empty unless found.
  std::string_view value{};
};

// Reads the lines of the header. The scheme is compared without regard to case
// (RFC 9110, section 11.1), and otherwise nothing is repaired: one space stands
// behind it, and the rest has no blank, no comma and no control character in it. Spaces and tabs around the whole line
// are no part of it. Allocates nothing, throws nothing. Any thread.
FoundId find_id(std::span<const std::string_view> lines, std::string_view scheme) noexcept;

}  // namespace sancho
