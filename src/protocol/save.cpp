#include "protocol/save.hpp"

#include <algorithm>

namespace sancho::protocol {

namespace {
// Undoes a consumption, if the token's last one was by this attempt.
bool give_back(Payload& payload, const Spent& claim) {
  const auto last = std::find_if(payload.spent.rbegin(), payload.spent.rend(), [&](const Spent& s) { return s.token == claim.token; });
  if (last == payload.spent.rend() || last->attempt != claim.attempt) return false;
  payload.spent.erase(std::next(last).base());
  payload.tokens.push_back(claim.token);
  return true;
}
}  // namespace

std::optional<Amendment> amendment(Env& env, const Record& record, const PayloadView& payload, const Delta& delta) {
  if (delta.concerns_tokens()) return std::nullopt;
  std::optional<Amendment> made(std::in_place, columns_of(record), env.random.draw_u64());
  auto& next = made->record;
  next.accessed = std::max(next.accessed, env.now);
  next.version = record.version.after(made->attempt);
  auto bytes = amend(next, payload, delta, made->attempt, env.rules.keep_attempts, env.rules.max_tokens);
  if (!bytes) return std::nullopt;
  next.payload = *std::move(bytes);
  return made;
}

const Op* Save::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  while (hand.live()) {
    if (!first_ && !claim_) first_ = amendment(env, *hand.record, PayloadView(*hand.record), delta_);
    if (first_) {
      commit_.emplace(hand.key, hand.record->version, std::move(first_->record), first_->attempt);
      first_.reset();
    } else {
      auto payload = unseal(*hand.record);
      if (claim_ && std::erase(payload.tokens, *claim_) == 0) {
        outcome = Outcome::refused;
        return nullptr;
      }
      if (delta_.given_back && !give_back(payload, *delta_.given_back)) {
        outcome = Outcome::refused;
        return nullptr;
      }
      apply(payload, delta_, env.rules.max_tokens);
      Record next = columns_of(*hand.record);
      next.accessed = std::max(next.accessed, env.now);
      commit_.emplace(hand.key, *hand.record, std::move(next), std::move(payload), claim_);
    }
    SANCHO_RUN(*commit_);
    hand.record = std::move(commit_->now);
    if (commit_->verdict == CommitOne::Verdict::done) {
      attempt = commit_->attempt();
      outcome = claim_ ? Outcome::claimed : Outcome::kept;
      // It was mine, though the session may have moved on since.
      follow_.emplace(std::move(hand), true);
      SANCHO_RUN(*follow_);
      hand = std::move(follow_->hand);
      return nullptr;
    }
    if (commit_->verdict == CommitOne::Verdict::in_doubt) {
      outcome = Outcome::in_doubt;
      return nullptr;
    }
    if (commit_->verdict == CommitOne::Verdict::gone) {
      outcome = claim_ ? Outcome::refused : Outcome::dropped;
      return nullptr;
    }
    ++merges;
    follow_.emplace(std::move(hand), true);
    SANCHO_RUN(*follow_);
    hand = std::move(follow_->hand);
  }
  outcome = claim_ ? Outcome::refused : Outcome::dropped;
  if (!claim_ && hand.ended() && PayloadView(*hand.record).why == EndReason::empty) outcome = Outcome::orphaned;
  SANCHO_END;
}

}  // namespace sancho::protocol
