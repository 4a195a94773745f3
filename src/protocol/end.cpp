#include "protocol/end.hpp"

namespace sancho::protocol {

Tombstone tombstone(const Env& env, const Record& record, EndReason why, std::optional<SessionKey> successor) {
  const auto before = unseal(record);
  Tombstone t;
  t.record = record;
  t.record.state = State::ended;
  t.record.ends = env.now + env.rules.keep_ended;
  t.payload.attempts = before.attempts;
  t.payload.spent = before.spent;
  t.payload.predecessor = before.predecessor;
  t.payload.successor = successor;
  t.payload.why = why;
  t.payload.issued = before.issued;
  t.payload.unknown = before.unknown;
  return t;
}

const Op* End::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  while (key_) {
    if (!now_) {
      SANCHO_ASK(Load{*key_});
      if (auto* found = std::get_if<Found>(&answer)) now_ = std::move(found->record);
    }
    while (now_ && now_->state != State::ended) {
      {
        auto t = tombstone(env, *now_, EndReason::logout, PayloadView(*now_).successor);
        commit_.emplace(*key_, *now_, std::move(t.record), std::move(t.payload));
      }
      SANCHO_RUN(*commit_);
      if (commit_->verdict == CommitOne::Verdict::done) {
        begun = true;
        ended += now_->state == State::live;
      }
      now_ = std::move(commit_->now);
    }
    if (!now_ || PayloadView(*now_).why == EndReason::login) return nullptr;
    key_ = PayloadView(*now_).successor;
    now_.reset();
  }
  SANCHO_END;
}

LogOut::LogOut(const Env& env, std::optional<SessionId> presented, std::optional<Hand> hand) {
  if (presented && (!hand || !hand->record || !hand->id.same_as(*presented))) presented_.emplace(env.key_of(*presented));
  if (hand && hand->record) open_.emplace(hand->key, std::move(hand->record));
}

const Op* LogOut::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  if (presented_) SANCHO_RUN(*presented_);
  if (open_) SANCHO_RUN(*open_);
  SANCHO_END;
}

}  // namespace sancho::protocol
