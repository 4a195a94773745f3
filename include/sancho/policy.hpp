// # Policy
//
// What an application decides about its sessions. The defaults are safe; a
// departure is spelt out where it is made:
//
//     sancho::Policy policy = sancho::Policy::aal2();
//     policy.name_space = "shop";
//     policy.origins->own = {"https://shop.example"};
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sancho/cookie.hpp"
#include "sancho/export.hpp"
#include "sancho/origin_guard.hpp"
#include "sancho/peer.hpp"
#include "sancho/session_cap.hpp"
#include "sancho/store.hpp"
#include "sancho/time.hpp"
#include "sancho/transport.hpp"

namespace sancho SANCHO_EXPORT {

// Both are enforced by the server, whatever the browser keeps (ASVS 7.3.1,
// 7.3.2). There is no "never".
struct Limits {
  Duration idle;      // without an access
  Duration absolute;  // since the login, or since the session was made
};

// What becomes of requests while the store does not answer, or takes no writes.
// Each goes further than the one before and includes it. In none of them is a
// cookie touched or anybody logged out (promise P8), and a form token is never
// consumed, a login never made, a logout never claimed, unless the store said so.
enum class Outage {
  // A request whose session cannot be read, or whose changes cannot be saved,
  // fails: `StoreError`, and the adapter answers 503. Upkeep that fails (the
  // access time, an id that was due for renewal) is left to the next request.
  fail_closed,
  // What can be read is served. Where the store is known to take no writes (a
  // breaker's `health`), upkeep is not even tried; messages that were shown are
  // shown again, and a session that lost its info is not removed. A request
  // that changes something fails at its end; `can_write()` tells before.
  read_only,
  // And a safe request (GET, HEAD) whose session cannot be read is served as a
  // visitor's, with `can_read()` false. It has no CSRF token (`csrf_token` is
  // empty), and what would have to be written, or acts at once, throws
  // *unavailable*. Unsafe requests fail. Say on the page that it is not all
  // there: who is logged in sees it as if they were not.
  anonymous_pages,
};

struct Policy {
  // ## The four limits

  Limits limits{std::chrono::minutes(30), std::chrono::hours(12)};
  // For users who asked to be kept logged in.
  Limits keep_logged_in{std::chrono::days(30), std::chrono::days(30)};
  // A session in use gets a new id after this long; nothing: never by itself.
  std::optional<Duration> renewal = std::chrono::hours(1);
  // How long after a login a sensitive action needs no password:
  // `RequestScope::is_fresh`.
  Duration freshness = std::chrono::minutes(15);

  // Accesses are written down once per this long, so reading costs no write. A
  // session can idle out this much early, and never late.
  Duration access_time_resolution = std::chrono::minutes(1);

  // ## The protocol's times

  // How long an old id leads on after its successor was first used.
  Duration rotation_grace = std::chrono::seconds(30);
  // How long the store keeps tombstones. Longer than the longest request, with
  // all that may delay it, or a very late save could revive a logged-out
  // session. At least `rotation_grace` and a minute.
  Duration keep_ended = std::chrono::minutes(10);
  // By when a store must have answered, for the beginning of a request, for its
  // end, and for each thing that acts at once.
  Duration store_timeout = std::chrono::seconds(5);

  // What to do while the store is out of order.
  Outage outage = Outage::fail_closed;

  // ## The edge

  // How the session's id travels: in a cookie, or in a header for API clients.
  Transport transport{};
  CookieOptions cookie{};
  // Keeps applications that share a store apart. Part of every session key:
  // changing it logs everybody out.
  std::string name_space{};
  // A session answers only to the address it was made from. Off: addresses of
  // phones change, and neighbours share one.
  bool check_session_addr = false;
  // Whose word about the client's address and scheme is believed.
  ProxyOptions proxies{};
  // Unsafe requests must come from our own pages; nothing turns the check off.
  // Behind another name than localhost, say which in `own`.
  // A header that carries the id needs no check: no foreign page can send it.
  std::optional<OriginOptions> origins = OriginOptions{.own_from_loopback_host = true};
  // For an API that answers to JSON alone: an unsafe request must say that it
  // brings JSON (`json_only` in csrf.hpp), also one without a body; else it is
  // answered with 415. A form on another site cannot say so, and a script there
  // has to ask first (CORS), so answer no preflight from foreign origins.
  bool json_only = false;
  // An id that comes back after its rotation's grace was stolen, or is very
  // late: end the whole session?
  bool end_session_on_replay = false;

  // A logout's response tells the browser to forget all it has of this site,
  // its cache and storage too (`Clear-Site-Data`). Slow in some browsers. Where
  // its page has a form, the one for the next login say, all but the session's
  // cookie stay: the secret of that form is in one.
  bool clear_site_data_at_logout = false;

  // ## The store

  // What the store must give, beyond what every manager needs: each trait that
  // is true here must be true of the store, or the manager is not made. So an
  // application that must not lose a session finds out when it starts, not
  // when it happens. To run on memcached, which may drop sessions when its
  // memory is full, say `.keeps = false`.
  StoreTraits store_must = {.thread_safe = true, .linearizable = true, .keeps = true};
  // The most sessions a user may have at once; nothing: any number.
  std::optional<SessionCap> cap{};

  // ## What is kept

  // Slots set by `session.set` (not declared as members) that an anonymous
  // visitor keeps at login.
  std::vector<std::string> carry_at_login{};
  // The largest encoded session, in bytes; beyond it a save is refused and the
  // old state stays.
  std::size_t max_session_bytes = std::size_t{1} << 20;
  // Keys that sign pre-session cookies, the first one signs. None: one is drawn
  // when the manager is made, and a login form that was open across a restart,
  // or served by another process, has to be sent twice.
  std::vector<std::array<std::byte, 32>> pre_session_keys{};

  // ## Presets: NIST SP 800-63B-4, sections 2.1.3, 2.2.3, 2.3.3

  static Policy aal1();  // 30 days, idle 30 days
  static Policy aal2();  // 24 hours, idle 1 hour
  static Policy aal3();  // 12 hours, idle 15 minutes; nobody is kept logged in

  // The document that ASVS 7.1.1 asks for, in Markdown; departures from the
  // defaults are marked.
  std::string describe() const;

  // Throws `ConfigError` for what cannot work; its message says what to change.
  // The manager calls the first, and one of the others for its store.
  void check() const;
  void check(SessionStore& store) const;
  void check(const StoreTraits& traits, bool has_epochs, const std::string& store_name) const;
};

}  // namespace sancho
