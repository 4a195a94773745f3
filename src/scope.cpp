// A request's scope: its beginning, what acts at once, and its end.
#include <fmt/format.h>

#include <algorithm>

#include "runner.hpp"
#include "scope_state.hpp"

namespace sancho {

using protocol::Outcome;
using protocol::Saw;
using protocol::operator^;

namespace {
constexpr std::size_t user_agent_kept = 200;
}  // namespace

// ## The beginning

RequestScopeBase::RequestScopeBase(SessionManagerBase& manager, const Request& request)
    : state_(std::make_unique<State>(manager,
                                     manager.parts_->proxies.resolve(request.peer_address, request.https,
                                                                     {request.x_forwarded_for, request.x_forwarded_proto, request.forwarded}),
                                     std::string(request.user_agent.substr(0, user_agent_kept)))) {
  auto& s = *state_;
  const auto& policy = manager.policy();
  if (policy.cookie.plain_http && !s.peer.remote_address.empty() && !is_loopback(s.peer.remote_address))
    throw UsageError("the plain development cookie is for loopback only, and a request came from elsewhere: use CookieOptions{} behind TLS");

  const auto pre = find_cookie(request.cookies, manager.parts_->pre_cookie.attributes().name);
  if (pre.outcome == FoundCookie::Outcome::found) s.pre_session = manager.parts_->pre_sessions.open(pre.value);

  const auto found = find_cookie(request.cookies, policy.cookie.name);
  if (found.outcome == FoundCookie::Outcome::absent) return;
  std::optional<SessionId> id;
  if (found.outcome == FoundCookie::Outcome::found) id = SessionId::parse(found.value);
  if (!id) {
    report(EventKind::cookie_refused, found.outcome == FoundCookie::Outcome::ambiguous ? "more than one" : "not of the right form");
    return;
  }

  auto env = s.env(manager.options_.random, manager.clock().now(), manager.parts_->rules);
  protocol::Begin begin(id);
  try {
    run(begin, env, manager.store(), deadline(manager));
    s.seat = std::move(begin.seat);
  } catch (const StoreError& e) {
    if (begin.seat.hand) {
      // The session was found; that its new id is in use can be noted later.
      report(EventKind::touch_failed, e.what());
      s.seat = std::move(begin.seat);
    } else if (e.kind() == Trouble::corrupt) {
      // No session, and the visitor may log in anew; the record stays.
      s.seat.presented = id;
      report(EventKind::record_corrupt, e.what());
      return;
    } else {
      report(EventKind::store_unavailable, e.what());
      throw;
    }
  }
  if (begin.replayed) {
    report(EventKind::replayed_id);
    if (policy.end_session_on_replay) {
      protocol::LogOut out(env, s.seat.presented, s.seat.hand);
      run(out, env, manager.store(), deadline(manager));
      s.seat.leave();
    }
  } else if (s.seat.saw == Saw::nothing) {
    report(EventKind::unknown_id);
  }
  if (policy.check_session_addr && s.seat.hand &&
      protocol::PayloadView(*s.seat.hand->record).remote_address != s.peer.remote_address) {
    report(EventKind::address_mismatch);
    s.seat.hand.reset();
    s.seat.saw = Saw::nothing;
  }
}

const SessionContext RequestScopeBase::context() const {
  auto& s = *state_;
  const Record* record = s.seat.hand ? &*s.seat.hand->record : nullptr;
  return {const_cast<RequestScopeBase&>(*this), s.manager.clock(), s.manager.options_.random, record, s.peer.remote_address};
}

void RequestScopeBase::adopt(std::unique_ptr<SimpleSession> session) {
  state_->session = std::move(session);
  state_->session->start_request();
}

RequestScopeBase::~RequestScopeBase() {
  if (state_->closed) return;
  if (std::uncaught_exceptions() == 0 && !state_->failed) report(EventKind::unfinished, "rule broken: a request's scope needs finish() or abort() before it goes away");
  close();
}

SimpleSession& RequestScopeBase::session() const { return *state_->session; }
const std::string& RequestScopeBase::remote_address() const { return state_->peer.remote_address; }
bool RequestScopeBase::https() const { return state_->peer.https; }

void RequestScopeBase::report(EventKind kind, std::string_view detail) const {
  const auto& s = *state_;
  const bool known = s.seat.hand && s.seat.hand->record;
  s.manager.report(kind, known ? s.seat.hand->record->handle : s.session ? s.session->id() : Handle{},
                   known ? std::string_view(s.seat.hand->record->subject) : std::string_view{}, detail);
}

protocol::Rules RequestScopeBase::State::rules() const {
  auto rules = manager.parts_->rules;
  if (const auto* with_tokens = dynamic_cast<const Session*>(session.get()))
    rules.max_tokens = std::clamp<std::size_t>(with_tokens->max_form_tokens(), 1, 256);
  return rules;
}

// ## What acts at once

// The session goes on reading the record it was made from, wherever the seat
// is by now.
void RequestScopeBase::move_to(protocol::Hand&& where) {
  auto& s = *state_;
  if (!s.loaded && s.seat.hand) {
    s.loaded = std::move(s.seat.hand->record);
    s.session->record_ = &*s.loaded;
  }
  s.seat.now_at(std::move(where));
}

std::optional<FormClaim> RequestScopeBase::consume(const std::array<std::byte, 16>& token) {
  auto& s = *state_;
  if (s.maintained) throw UsageError("rule broken: a form token is consumed after the request has finished");
  if (!s.seat.hand) {
    report(EventKind::token_refused);
    return std::nullopt;
  }
  const auto rules = s.rules();
  auto env = s.env(s.manager.options_.random, s.manager.clock().now(), rules);
  protocol::Save save(*s.seat.hand, {}, token);
  try {
    run(save, env, s.manager.store(), deadline(s.manager));
  } catch (const StoreError& e) {
    report(EventKind::store_unavailable, e.what());
    throw;
  }
  if (save.merges > 0) s.seat.alone = false;
  const auto attempt = save.attempt;
  const auto outcome = save.outcome;
  if (outcome == Outcome::in_doubt) {
    report(EventKind::store_unavailable, "in doubt");
    throw StoreError(Trouble::in_doubt, s.manager.store().name() + ": it cannot be told whether the form token was consumed by this request", true);
  }
  move_to(std::move(save.hand));
  report(outcome == Outcome::claimed ? EventKind::token_consumed : EventKind::token_refused);
  if (outcome != Outcome::claimed) return std::nullopt;
  return FormClaim(*this, token, attempt, fmt::format("{:016x}", attempt));
}

bool RequestScopeBase::give_back(const std::array<std::byte, 16>& token, std::uint64_t attempt) {
  auto& s = *state_;
  if (s.maintained) throw UsageError("rule broken: a form token is given back after the request has finished");
  if (!s.seat.hand) return false;
  protocol::Delta delta;
  delta.given_back = protocol::Spent{token, attempt};
  const auto rules = s.rules();
  auto env = s.env(s.manager.options_.random, s.manager.clock().now(), rules);
  protocol::Save save(*s.seat.hand, std::move(delta));
  run(save, env, s.manager.store(), deadline(s.manager));
  if (save.merges > 0) s.seat.alone = false;
  const bool kept = save.outcome == Outcome::kept;
  if (auto* session = dynamic_cast<Session*>(s.session.get()); session && kept) std::erase(session->tokens_removed_, token);
  move_to(std::move(save.hand));
  return kept;
}

void RequestScopeBase::expire_session() {
  auto& s = *state_;
  s.session->check_use();
  auto env = s.env(s.manager.options_.random, s.manager.clock().now(), s.manager.parts_->rules);
  protocol::LogOut out(env, s.seat.presented, s.seat.hand);
  run(out, env, s.manager.store(), deadline(s.manager));
  if (s.seat.hand) report(EventKind::logout);
  s.session->blank();
  s.seat.leave();
  s.delete_cookie = s.clear_site_data = s.seat.presented.has_value();
}

void RequestScopeBase::revoke_session_cookie() {
  state_->session->check_use();
  state_->delete_cookie = true;
}

// ## How long ago was the password?

bool RequestScopeBase::is_fresh(std::optional<Duration> max_age) const {
  const auto age = state_->session->get_auth_age();
  return age && *age <= max_age.value_or(state_->manager.policy().freshness);
}

// ## Form secrets

std::optional<CsrfSecret> RequestScopeBase::csrf_secret(bool make) {
  auto& s = *state_;
  if (s.new_secret) return s.new_secret;
  const auto& loaded = s.session->record_;
  // A login has been decided on: the page that is being made is the new identity's.
  const bool other = s.session->user_.subject() != (loaded ? loaded->subject : std::string()) || s.session->reauthenticated_;
  if (other && s.session->user_ && make) {
    s.new_secret.emplace();
    s.manager.options_.random.fill(*s.new_secret);
    return s.new_secret;
  }
  // Where the user has left, the page is a visitor's.
  if (s.seat.hand && !other) {
    const auto masked = protocol::PayloadView(*s.seat.hand->record).csrf;
    if (masked) return *masked ^ protocol::csrf_mask(s.seat.hand->id);
  }
  if (!s.pre_session && make) {
    s.pre_issued = s.manager.parts_->pre_sessions.issue(s.manager.options_.random);
    s.pre_session = s.manager.parts_->pre_sessions.open(*s.pre_issued);
  }
  return s.pre_session;
}

bool RequestScopeBase::csrf_matches(std::string_view token, std::string_view form) {
  auto& s = *state_;
  if (s.seat.hand) {
    const auto masked = protocol::PayloadView(*s.seat.hand->record).csrf;
    if (masked && check_csrf_token(*masked ^ protocol::csrf_mask(s.seat.hand->id), form, token)) return true;
    // A visitor's form may be older than the visitor's session; a user's never is.
    if (!s.seat.hand->record->subject.empty()) return false;
  }
  return s.pre_session && check_csrf_token(*s.pre_session, form, token);
}

// ## The end

void RequestScopeBase::maintain() {
  auto& s = *state_;
  if (s.maintained) return;
  s.session->check_use();
  s.maintained = true;
  const auto before = s.seat.hand ? std::optional<Handle>(s.seat.hand->record->handle) : std::nullopt;
  auto intent = this->intent();
  const auto rules = s.rules();
  auto env = s.env(s.manager.options_.random, s.manager.clock().now(), rules);

  // Nobody is left, and nothing worth keeping: that is a logout.
  if (s.seat.hand && intent.replace && intent.heir.subject.empty() && !intent.has_info) {
    protocol::LogOut out(env, s.seat.presented, s.seat.hand);
    run(out, env, s.manager.store(), deadline(s.manager));
    report(EventKind::logout);
    s.session->blank();
    s.seat.leave();
    s.delete_cookie = s.clear_site_data = s.seat.presented.has_value();
    return;
  }

  const auto reason = intent.replace;
  // Upkeep alone: the access time, an id that was due for renewal.
  const bool upkeep = intent.delta.empty() && !intent.replace && intent.has_info && !s.session->renew_id_;
  protocol::Finish finish(s.seat, std::move(intent));
  try {
    run(finish, env, s.manager.store(), deadline(s.manager));
  } catch (const DecodeError& e) {
    throw StoreError(Trouble::refused, std::string("a slot cannot be merged as its policy says: ") + e.what() + "; nothing was saved");
  } catch (const StoreError& e) {
    // The page was read from the store and is right; upkeep can wait for the
    // next request, which also makes good what was half done.
    report(upkeep ? EventKind::touch_failed : EventKind::store_unavailable, e.what());
    if (!upkeep && finish.decided()) throw StoreError(Trouble::in_doubt, std::string(e.what()) + "; the session had a new id already", true);
    if (!upkeep) throw;
  }
  conclude(finish, reason, before);
}

void RequestScopeBase::conclude(protocol::Finish& done, std::optional<protocol::EndReason> reason, std::optional<Handle> before) {
  auto& s = *state_;
  const auto tell = [&](EventKind kind, std::string_view detail = {}) {
    const auto* record = done.hand && done.hand->record ? &*done.hand->record : nullptr;
    s.manager.report(kind, record ? record->handle : before.value_or(Handle{}), record ? std::string_view(record->subject) : std::string_view{}, detail);
  };
  if (done.merges > 0) tell(EventKind::merged);
  if (done.rotated) tell(EventKind::rotated);
  switch (done.outcome) {
    case Outcome::won:
      if (done.hand->record->subject.empty()) s.manager.report(EventKind::logout, before.value_or(Handle{}), {}, "the session goes on without a user");
      else tell(reason == protocol::EndReason::reauth ? EventKind::reauthenticated : EventKind::login);
      break;
    case Outcome::lost: tell(EventKind::login_lost); break;
    case Outcome::dropped: tell(EventKind::dropped); break;
    case Outcome::emptied: tell(EventKind::emptied); break;
    case Outcome::in_doubt:
      report(EventKind::store_unavailable, "in doubt");
      throw StoreError(Trouble::in_doubt, s.manager.store().name() + ": it cannot be told whether the session was saved", true);
    case Outcome::kept:
      if (done.created) tell(EventKind::created);
      break;
    default: break;
  }
  s.delete_cookie = s.delete_cookie || done.delete_cookie;
  if (done.cookie && (!s.delete_cookie || done.outcome == Outcome::won)) {
    s.delete_cookie = s.clear_site_data = false;
    std::optional<std::chrono::seconds> max_age = s.manager.policy().cookie.max_age;
    if (protocol::PayloadView(*done.hand->record).persistent)
      max_age = std::clamp(std::chrono::floor<std::chrono::seconds>(done.hand->record->ends - s.manager.clock().now()), std::chrono::seconds(1), max_max_age);
    s.lines.push_back({"Set-Cookie", s.manager.parts_->cookie.build(done.cookie->reveal(), max_age)});
  }
  // The pre-session has served when somebody has logged in.
  if (done.outcome == Outcome::won && s.pre_session && !done.hand->record->subject.empty()) {
    s.pre_issued.reset();
    s.lines.push_back({"Set-Cookie", s.manager.parts_->pre_cookie.removal()});
  }
}

void RequestScopeBase::close() {
  state_->closed = state_->maintained = true;
  if (state_->session) state_->session->open_ = false;
}

HeaderLines RequestScopeBase::finish() {
  auto& s = *state_;
  if (s.closed || s.failed) throw UsageError("rule broken: a request is finished twice");
  try {
    maintain();
  } catch (...) {
    // What acted at once still has its header lines: `abort` gives them.
    s.failed = s.maintained = true;
    s.session->open_ = false;
    throw;
  }
  return leave();
}

HeaderLines RequestScopeBase::abort() noexcept {
  if (state_->closed) return {};
  state_->pre_issued.reset();
  return leave();
}

HeaderLines RequestScopeBase::leave() {
  auto& s = *state_;
  if (s.delete_cookie) s.lines.push_back({"Set-Cookie", s.manager.parts_->cookie.removal()});
  if (s.clear_site_data && s.manager.policy().clear_site_data_at_logout)
    s.lines.push_back({"Clear-Site-Data", "\"cache\", \"cookies\", \"storage\""});
  if (s.pre_issued) s.lines.push_back({"Set-Cookie", s.manager.parts_->pre_cookie.build(*s.pre_issued)});
  if (!s.lines.empty()) {
    s.lines.push_back({"Cache-Control", "no-store"});
    s.lines.push_back({"Vary", "Cookie"});
  }
  close();
  return std::move(s.lines);
}

}  // namespace sancho
