#include "protocol/replace.hpp"

#include <algorithm>

#include "protocol/end.hpp"

namespace sancho::protocol {

using Verdict = CommitOne::Verdict;

// ## Rotation

Record Rotate::copy_record(const Env& env) const {
  Record copy = *hand.record;
  copy.state = State::pending;
  copy.accessed = std::max(copy.accessed, env.now);
  return copy;
}

Payload Rotate::copy_payload(const Env& env) const {
  auto copy = unseal(*hand.record);
  apply(copy, delta_, env.rules.max_tokens);
  copy.predecessor = hand.key;
  copy.successor.reset();
  copy.nonce.reset();
  copy.issued = env.now;
  if (copy.csrf) copy.csrf = *copy.csrf ^ csrf_mask(hand.id) ^ csrf_mask(next_.id);
  return copy;
}

// The old record becomes a signpost. It lives as long as the session may, until
// its successor is used: a browser that never saw our answer still holds it.
void Rotate::decide() {
  Record moved = *hand.record;
  moved.state = State::moved;
  const auto before = unseal(*hand.record);
  Payload payload;
  payload.attempts = before.attempts;
  payload.spent = before.spent;
  payload.predecessor = before.predecessor;
  payload.successor = next_.key;
  payload.nonce = nonce_;
  payload.issued = before.issued;
  payload.unknown = before.unknown;
  commit_.emplace(hand.key, *hand.record, std::move(moved), std::move(payload));
}

const Op* Rotate::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  env.random.fill(nonce_);
  next_ = Hand(env, hand.id.successor(nonce_));
  create_.emplace(next_.key, copy_record(env), copy_payload(env));
  SANCHO_RUN(*create_);
  next_.record = std::move(create_->now);
  // Somebody has ended the copy already, who ends this session: no new id then.
  while (next_.pending()) {
    decide();
    SANCHO_RUN(*commit_);
    decided_ = commit_->verdict == Verdict::done;
    if (decided_) break;
    if (commit_->verdict == Verdict::in_doubt) {
      hand.record.reset();
      outcome = Outcome::in_doubt;
      return nullptr;
    }
    if (commit_->verdict == Verdict::conflict && commit_->now->state == State::live) {
      // It changed before the decision: the copy is made anew from it.
      ++merges;
      hand.record = std::move(commit_->now);
      commit_.emplace(next_.key, *next_.record, copy_record(env), copy_payload(env));
      SANCHO_RUN(*commit_);
      next_.record = std::move(commit_->now);
      continue;
    }
    hand.record = std::move(commit_->now);
    SANCHO_ASK((Erase{next_.key, std::nullopt}));
    if (commit_->verdict == Verdict::gone) return nullptr;
    follow_.emplace(std::move(hand), true);
    SANCHO_RUN(*follow_);
    hand = std::move(follow_->hand);
    break;
  }
  if (!decided_) {
    if (delta_.empty()) {
      if (!follow_) {
        SANCHO_ASK(Load{hand.key});
        hand.record.reset();
        if (std::holds_alternative<Found>(answer)) hand.record = std::move(std::get<Found>(answer).record);
      }
      outcome = hand.live() ? Outcome::ok : Outcome::dropped;
      return nullptr;
    }
    save_.emplace(std::move(hand), std::move(delta_));
    SANCHO_RUN(*save_);
    hand = std::move(save_->hand);
    outcome = save_->outcome;
    merges += save_->merges;
    return nullptr;
  }
  rotated = true;
  {
    Record live = *next_.record;
    live.state = State::live;
    auto payload = unseal(*next_.record);
    commit_.emplace(next_.key, *next_.record, std::move(live), std::move(payload));
  }
  SANCHO_RUN(*commit_);
  next_.record = std::move(commit_->now);
  follow_.emplace(std::move(next_), true);
  SANCHO_RUN(*follow_);
  hand = std::move(follow_->hand);
  // Kept by the decision, though the session may have ended since.
  outcome = Outcome::kept;
  SANCHO_END;
}

