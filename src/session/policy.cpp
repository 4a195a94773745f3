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

struct Demand {
  bool StoreTraits::*trait;
  const char* words;
};
constexpr Demand demands[] = {
    {&StoreTraits::thread_safe, "thread safe"},
    {&StoreTraits::multiprocess_safe, "safe for several processes"},
    {&StoreTraits::durable, "durable across a crash"},
    {&StoreTraits::power_safe, "durable across a power cut"},
    {&StoreTraits::linearizable, "linearizable"},
    {&StoreTraits::keeps, "one that drops no session before its time"},
    {&StoreTraits::survives_failover, "one that loses nothing with a machine"},
    {&StoreTraits::distributed, "on a clock of its own"},
    {&StoreTraits::sweeps_itself, "one that sweeps itself"},
    {&StoreTraits::never_waits, "one that never waits"},
};

std::string demanded(const StoreTraits& traits) {
  std::string words;
  for (const auto& d : demands)
    if (traits.*d.trait) words += (words.empty() ? "" : ", ") + std::string(d.words);
  return words;
}

template <class Row>
void describe_cookie(const Row& row, const CookieOptions& cookie) {
  const CookieOptions standard;
  row("cookie", cookie.name, standard.name);
  const auto site = [](const CookieOptions& c) { return c.same_site == SameSite::lax ? "lax" : c.same_site == SameSite::strict ? "strict" : "none"; };
  const auto domain = [](const CookieOptions& c) { return c.domain.empty() ? "this host alone" : c.domain; };
  row("cookie's SameSite", site(cookie), site(standard));
  row("cookie's domain", domain(cookie), domain(standard));
  row("cookie without TLS", text(cookie.plain_http), text(standard.plain_http));
}
}  // namespace

void Policy::check(SessionStore& store) const { check(store.traits(), store.epochs() != nullptr, store.name()); }

void Policy::check(const StoreTraits& traits, bool has_epochs, const std::string& store_name) const {
  std::string missing;
  for (const auto& d : demands)
    if (store_must.*d.trait && !(traits.*d.trait)) missing += (missing.empty() ? "" : ", ") + std::string(d.words);
  if (!missing.empty())
    throw ConfigError(store_name + ": by Policy::store_must the store must be " + missing +
                      ", which this one is not under its settings; its page in the documentation says what it is");
  if (cap && !has_epochs)
    throw ConfigError(store_name + ": it cannot count a user's sessions; a policy with a cap needs another store");
}

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
  if (cap && cap->most == 0) wrong("cap.most must be at least 1; std::nullopt is no cap");
  if (!store_must.thread_safe || !store_must.linearizable)
    wrong("store_must.thread_safe and store_must.linearizable are what every manager needs, and cannot be given up");
  if (max_session_bytes < 1024) wrong("max_session_bytes must be at least 1024");
  transport.check();
  if (!transport.by_cookie() && cookie != CookieOptions{})
    wrong("cookie says how a cookie is to be, and transport that there is none: leave one of them as it is");
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
  const auto out = [](Outage o) {
    return o == Outage::fail_closed ? "refused" : o == Outage::read_only ? "served if they change nothing" : "served, pages without their session";
  };
  row("requests while the store is out of order", out(outage), out(standard.outage));
  const auto travels = [](const Transport& t) {
    if (t.by_cookie()) return std::string("cookie");
    return fmt::format("{}{}{}, told in {}", t.request_header, t.scheme.empty() ? "" : ": ", t.scheme, t.response_header);
  };
  row("the id travels in", travels(transport), travels(standard.transport));
  if (transport.by_cookie()) describe_cookie(row, cookie);
  row("address checked", text(check_session_addr), text(standard.check_session_addr));
  const auto origin = [](const Policy& p) { return p.transport.by_cookie() ? text(p.origins.has_value()) : "not needed"; };
  row("origin of unsafe requests checked", origin(*this), origin(standard));
  row("unsafe requests must bring JSON", text(json_only), text(standard.json_only));
  row("session ended when an old id comes back", text(end_session_on_replay), text(standard.end_session_on_replay));
  const auto most = [](const std::optional<SessionCap>& c) {
    if (!c) return std::string("any number");
    const auto then = c->at_cap == AtCap::refuse ? "one more is refused" : c->at_cap == AtCap::evict_oldest ? "the oldest gives way" : "the idlest gives way";
    return fmt::format("{}, {}", c->most, then);
  };
  row("sessions of one user", most(cap), most(standard.cap));
  row("the store must be", demanded(store_must), demanded(standard.store_must));
  row("largest session in bytes", std::to_string(max_session_bytes), std::to_string(standard.max_session_bytes));
  return "| limit | value | departs from the default |\n|---|---|---|\n" + rows;
}

}  // namespace sancho
