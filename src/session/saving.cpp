// The end of a request, as a task.
#include <algorithm>

#include "session/runner.hpp"
#include "session/scope_tasks.hpp"

namespace sancho {

using protocol::Outcome;

bool ScopeBase::Saving::more() {
  if (first()) return begin();
  settle();
  return false;
}

bool ScopeBase::Saving::is_needless(ScopeBase& scope) {
  auto& s = *scope.state_;
  if (s.maintained) return true;
  const auto held = s.session->use();
  s.maintained = true;  // it is over also where a slot cannot be written
  const bool idle = scope.is_idle();
  if (idle) s.ended_in_seat = s.seat.hand.has_value();
  else s.maintained = false;
  return idle;
}

void ScopeBase::Saving::carry_out_with(SessionStore& store, ScopeBase& scope) {
  if (!is_needless(scope)) save(store, scope);
}

// Not in the frame of who finds that it needs none.
[[gnu::noinline]] void ScopeBase::Saving::save(SessionStore& store, ScopeBase& scope) {
  Saving saving(scope);
  carry_out(saving, store);
}

bool ScopeBase::Saving::begin() {
  const auto held = s_.session->use();
  s_.maintained = true;
  if (s_.seat.hand) before_ = s_.seat.hand->record->handle;
  auto& intent = intent_.emplace();
  scope_.put_intent(intent, env().now);
  if (s_.blind) {
    if (intent.replace || !intent.delta.empty() || s_.session->renew_id_) {
      scope_.report(EventKind::store_unavailable, "a page without its session was to be saved");
      scope_.must_have_read("nothing was saved");
    }
    return false;
  }
  upkeep_ = scope_.is_upkeep(intent);
  if (upkeep_ && s_.manager.policy().outage != Outage::fail_closed && !scope_.can_write()) scope_.spare_upkeep(intent);

  // Nobody is left, and nothing worth keeping: that is a logout.
  if (s_.seat.hand && intent.replace && intent.heir->record.subject.empty() && !intent.has_info) {
    out_.emplace(env(), s_.seat.presented, s_.seat.hand);
    return true;
  }
  reason_ = intent.replace;
  return true;
}

const protocol::Op* ScopeBase::Saving::resume(protocol::Answer& answer) {
  if (out_) return out_->resume(env(), answer);
  try {
    return go_on(answer);
  } catch (const DecodeError& e) {
    unmergeable_ = true;
    throw StoreError(Trouble::refused, std::string("a slot cannot be merged as its policy says: ") + e.what() + "; nothing was saved");
  }
}

protocol::Finish& ScopeBase::Saving::to_finish(std::optional<protocol::Amendment>&& first) {
  return finish_.emplace(s_.seat, *std::move(intent_), std::move(first));
}

// `Finish`, or the short way.
const protocol::Op* ScopeBase::Saving::go_on(protocol::Answer& answer) {
  if (finish_) return finish_->resume(env(), answer);
  if (!only_commit_) {
    auto first = s_.straight ? protocol::first_commit(env(), s_.seat, *s_.payload, *intent_) : std::nullopt;
    if (!first) return to_finish().resume(env(), answer);
    const auto& hand = *s_.seat.hand;
    attempt_ = first->attempt;
    return &only_commit_.emplace(std::in_place_type<protocol::Commit>, hand.key, hand.record->version, std::move(first->record));
  }
  if ((kept_ = std::holds_alternative<Done>(answer))) return nullptr;
  // What it asks first has been answered.
  protocol::Amendment first{std::move(std::get<protocol::Commit>(*only_commit_).record), attempt_};
  to_finish(std::move(first));
  protocol::Answer none;
  finish_->resume(env(), none);
  return finish_->resume(env(), answer);
}

const char* ScopeBase::Saving::done_already() const {
  if (out_) return out_->begun() ? LoggingOut::half : nullptr;
  return finish_ && finish_->decided() ? "it was decided already" : nullptr;
}

void ScopeBase::Saving::failed(const StoreError& e) {
  if (unmergeable_) throw;
  if (!out_) {
    tell_evicted();
    scope_.note_trouble(e);
    scope_.report(upkeep_ ? EventKind::touch_failed : EventKind::store_unavailable, e.what());
    // The page was read from the store and is right; upkeep can wait for the
    // next request, which also makes good what was half done.
    if (upkeep_) {
      s_.ended_in = s_.seat.hand;
      return;
    }
  }
  if (const auto* what = done_already()) throw in_doubt_after(e, what);
  throw;
}

void ScopeBase::Saving::tell_evicted() {
  if (!finish_) return;  // it has not come to that
  for (const auto& handle : finish_->evicted()) s_.manager.report(EventKind::revoked, handle, s_.session->subject(), "over the cap");
}

void ScopeBase::Saving::settle() {
  if (out_) {
    scope_.report(EventKind::logout);
    return scope_.logged_out();
  }
  if (kept_) {
    s_.ended_in_seat = true;
    return;
  }
  if (!finish_) return;  // upkeep that failed at once
  tell_evicted();
  if (upkeep_ && finish_->outcome == Outcome::in_doubt) {
    s_.ended_in = s_.seat.hand;
    return scope_.report(EventKind::touch_failed, "in doubt");
  }
  scope_.conclude(*finish_, reason_, before_);
  if (!s_.ended_in) s_.ended_in = std::move(finish_->hand);
}

void ScopeBase::conclude(protocol::Finish& done, std::optional<protocol::EndReason> reason, std::optional<Handle> before) {
  auto& s = *state_;
  const auto tell = [&](EventKind kind, std::string_view detail = {}) {
    const auto* record = done.hand && done.hand->record ? &*done.hand->record : nullptr;
    s.manager.report(kind, record ? record->handle : before.value_or(Handle{}), record ? std::string_view(record->subject) : std::string_view{}, detail);
  };
  if (done.merges > 0) tell(EventKind::merged);
  if (done.rotated) tell(EventKind::rotated);
  switch (done.outcome) {
    case Outcome::won:
      s.login = LoginOutcome::won;
      if (done.hand->record->subject.empty()) s.manager.report(EventKind::logout, before.value_or(Handle{}), {}, "the session goes on without a user");
      else tell(reason == protocol::EndReason::reauth ? EventKind::reauthenticated : EventKind::login);
      break;
    case Outcome::lost:
      s.login = LoginOutcome::lost;
      tell(EventKind::login_lost);
      break;
    case Outcome::at_cap:
      s.login = LoginOutcome::at_cap;
      tell(EventKind::login_refused, "at the cap");
      break;
    case Outcome::dropped: tell(EventKind::dropped); break;
    case Outcome::emptied: tell(EventKind::emptied); break;
    case Outcome::in_doubt:
      report(EventKind::store_unavailable, "in doubt");
      throw StoreError(Trouble::in_doubt, s.manager.store_name() + ": it cannot be told whether the session was saved", true);
    case Outcome::kept:
      if (done.created) tell(EventKind::created);
      break;
    default: break;
  }
  s.delete_cookie = s.delete_cookie || done.delete_cookie;
  if (done.cookie && (!s.delete_cookie || done.outcome == Outcome::won)) {
    s.delete_cookie = s.clear_site_data = false;
    std::optional<std::chrono::seconds> max_age = s.manager.policy().cookie.max_age;
    // One that was made here is kept only where its session said so.
    const bool may_be_kept = !done.created || s.session->persistent_;
    if (may_be_kept && protocol::PayloadView(*done.hand->record).persistent)
      max_age = std::clamp(std::chrono::floor<std::chrono::seconds>(done.hand->record->ends - s.manager.clock().now()), std::chrono::seconds(1), max_max_age);
    s.add_line(telling(*done.cookie, s.manager.policy().transport, s.manager.parts_->cookie, max_age));
  }
  // The pre-session has served when somebody has logged in.
  if (done.outcome == Outcome::won && s.pre_session && !done.hand->record->subject.empty()) {
    s.pre_issued.reset();
    s.add_line({"Set-Cookie", s.manager.parts_->pre_cookie.removal()});
  }
}

}  // namespace sancho
