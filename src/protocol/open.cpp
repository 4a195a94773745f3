#include "protocol/open.hpp"

namespace sancho::protocol {

bool names(const Record& predecessor, const SessionKey& key) {
  const PayloadView p(predecessor);
  if (p.successor != key) return false;
  if (predecessor.state == State::moved) return true;
  return predecessor.state == State::ended && (p.why == EndReason::login || p.why == EndReason::reauth);
}

namespace {
// The record found, if it answers the question.
const Record* found(const Answer& answer) {
  const auto* f = std::get_if<Found>(&answer);
  return f ? &f->record : nullptr;
}
}  // namespace

const Op* Settle::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  if (record->state != State::pending) return nullptr;
  if (!named_) {
    if (!PayloadView(*record).predecessor) {
      record.reset();
      return nullptr;
    }
    SANCHO_ASK(Load{*PayloadView(*record).predecessor});
    if (!found(answer) || !names(*found(answer), key_)) {
      SANCHO_ASK(Load{key_});
      record.reset();
      if (found(answer) && found(answer)->state != State::pending) record = *found(answer);
      return nullptr;
    }
  }
  {
    Record live = *record;
    live.state = State::live;
    activate_.emplace(key_, *record, std::move(live), unseal(*record));
  }
  SANCHO_RUN(*activate_);
  record = std::move(activate_->now);
  SANCHO_END;
}

const Op* Follow::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  while (hand.moved()) {
    {
      const PayloadView moved(*hand.record);
      if (!moved.nonce) throw StoreError(Trouble::corrupt, "a moved record leads nowhere");
      if (!begun_ && moved.used && env.now >= *moved.used + env.rules.rotation_grace) {
        replayed = true;
        hand.record.reset();
        return nullptr;
      }
      hand = Hand(env, hand.id.successor(*moved.nonce));
    }
    SANCHO_ASK(Load{hand.key});
    if (!std::holds_alternative<Found>(answer)) return nullptr;
    settle_.emplace(hand.key, std::move(std::get<Found>(answer).record), true);
    SANCHO_RUN(*settle_);
    hand.record = std::move(settle_->record);
  }
  SANCHO_END;
}

const Op* Open::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  SANCHO_ASK(Load{hand.key});
  if (!std::holds_alternative<Found>(answer)) return nullptr;
  hand.record = std::move(std::get<Found>(answer).record);
  if (hand.record->state == State::pending) {
    settle_.emplace(hand.key, std::move(*hand.record), false);
    SANCHO_RUN(*settle_);
    hand.record = std::move(settle_->record);
  }
  if (hand.moved()) {
    follow_.emplace(std::move(hand), false);
    SANCHO_RUN(*follow_);
    hand = std::move(follow_->hand);
    replayed = follow_->replayed;
  }
  // A note is no session, whatever led here.
  if (hand.record && !hand.live() && !hand.ended()) hand.record.reset();
  SANCHO_END;
}

const Op* FirstUse::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  predecessor_ = *PayloadView(*hand.record).predecessor;
  SANCHO_ASK(Load{predecessor_});
  if (found(answer) && found(answer)->state == State::moved && !PayloadView(*found(answer)).used) {
    {
      Record used = *found(answer);
      auto payload = unseal(used);
      payload.used = env.now;
      used.ends = env.now + env.rules.rotation_grace + env.rules.keep_ended;
      commit_.emplace(predecessor_, *found(answer), std::move(used), std::move(payload));
    }
    SANCHO_RUN(*commit_);
  }
  {
    auto payload = unseal(*hand.record);
    payload.predecessor.reset();
    commit_.emplace(hand.key, *hand.record, *hand.record, std::move(payload));
  }
  SANCHO_RUN(*commit_);
  // Done twice it is the same, so a doubt does no harm.
  hand.record = std::move(commit_->now);
  if (!hand.record) return nullptr;
  follow_.emplace(std::move(hand), true);
  SANCHO_RUN(*follow_);
  hand = std::move(follow_->hand);
  SANCHO_END;
}

}  // namespace sancho::protocol
