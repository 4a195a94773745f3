#include "sancho/manager_base.hpp"

#include "base/caught.hpp"
#include "base/coarse_clock.hpp"
#include "session/scope_state.hpp"

namespace sancho {

namespace {

CookieAttributes pre_session_attributes(const CookieOptions& options) {
  auto a = options.attributes();
  // Beside the session's, under the same prefix.
  const auto end = a.name.ends_with("sid") ? a.name.size() - 3 : a.name.size();
  a.name = a.name.substr(0, end) + "pre";
  a.max_age.reset();
  return a;
}

std::vector<PreSessions::Key> pre_session_keys(const Policy& policy, RandomSource& random) {
  if (!policy.pre_session_keys.empty()) return policy.pre_session_keys;
  PreSessions::Key key;
  random.fill(key);
  return {key};
}

protocol::Rules rules_of(const Policy& policy) {
  protocol::Rules rules;
  rules.rotation_grace = policy.rotation_grace;
  rules.keep_ended = policy.keep_ended;
  return rules;
}

Policy checked(Policy policy) {
  policy.check();
  return policy;
}

}  // namespace

ManagerBase::ManagerBase(Policy policy, ManagerOptions options) : policy_(checked(std::move(policy))), options_(options) {
  parts_ = std::make_unique<const Parts>(Parts{
      .cookie = SetCookie(policy_.cookie.attributes()),
      .pre_cookie = SetCookie(pre_session_attributes(policy_.cookie)),
      .proxies = TrustedProxies(policy_.proxies),
      .guard = policy_.origins ? std::optional<OriginGuard>(*policy_.origins) : std::nullopt,
      .pre_sessions = PreSessions(policy_.name_space, pre_session_keys(policy_, options_.random)),
      .rules = rules_of(policy_),
  });
}

ManagerBase::~ManagerBase() = default;

Deadline ManagerBase::deadline() const { return Deadline(coarse_now() + longest_tick + policy_.store_timeout); }

// An observer that throws hears of that once, and blocks nothing (F29).
void ManagerBase::report(EventKind kind, const Handle& handle, std::string_view subject, std::string_view detail) const {
  if (!options_.observer) return;
  Event event{kind, options_.clock.now(), handle, subject, detail};
  const auto failed = [&](std::string_view how) noexcept {
    event.kind = EventKind::observer_failed;
    event.detail = how;
    try {
      options_.observer->on_event(event);
    } catch (...) {
      // It has been told.
    }
  };
  try {
    options_.observer->on_event(event);
  } catch (...) {
    failed(caught());
  }
}

void ManagerBase::report_expired(std::span<const Handle> handles, std::string_view detail) const {
  for (const auto& handle : handles) report(EventKind::expired, handle, {}, detail);
}

protocol::Env ManagerBase::env(const protocol::Rules& rules) const {
  return {policy_.name_space, rules, options_.random, options_.clock.now(), routing()};
}

// Passes what is not to be judged.
OriginVerdict ManagerBase::judge_origin(const Request& request) {
  if (!parts_->guard || !policy_.transport.by_cookie() || is_safe_method(request.method)) return {.pass = true, .reason = OriginReason::safe_method};
  const auto peer = parts_->proxies.resolve(request.peer_address, request.https,
                                            {request.x_forwarded_for, request.x_forwarded_proto, request.forwarded});
  const auto verdict = parts_->guard->check({.method = request.method,
                                             .sec_fetch_site = request.sec_fetch_site,
                                             .origin = request.origin,
                                             .referer = request.referer,
                                             .host = request.host,
                                             .https = peer.https});
  if (verdict.blocked()) report(EventKind::request_refused, {}, {}, to_string(verdict.reason));
  return verdict;
}

bool ManagerBase::origin_allowed(const Request& request) { return judge_origin(request).pass; }

bool ManagerBase::handshake_allowed(const Request& request) {
  if (!parts_->guard && policy_.transport.by_cookie())
    throw UsageError("rule broken: a handshake is judged by its origin, so the policy needs `origins`");
  auto unsafe = request;
  unsafe.method = "POST";
  const auto verdict = judge_origin(unsafe);
  // Whatever `log_only` and `allow_unknown` let pass: no token is asked for behind this.
  const bool unknown = verdict.reason == OriginReason::nothing_known;
  if (unknown) report(EventKind::request_refused, {}, {}, to_string(OriginReason::blocked_nothing_known));
  return !unknown && !verdict.blocked();
}

bool ManagerBase::content_allowed(const Request& request) {
  if (!policy_.json_only || is_safe_method(request.method) || sancho::json_only(request.content_type)) return true;
  report(EventKind::request_refused, {}, {}, "not JSON");
  return false;
}

int ManagerBase::refusal(const Request& request) {
  if (!origin_allowed(request)) return 403;
  return content_allowed(request) ? 0 : 415;
}

}  // namespace sancho