// ## Login and reauthentication

namespace {
Outcome outcome_of(Refused::Why why) { return why == Refused::Why::at_cap ? Outcome::at_cap : Outcome::lost; }
}  // namespace

// Nobody holds its id yet. Should this request not come to its end, it is gone
// when no request of its time can be under way.
Record Replace::candidate(const Env& env) const {
  Record candidate = heir_.record;
  candidate.state = State::pending;
  candidate.ends = std::min(candidate.ends, env.now + env.rules.keep_ended);
  return candidate;
}

const Op* Replace::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  next_.emplace(env, env.draw_id(heir_.record.subject));
  heir_.mask_for(next_->id);
  heir_.payload.predecessor = hand.key;
  enter_.emplace(next_->key, candidate(env), std::move(heir_.payload), terms_);
  SANCHO_RUN(*enter_);
  if (enter_->refused) {
    outcome = outcome_of(*enter_->refused);
    return nullptr;
  }
  next_->record = std::move(enter_->now);
  // Ended as soon as it was made, with all of its user's.
  if (!next_->pending()) return nullptr;
  while (true) {
    {
      auto t = tombstone(env, *hand.record, why_, next_->key);
      commit_.emplace(hand.key, *hand.record, std::move(t.record), std::move(t.payload));
    }
    SANCHO_RUN(*commit_);
    if (commit_->verdict == Verdict::done) break;
    if (commit_->verdict == Verdict::in_doubt) {
      outcome = Outcome::in_doubt;
      return nullptr;
    }
    if (commit_->verdict == Verdict::conflict) {
      hand.record = std::move(commit_->now);
      follow_.emplace(std::move(hand), true);
      SANCHO_RUN(*follow_);
      hand = std::move(follow_->hand);
    } else {
      hand.record.reset();
    }
    // Another request has ended it for being empty: nobody's identity stands
    // against this login, so it is one from nothing, decided by its activation.
    if (why_ == EndReason::login && hand.ended() && PayloadView(*hand.record).why == EndReason::empty) break;
    if (!hand.live()) {
      SANCHO_ASK((Erase{next_->key, std::nullopt}));
      return nullptr;
    }
    // The old id moved on: the heir names its new predecessor. What it holds
    // stays what this request saw.
    if (PayloadView(*next_->record).predecessor != hand.key) {
      {
        auto payload = unseal(*next_->record);
        payload.predecessor = hand.key;
        commit_.emplace(next_->key, *next_->record, *next_->record, std::move(payload));
      }
      SANCHO_RUN(*commit_);
      if (commit_->verdict != Verdict::done) return nullptr;
      next_->record = std::move(commit_->now);
    }
  }
  decided = true;
  {
    Record live = *next_->record;
    live.state = State::live;
    live.ends = heir_.record.ends;
    auto payload = unseal(*next_->record);
    // Its predecessor is a tombstone: there is no grace to start.
    payload.predecessor.reset();
    commit_.emplace(next_->key, *next_->record, std::move(live), std::move(payload));
  }
  SANCHO_RUN(*commit_);
  next_->record = std::move(commit_->now);
  if (!next_->live()) return nullptr;
  outcome = Outcome::won;
  opened = std::move(next_);
  SANCHO_END;
}

// ## Out of nothing

const Op* Fresh::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  id_ = env.draw_id(heir_.record.subject);
  heir_.mask_for(*id_);
  heir_.record.state = State::live;
  enter_.emplace(env.key_of(*id_), std::move(heir_.record), std::move(heir_.payload), terms_);
  SANCHO_RUN(*enter_);
  if (enter_->refused) {
    outcome = outcome_of(*enter_->refused);
    return nullptr;
  }
  if (!enter_->done) throw StoreError(Trouble::refused, "a new session was not taken by the store");
  opened.emplace(*id_, enter_->key(), std::move(enter_->now));
  // One that was ended as soon as it was made, with all of its user's.
  if (opened->live()) outcome = Outcome::won;
  SANCHO_END;
}

}  // namespace sancho::protocol
