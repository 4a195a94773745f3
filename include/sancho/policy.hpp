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
#include "sancho/origin_guard.hpp"
#include "sancho/peer.hpp"
#include "sancho/time.hpp"

namespace sancho {

// Both are enforced by the server, whatever the browser keeps (ASVS 7.3.1,
// 7.3.2). There is no "never".
struct Limits {
  Duration idle;      // without an access
  Duration absolute;  // since the login, or since the session was made
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

  // ## The edge

  CookieOptions cookie;
  // Keeps applications that share a store apart. Part of every session key:
  // changing it logs everybody out.
  std::string name_space;
  // A session answers only to the address it was made from. Off: addresses of
  // phones change, and neighbours share one.
  bool check_session_addr = false;
  // Whose word about the client's address and scheme is believed.
  ProxyOptions proxies;
  // Unsafe requests must come from our own pages; nothing turns the check off.
  // Behind another name than localhost, say which in `own`.
  std::optional<OriginOptions> origins = OriginOptions{.own_from_loopback_host = true};
  // An id that comes back after its rotation's grace was stolen, or is very
  // late: end the whole session?
  bool end_session_on_replay = false;

  // A logout's response tells the browser to forget all it has of this site,
  // its cache and storage too (`Clear-Site-Data`). Slow in some browsers.
  bool clear_site_data_at_logout = false;

  // ## What is kept

  // Slots set by `session.set` (not declared as members) that an anonymous
  // visitor keeps at login.
  std::vector<std::string> carry_at_login;
  // The largest encoded session, in bytes; beyond it a save is refused and the
  // old state stays.
  std::size_t max_session_bytes = std::size_t{1} << 20;
  // Keys that sign pre-session cookies, the first one signs. None: one is drawn
  // when the manager is made, and a login form that was open across a restart,
  // or served by another process, has to be sent twice.
  std::vector<std::array<std::byte, 32>> pre_session_keys;

  // ## Presets: NIST SP 800-63B-4, sections 2.1.3, 2.2.3, 2.3.3

  static Policy aal1();  // 30 days, idle 30 days
  static Policy aal2();  // 24 hours, idle 1 hour
  static Policy aal3();  // 12 hours, idle 15 minutes; nobody is kept logged in

  // The document that ASVS 7.1.1 asks for, in Markdown; departures from the
  // defaults are marked.
  std::string describe() const;

  // Throws `ConfigError` for what cannot work; its message says what to change.
  // The manager calls it.
  void check() const;
};

}  // namespace sancho
