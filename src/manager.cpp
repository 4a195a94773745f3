#include "sancho/manager.hpp"

#include "runner.hpp"
#include "scope_state.hpp"

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

SessionManagerBase::SessionManagerBase(std::shared_ptr<SessionStore> store, Policy policy, ManagerOptions options)
    : store_(std::move(store)), policy_(checked(std::move(policy))), options_(options) {
  if (!store_) throw ConfigError("a session manager needs a store");
  if (!store_->traits().thread_safe || !store_->traits().linearizable)
    throw ConfigError(store_->name() + ": a session manager needs a store that is thread safe and linearizable");
  parts_ = std::make_unique<const Parts>(Parts{
      .cookie = SetCookie(policy_.cookie.attributes()),
      .pre_cookie = SetCookie(pre_session_attributes(policy_.cookie)),
      .proxies = TrustedProxies(policy_.proxies),
      .guard = policy_.origins ? std::optional<OriginGuard>(*policy_.origins) : std::nullopt,
      .pre_sessions = PreSessions(policy_.name_space, pre_session_keys(policy_, options_.random)),
      .rules = rules_of(policy_),
  });
}

SessionManagerBase::~SessionManagerBase() = default;

// An observer that throws hears of that once, and blocks nothing (F29).
void SessionManagerBase::report(EventKind kind, const Handle& handle, std::string_view subject, std::string_view detail) const {
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
  } catch (const std::exception& e) {
    failed(e.what());
  } catch (...) {
    failed("it threw something that is no std::exception");
  }
}

void SessionManagerBase::maintain_session(RequestScopeBase& scope) { scope.maintain(); }

bool SessionManagerBase::has_session_cookie(const Request& request, bool must_exist) {
  const auto found = find_cookie(request.cookies, policy_.cookie.name);
  if (found.outcome != FoundCookie::Outcome::found) return false;
  auto id = SessionId::parse(found.value);
  if (!id || !must_exist) return id.has_value();
  protocol::Begin begin(std::move(id));
  protocol::Env env{policy_.name_space, parts_->rules, options_.random, options_.clock.now()};
  try {
    run(begin, env, *store_, Deadline::after(policy_.store_timeout));
  } catch (const StoreError& e) {
    if (e.kind() == Trouble::corrupt) return false;
    throw;
  }
  return begin.seat.hand.has_value();
}

bool SessionManagerBase::origin_allowed(const Request& request) {
  if (!parts_->guard) return true;
  const auto peer = parts_->proxies.resolve(request.peer_address, request.https,
                                            {request.x_forwarded_for, request.x_forwarded_proto, request.forwarded});
  const auto verdict = parts_->guard->check({.method = request.method,
                                             .sec_fetch_site = request.sec_fetch_site,
                                             .origin = request.origin,
                                             .referer = request.referer,
                                             .host = request.host,
                                             .https = peer.https});
  if (verdict.blocked()) report(EventKind::request_refused, {}, {}, to_string(verdict.reason));
  return verdict.pass;
}

bool SessionManagerBase::sweep(std::size_t budget) {
  const auto swept = store_->sweep({.budget = budget}, Deadline::after(policy_.store_timeout));
  for (const auto& handle : swept.handles) report(EventKind::expired, handle, {}, {});
  return swept.more;
}

std::size_t SessionManagerBase::delete_old_sessions(Duration age) {
  return sancho::delete_old_sessions(*store_, age, options_.clock.now(), Deadline::after(policy_.store_timeout),
                                     [&](const Handle& handle) { report(EventKind::expired, handle, {}, "not accessed for long"); });
}

}  // namespace sancho
