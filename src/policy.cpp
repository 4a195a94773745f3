#include "sancho/policy.hpp"

#include <fmt/format.h>

#include <array>

#include "sancho/error.hpp"

namespace sancho {

namespace {
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// "30 min", "12 h", "30 d": in the largest unit that comes out even.
std::string text(Duration d) {
  if (d.count() == 0) return "0";
  for (const auto& [unit, name] : {std::pair{Duration(days(1)), "d"}, {Duration(hours(1)), "h"}, {Duration(minutes(1)), "min"}, {Duration(seconds(1)), "s"}})
    if (d % unit == Duration::zero()) return fmt::format("{} {}", d / unit, name);
  return fmt::format("{} ms", d.count());
}

std::string text(const std::optional<Duration>& d) { return d ? text(*d) : "off"; }
std::string text(bool b) { return b ? "yes" : "no"; }
}  // namespace

Policy Policy::aal1() {
  Policy p;
  p.limits = {days(30), days(30)};
  return p;
}

Policy Policy::aal2() {
  Policy p;
  p.limits = {hours(1), hours(24)};
  p.keep_logged_in = {hours(1), hours(24)};
  return p;
}

Policy Policy::aal3() {
  Policy p;
  p.limits = {minutes(15), hours(12)};
  p.keep_logged_in = p.limits;
  p.freshness = minutes(5);
  return p;
}

void Policy::check() const {
  const auto wrong = [](const std::string& what) { throw ConfigError("this policy cannot work: " + what); };
  const auto limits_of = [&](const Limits& l, const char* name) {
    if (l.idle <= Duration::zero()) wrong(fmt::format("{}.idle must be more than zero; there is no 'never'", name));
    if (l.absolute <= Duration::zero()) wrong(fmt::format("{}.absolute must be more than zero; there is no 'never'", name));
    if (l.idle < 4 * store_timeout) wrong(fmt::format("{}.idle must be at least four times store_timeout, or a write that is late outlives its own session", name));
    if (l.idle > l.absolute) wrong(fmt::format("{0}.idle must not be longer than {0}.absolute", name));
    if (l.absolute > days(400)) wrong(fmt::format("{}.absolute must not exceed 400 days, which is all that browsers keep", name));
    if (access_time_resolution > l.idle / 2) wrong(fmt::format("access_time_resolution must be at most half of {}.idle, or sessions in use idle out", name));
  };
  if (store_timeout <= Duration::zero() || store_timeout > hours(1)) wrong("store_timeout must be more than zero and at most an hour");
  if (keep_ended < 4 * store_timeout) wrong("keep_ended must be at least four times store_timeout");
  if (access_time_resolution < Duration::zero()) wrong("access_time_resolution must not be negative");
  limits_of(limits, "limits");
  limits_of(keep_logged_in, "keep_logged_in");
  if (renewal && *renewal <= Duration::zero()) wrong("renewal must be more than zero; std::nullopt turns it off");
  if (freshness <= Duration::zero()) wrong("freshness must be more than zero");
  if (rotation_grace < Duration::zero() || rotation_grace > days(1)) wrong("rotation_grace must not be negative nor more than a day");
  if (keep_ended > days(30)) wrong("keep_ended must not be more than 30 days");
  if (keep_ended < rotation_grace + minutes(1)) wrong("keep_ended must be at least rotation_grace and a minute: tombstones have to outlast every request");
  if (max_session_bytes < 1024) wrong("max_session_bytes must be at least 1024");
  (void)SetCookie(cookie.attributes());
  (void)TrustedProxies(proxies);
  if (origins) (void)OriginGuard(*origins);
}

std::string Policy::describe() const {
  const Policy standard;
  std::string rows;
  const auto row = [&](const char* what, const std::string& value, const std::string& usual) {
    rows += fmt::format("| {} | {} | {} |\n", what, value, value == usual ? "" : "default: " + usual);
  };
  row("idle timeout", text(limits.idle), text(standard.limits.idle));
  row("absolute timeout", text(limits.absolute), text(standard.limits.absolute));
  row("idle timeout, kept logged in", text(keep_logged_in.idle), text(standard.keep_logged_in.idle));
  row("absolute timeout, kept logged in", text(keep_logged_in.absolute), text(standard.keep_logged_in.absolute));
  row("a new id every", text(renewal), text(standard.renewal));
  row("fresh after a login for", text(freshness), text(standard.freshness));
  row("access time written once per", text(access_time_resolution), text(standard.access_time_resolution));
  row("an old id leads on for", text(rotation_grace), text(standard.rotation_grace));
  row("tombstones kept for", text(keep_ended), text(standard.keep_ended));
  row("store timeout", text(store_timeout), text(standard.store_timeout));
  row("cookie", cookie.name, standard.cookie.name);
  const auto site = [](const CookieOptions& c) { return c.same_site == SameSite::lax ? "lax" : c.same_site == SameSite::strict ? "strict" : "none"; };
  const auto domain = [](const CookieOptions& c) { return c.domain.empty() ? "this host alone" : c.domain; };
  row("cookie's SameSite", site(cookie), site(standard.cookie));
  row("cookie's domain", domain(cookie), domain(standard.cookie));
  row("cookie without TLS", text(cookie.plain_http), text(standard.cookie.plain_http));
  row("address checked", text(check_session_addr), text(standard.check_session_addr));
  row("origin of unsafe requests checked", text(origins.has_value()), text(standard.origins.has_value()));
  row("session ended when an old id comes back", text(end_session_on_replay), text(standard.end_session_on_replay));
  row("largest session in bytes", std::to_string(max_session_bytes), std::to_string(standard.max_session_bytes));
  return "| limit | value | departs from the default |\n|---|---|---|\n" + rows;
}

}  // namespace sancho
