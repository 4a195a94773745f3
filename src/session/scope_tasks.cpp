// What a request asks of its store at its beginning, and what acts at once.
#include "session/scope_tasks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "session/revocation.hpp"
#include "session/runner.hpp"

namespace sancho {

using protocol::Outcome;
using protocol::Saw;

// ## The beginning

namespace {
// Nobody has said whether there is a session. What the store will not do for us
// at all (*refused*) is no outage and must not look like one.
bool may_be_served_without(const StoreError& e, const Policy& policy, bool safe) {
  const bool silent = e.kind() != Trouble::refused && e.kind() != Trouble::corrupt;
  return policy.outage == Outage::anonymous_pages && silent && safe;
}
}  // namespace

bool ScopeBase::Entering::FirstLook::due() {
  const auto& arrival = s_.arrival;
  if (arrival.from_elsewhere)
    throw UsageError(
        "the plain development cookie is for loopback only, and a request came from elsewhere: use CookieOptions{} "
        "behind TLS");
  const bool by_cookie = s_.manager.policy().transport.by_cookie();
  if (arrival.id_refused)
    scope_.report(by_cookie ? EventKind::cookie_refused : EventKind::header_refused, arrival.id_refused);
  return arrival.id.has_value();
}

const SessionKey& ScopeBase::Entering::FirstLook::key() {
  const auto& arrival = s_.arrival;
  s_.seat.hand.emplace(*arrival.id, arrival.key, std::move(s_.room.record));
  return arrival.key;  // who reads the hand's own has to wait for its copy
}

bool ScopeBase::Entering::FirstLook::looked(bool found) {
  auto& record = place();
  if (found && record.state == sancho::State::live)
    s_.straight = protocol::opens_at_once(record, s_.payload.emplace(record));
  if (s_.straight) {
    s_.seat.presented = s_.arrival.id;
    s_.seat.saw = Saw::session;
    return true;
  }
  met_ = found ? protocol::Answer(protocol::Found{std::move(record)}) : protocol::Answer(Absent{});
  s_.seat.hand.reset();
  return false;
}

// Is it used from where it was made?
void ScopeBase::Entering::FirstLook::settle() {
  if (!s_.manager.policy().check_session_addr || !s_.seat.hand) return;
  if (s_.payload->remote_address == s_.arrival.peer.remote_address) return;
  scope_.report(EventKind::address_mismatch);
  s_.straight = false;
  s_.seat.hand.reset();
  s_.seat.saw = Saw::nothing;
}

bool ScopeBase::Entering::more() {
  if (without_) return false;
  if (out_) return s_.seat.leave(), false;
  return settle();
}

bool ScopeBase::Entering::settle() {
  if (!s_.straight) {
    s_.seat = std::move(begin_->seat);
    if (s_.seat.hand) s_.payload.emplace(*s_.seat.hand->record);
  }
  if (begin_ && begin_->replayed) {
    scope_.report(EventKind::replayed_id);
    if (s_.manager.policy().end_session_on_replay) {
      out_.emplace(env(), s_.seat.presented, s_.seat.hand);
      return true;
    }
  } else if (s_.seat.saw == Saw::nothing) {
    scope_.report(EventKind::unknown_id);
  }
  look_.settle();
  return false;
}

const protocol::Op* ScopeBase::Entering::resume(protocol::Answer& answer) {
  if (out_) return out_->resume(env(), answer);
  if (!begin_) {
    begin_.emplace(s_.arrival.id);
    if (look_.met_) {
      // The machine's first question, which has been answered.
      begin_->resume(env(), answer);
      answer = std::move(*look_.met_);
    }
  }
  return begin_->resume(env(), answer);
}

// A task is large, and its parts far from one another: it is made where one is needed.
void ScopeBase::Entering::carry_out_with(SessionStore& store, ScopeBase& scope) {
  FirstLook look(scope);
  if (!look.due()) return;
  try {
    const auto until = look.until();
    if (look.looked(store.load_into(look.key(), look.place(), until))) return look.settle();
  } catch (const StoreError& e) {
    return go_in(store, scope, look, &e);
  }
  go_in(store, scope, look, nullptr);
}

[[gnu::noinline]] void ScopeBase::Entering::go_in(SessionStore& store, ScopeBase& scope, FirstLook& look, const StoreError* trouble) {
  Entering entering(scope, std::move(look));
  if (trouble) entering.failed(*trouble);
  if (!trouble || entering.more()) carry_on(entering, store);
}

void ScopeBase::Entering::failed(const StoreError& e) {
  if (out_) throw;
  if (begin_ && begin_->seat.hand) {
    // The session was found; that its new id is in use can be noted later.
    scope_.note_trouble(e);
    scope_.report(EventKind::touch_failed, e.what());
    return;
  }
  without_ = true;
  if (!begin_) s_.seat.hand.reset();
  if (e.kind() == Trouble::corrupt) {
    // No session, and the visitor may log in anew; the record stays.
    s_.seat.presented = s_.arrival.id;
    scope_.report(EventKind::record_corrupt, e.what());
  } else if (may_be_served_without(e, s_.manager.policy(), s_.arrival.safe)) {
    s_.blind = true;
    scope_.report(EventKind::served_anonymous, e.what());
  } else {
    scope_.report(EventKind::store_unavailable, e.what());
    throw;
  }
}

// ## Form tokens

ScopeBase::Consuming::Digest ScopeBase::Consuming::digest(std::string_view token) { return Session::digest(token); }

bool ScopeBase::Consuming::more() {
  if (!first()) return settle(), false;
  const auto held = s_.session->use();
  session_ = s_.session->full_;
  if (!session_) throw UsageError("rule broken: a SimpleSession has no form tokens");
  // Made by this very request: nobody else can have it yet.
  if (session_->made_here(token_))
    throw UsageError("rule broken: a form token is consumed by the request that made it");
  scope_.must_have_read("no form token can be consumed");
  if (s_.maintained) throw UsageError("rule broken: a form token is consumed after the request has finished");
  if (!s_.seat.hand) {
    scope_.report(EventKind::token_refused);
    session_->take_out(token_);
    return false;
  }
  save_.emplace(*s_.seat.hand, protocol::Delta{}, token_);
  return true;
}

const protocol::Op* ScopeBase::Consuming::resume(protocol::Answer& answer) { return save_->resume(env(), answer); }

void ScopeBase::Consuming::failed(const StoreError& e) {
  scope_.note_trouble(e);
  scope_.report(EventKind::store_unavailable, e.what());
  if (const auto* what = done_already()) throw in_doubt_after(e, what);
  throw;
}

void ScopeBase::Consuming::settle() {
  if (save_->merges > 0) s_.seat.alone = false;
  const auto outcome = save_->outcome;
  if (outcome == Outcome::in_doubt) {
    scope_.report(EventKind::store_unavailable, "in doubt");
    throw StoreError(
        Trouble::in_doubt,
        s_.manager.store_name() + ": it cannot be told whether the form token was consumed by this request", true);
  }
  scope_.move_to(std::move(save_->hand));
  scope_.report(outcome == Outcome::claimed ? EventKind::token_consumed : EventKind::token_refused);
  if (outcome == Outcome::claimed)
    claim_ = FormClaim(scope_, token_, save_->attempt, fmt::format("{:016x}", save_->attempt));
  session_->take_out(token_);
}

ScopeBase::GivingBack::GivingBack(ScopeBase& scope, const FormClaim& claim)
    : Task(scope), token_(claim.token_), attempt_(claim.attempt_) {}

const protocol::Op* ScopeBase::GivingBack::resume(protocol::Answer& answer) { return save_->resume(env(), answer); }

bool ScopeBase::GivingBack::more() {
  if (first()) {
    if (s_.maintained) throw UsageError("rule broken: a form token is given back after the request has finished");
    const auto held = s_.session->use();
    if (!s_.seat.hand) return false;
    protocol::Delta delta;
    delta.given_back = protocol::Spent{token_, attempt_};
    save_.emplace(*s_.seat.hand, std::move(delta));
    return true;
  }
  if (save_->merges > 0) s_.seat.alone = false;
  kept_ = save_->outcome == Outcome::kept;
  if (auto* session = s_.session->full_; session && kept_)
    std::erase(session->tokens_removed_, token_);
  scope_.move_to(std::move(save_->hand));
  return false;
}

// ## Logging out

bool ScopeBase::LoggingOut::more() {
  if (first()) {
    const auto held = s_.session->use();
    scope_.must_have_read("it cannot be ended");
    out_.emplace(env(), s_.seat.presented, s_.seat.hand);
    return true;
  }
  if (s_.seat.hand) scope_.report(EventKind::logout);
  scope_.logged_out();
  return false;
}

const protocol::Op* ScopeBase::LoggingOut::resume(protocol::Answer& answer) { return out_->resume(env(), answer); }

void ScopeBase::LoggingOut::failed(const StoreError& e) {
  if (const auto* what = done_already()) throw in_doubt_after(e, what);
  throw;
}

// ## Logging in

bool ScopeBase::Announcing::more() {
  if (first()) {
    const auto held = s_.session->use();
    if (subject_.empty() || !s_.manager.has_epochs()) return false;
    epochs_.emplace(protocol::AskEpochs{subject_});
    return true;
  }
  s_.login_begun = {std::move(subject_), epochs_->answer<EpochsSeen>()};
  return false;
}

void ScopeBase::Announcing::failed(const StoreError& e) {
  scope_.report(EventKind::store_unavailable, e.what());
  throw;
}

// ## The other sessions of a request's user

bool ScopeBase::Listing::more() {
  if (!first()) return settle(), false;
  const auto held = s_.session->use();
  auto subject = scope_.acting_for();
  if (subject.empty()) return false;
  s_.manager.must_find_by_subject();
  find_.emplace(protocol::Find{std::move(subject)});
  return true;
}

void ScopeBase::Listing::settle() {
  const auto found = std::move(find_->answer<protocol::Sessions>().found);
  const auto own = scope_.own_handle();
  for (const auto* each : one_each(found)) {
    const auto& record = *each;
    try {
      const protocol::PayloadView p(record);
      all_.push_back({record.handle, record.created, record.accessed, std::string(p.remote_address),
                      std::string(p.user_agent), record.handle == own});
    } catch (const StoreError& e) {
      scope_.report(EventKind::record_corrupt, e.what());
    }
  }
  std::sort(all_.begin(), all_.end(),
            [](const SessionInfo& a, const SessionInfo& b) { return a.accessed > b.accessed; });
}

}  // namespace sancho
