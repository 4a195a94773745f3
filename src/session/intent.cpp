// What a session wants at the end of its request: decided here, without a word
// to the store.
#include <algorithm>

#include "session/scope_state.hpp"

namespace sancho {

using protocol::Delta;
using protocol::Intent;
using protocol::Payload;

namespace {
// What the session will hold, as far as this request knows; one that is too
// large already may still shrink.
bool too_large(const Intent& intent, const Record* record, const protocol::PayloadView* loaded, std::string_view user, std::size_t most) {
  // A reader changes no size; it need not be worked out.
  if (record && !intent.replace && intent.delta.slots.empty() && !intent.delta.user) return false;
  std::size_t size = user.size();
  if (record && !intent.replace) size += record->payload.size() - loaded->user.size();
  else if (intent.heir) for (const auto& slot : intent.heir->payload.slots) size += slot.name.size() + slot.value.size();
  for (const auto& change : intent.delta.slots) {
    size += change.name.size() + change.mine.size();
    if (!change.base.empty()) size -= change.name.size() + change.base.size();
  }
  return size > most && (!record || size > record->payload.size());
}
}  // namespace

// Most requests. `Finish` with what `put_intent` would say of such a one asks nothing,
// and comes out where it went in.
bool ScopeBase::is_idle() {
  auto& s = *state_;
  if (s.blind || (s.seat.hand && !s.straight)) return false;
  auto& simple = *s.session;
  if (simple.user_set_ || simple.reauthenticated_ || simple.renew_id_) return false;
  if (auto* session = simple.full_) {
    session->write_back();
    if (!session->edits_.empty() || !session->tokens_made_.empty() || !session->tokens_removed_.empty()) return false;
  }
  // A visitor who leaves nothing.
  if (!s.seat.hand) return !simple.record_ && !simple.has_user();
  if (!simple.record_ || !simple.has_info()) return false;
  const auto& policy = s.manager.policy();
  auto due = simple.accessed_ + policy.access_time_resolution + Duration(1);
  if (policy.renewal) due = std::min(due, simple.issued_ + *policy.renewal);
  return !s.manager.clock().passed(due);
}

void ScopeBase::put_intent(Intent& intent, Time now) {
  auto& s = *state_;
  auto& simple = *s.session;
  auto* session = simple.full_;
  const auto& policy = s.manager.policy();
  const auto* record = simple.record_;
  const std::string_view before = record ? std::string_view(record->subject) : std::string_view();

  if (session) session->write_back();
  intent.has_info = simple.has_info();

  // ## Who is there now?
  const bool changed = simple.subject() != before;
  const bool again = simple.reauthenticated_ && simple.has_user() && record;
  if (changed) intent.replace = protocol::EndReason::login;
  else if (again) intent.replace = protocol::EndReason::reauth;

  // ## What did it change?
  Delta& delta = intent.delta;
  if (session) {
    for (const auto& edit : session->edits_) {
      const auto base = session->loaded_bytes(edit.name).value_or(std::string_view{});
      if (base == edit.bytes) continue;
      delta.slots.push_back({edit.name, std::string(base), edit.bytes, edit.merge});
    }
    delta.tokens_made = session->tokens_made_;
    delta.tokens_removed = session->tokens_removed_;
  }
  if (simple.user_set_ && !changed && record && simple.user_ && simple.user_.value_ != simple.payload_->user) delta.user = simple.user_.value_;

  // ## What would a new session be?
  //
  // For a visitor, for a login, and for what is written into a session that
  // turns out to have ended for being empty.
  if (intent.replace || !s.seat.hand || (before.empty() && delta.adds())) prepare_heir(intent, now);
  if (too_large(intent, record, simple.payload_, simple.user_bytes(), policy.max_session_bytes))
    throw StoreError(Trouble::full, "a session would be larger than Policy::max_session_bytes; nothing was saved");
  // The user has left, and what remains was the user's: that is a logout.
  if (changed && !simple.has_user() && (!intent.heir || intent.heir->payload.slots.empty()) && !delta.adds()) intent.has_info = false;

  // ## On what terms?
  if (intent.replace == protocol::EndReason::login && simple.has_user() && s.manager.has_epochs()) {
    auto& terms = intent.terms.emplace();
    if (policy.cap) terms.cap = policy.cap->most, terms.at_cap = policy.cap->at_cap;
    if (s.login_begun && s.login_begun->subject == intent.heir->record.subject) terms.seen = s.login_begun->seen;
  }

  // ## What is due?
  if (!intent.replace && s.seat.hand) {
    // The record it was made from has been read already.
    const auto& seated = *s.seat.hand->record;
    const auto issued = &seated == record ? simple.issued_ : protocol::PayloadView(seated).issued;
    intent.rotate = simple.renew_id_ || (policy.renewal && now - issued >= *policy.renewal);
    intent.touch = simple.set_access_time(policy.access_time_resolution, now);
  }
}

void ScopeBase::prepare_heir(Intent& intent, Time now) {
  auto& s = *state_;
  const auto& simple = *s.session;
  const auto* session = simple.full_;
  const auto& policy = s.manager.policy();
  const auto* record = simple.record_;
  auto& [heir, payload, secret] = intent.heir.emplace();
  const bool same = intent.replace == protocol::EndReason::reauth;
  // To be kept logged in is said for one user, and not inherited by the next.
  const bool keep = simple.persistent_ && (same || !intent.replace || simple.keep_said_);
  const auto& limits = keep ? policy.keep_logged_in : policy.limits;
  heir.created = same ? record->created : now;
  heir.accessed = now;
  heir.idle = limits.idle;
  heir.ends = now + limits.absolute;
  heir.subject = simple.subject();
  heir.handle = same ? record->handle : Handle::draw(s.manager.options_.random);
  payload.issued = now;
  payload.persistent = keep;
  payload.remote_address = s.arrival.peer.remote_address;
  payload.user_agent = s.arrival.user_agent();
  payload.user = simple.user_bytes();
  if (simple.has_user()) payload.authenticated = now;
  secret = s.new_secret;
  if (!secret) s.manager.options_.random.fill(payload.csrf.emplace());
  if (record && intent.replace) {
    auto slots = protocol::unseal(*record).slots;
    // One user's slots are never another's.
    const auto stays = [&](const protocol::SlotBytes& slot) {
      if (same || slot.name == "_flash") return true;
      if (!record->subject.empty()) return false;
      if (const auto* declared = session ? session->declared(slot.name) : nullptr) return declared->options().carry_at_login;
      return std::find(policy.carry_at_login.begin(), policy.carry_at_login.end(), slot.name) != policy.carry_at_login.end();
    };
    std::erase_if(slots, [&](const auto& slot) { return !stays(slot); });
    payload.slots = std::move(slots);
    // What was left behind is no base for what this request wrote.
    for (auto& change : intent.delta.slots) {
      const auto* kept = payload.find(change.name);
      change.base = kept ? kept->value : std::string();
    }
  }
}

}  // namespace sancho
