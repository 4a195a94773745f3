// # Before there is a session
//
// A login form needs a secret for its token, and its visitor has no session
// and gets none for looking at a form. A pre-session is that secret without a
// record: a random value in a cookie of its own, signed by the server, so that
// nobody can make one up. That nobody plants one which the server gave to them
// is the doing of the cookie's name (`__Host-Http-`). It is thrown away at login.
//
//     const sancho::PreSessions pre("shop", {key});
//     auto secret = pre.open(cookie);                      // a visitor who has one
//     if (!secret) cookie = pre.issue(random), secret = pre.open(cookie);
//     page << sancho::mask_csrf_token(*secret, "login", random);
//
// It says who renders and who submits are the same browser, and nothing else;
// it does not expire by itself, so give its cookie no `Max-Age`.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sancho/csrf.hpp"
#include "sancho/export.hpp"
#include "sancho/random.hpp"

namespace sancho SANCHO_EXPORT {

// Issues and opens pre-sessions. Immutable, so any thread may share it; the
// keys are wiped when it goes.
class PreSessions {
 public:
  using Key = std::array<std::byte, 32>;

  // The first key signs, all of them open: put a new key in front, and take
  // the old one away when the forms that were out are no longer wanted. Throws
  // `ConfigError` if there is no key.
  PreSessions(std::string name_space, std::vector<Key> keys);
  ~PreSessions();
  PreSessions(const PreSessions&) = default;
  PreSessions& operator=(const PreSessions&) = delete;

  // The cookie's value, 64 characters:
  // base64url(r ‖ HMAC-SHA256(key, "sancho pre-session" ‖ length ‖ namespace ‖ r)),
  // r being 16 random bytes. Throws `RandomError`.
  std::string issue(RandomSource& random) const;

  // The secret for this visitor's forms, HMAC-SHA256(key, "pre-session csrf" ‖ r),
  // or nothing: not 64 canonical characters, another application's, forged, or
  // signed with a key that is gone. Constant time. Throws nothing.
  std::optional<CsrfSecret> open(std::string_view text) const noexcept;

 private:
  std::string name_space_;
  std::vector<Key> keys_;
};

}  // namespace sancho
