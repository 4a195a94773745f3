#include "protocol/request.hpp"

namespace sancho::protocol {

void Seat::now_at(Hand where) {
  if (!where.live()) {
    const auto why = where.ended() ? PayloadView(*where.record).why : EndReason::none;
    leave();
    overtaken = why;
    // Nobody logged out: what is written from here on is a new visitor's.
    if (why == EndReason::empty) saw = Saw::nothing;
    return;
  }
  hand = std::move(where);
}

void Seat::leave() {
  hand.reset();
  saw = Saw::ended;
  overtaken.reset();
}

// ## The beginning

bool opens_at_once(const Record& record, const PayloadView& payload) {
  return record.state == State::live && !payload.predecessor;
}

const Op* Begin::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  if (!seat.presented) return nullptr;
  open_.emplace(env, *seat.presented);
  SANCHO_RUN(*open_);
  replayed = open_->replayed;
  if (open_->hand.live() && open_->hand.id.same_as(*seat.presented) && PayloadView(*open_->hand.record).predecessor) {
    // The session is found already, should this bookkeeping fail.
    seat.saw = Saw::session;
    seat.hand = open_->hand;
    first_use_.emplace(std::move(open_->hand));
    SANCHO_RUN(*first_use_);
    open_->hand = std::move(first_use_->hand);
  }
  seat.saw = Saw::nothing;
  seat.hand.reset();
  if (open_->hand.live()) {
    seat.saw = Saw::session;
    seat.hand = std::move(open_->hand);
  } else if (open_->hand.ended() && PayloadView(*open_->hand.record).why != EndReason::empty) {
    // A session that ended because it was empty leaves a new visitor.
    seat.saw = Saw::ended;
  }
  SANCHO_END;
}

// ## The end

std::optional<Amendment> first_commit(Env& env, const Seat& seat, const PayloadView& payload, const Intent& intent) {
  if (!seat.hand || !seat.hand->live() || intent.replace || intent.rotate || !intent.has_info || intent.delta.empty())
    return std::nullopt;
  return amendment(env, *seat.hand->record, payload, intent.delta);
}

// A cookie leaves only for an id that the last answer showed live.
void Finish::came_to(Hand where) {
  if (!where.live()) return;
  if (!seat_.presented || !where.id.same_as(*seat_.presented)) cookie = where.id;
  hand = std::move(where);
}

// With what this request adds.
void Finish::make_fresh(Env& env, const std::optional<Terms>& terms) {
  apply(intent_.heir->payload, intent_.delta, env.rules.max_tokens);
  fresh_.emplace(*std::move(intent_.heir), terms);
}

const Op* Finish::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  if (!seat_.hand) {
    if (intent_.replace && seat_.overtaken && seat_.overtaken != EndReason::empty) {
      outcome = Outcome::lost;
      return nullptr;
    }
    if (intent_.replace || (seat_.saw == Saw::nothing && intent_.has_info && intent_.delta.adds())) {
      make_fresh(env, intent_.terms);
      SANCHO_RUN(*fresh_);
      created = fresh_->outcome == Outcome::won;
      outcome = created && !intent_.replace ? Outcome::kept : fresh_->outcome;
      if (created) came_to(std::move(*fresh_->opened));
    } else if (!intent_.delta.empty()) {
      outcome = Outcome::dropped;
    }
    return nullptr;
  }

  if (intent_.replace) {
    apply(intent_.heir->payload, intent_.delta, env.rules.max_tokens);
    replace_.emplace(std::move(*seat_.hand), *intent_.replace, *std::move(intent_.heir), intent_.terms);
    SANCHO_RUN(*replace_);
    outcome = replace_->outcome;
    created = outcome == Outcome::won;
    if (created) came_to(std::move(*replace_->opened));
    return nullptr;
  }

  if (!intent_.has_info && seat_.alone) {
    {
      auto t = tombstone(env, *seat_.hand->record, EndReason::empty, std::nullopt);
      commit_.emplace(seat_.hand->key, *seat_.hand->record, std::move(t.record), std::move(t.payload));
    }
    SANCHO_RUN(*commit_);
    if (commit_->verdict == CommitOne::Verdict::done) {
      outcome = Outcome::emptied;
      delete_cookie = seat_.presented.has_value();
      return nullptr;
    }
    if (commit_->verdict != CommitOne::Verdict::conflict) {
      outcome = commit_->verdict == CommitOne::Verdict::in_doubt ? Outcome::in_doubt : Outcome::dropped;
      return nullptr;
    }
    // Somebody else has changed it since, so it is not for us to end.
    ++merges;
    seat_.hand->record = std::move(commit_->now);
    follow_.emplace(std::move(*seat_.hand), true);
    SANCHO_RUN(*follow_);
    seat_.hand = std::move(follow_->hand);
    if (intent_.delta.empty()) {
      came_to(std::move(*seat_.hand));
      return nullptr;
    }
  }

  if (intent_.rotate && seat_.hand->live()) {
    rotate_.emplace(std::move(*seat_.hand), intent_.delta);
    SANCHO_RUN(*rotate_);
    outcome = rotate_->outcome;
    rotated = rotate_->rotated;
    merges += rotate_->merges;
    seat_.hand = std::move(rotate_->hand);
  } else if (!intent_.delta.empty()) {
    save_.emplace(std::move(*seat_.hand), std::move(intent_.delta), std::move(first_));
    SANCHO_RUN(*save_);
    outcome = save_->outcome;
    merges += save_->merges;
    seat_.hand = std::move(save_->hand);
  } else {
    if (intent_.touch) {
      SANCHO_ASK((Touch{seat_.hand->key, seat_.hand->record->version.incarnation, env.now}));
      touched = std::holds_alternative<Done>(answer);
    }
    if (!seat_.presented || !seat_.hand->id.same_as(*seat_.presented)) {
      // Led here from an older id, at the beginning: is it still so?
      open_.emplace(env, seat_.hand->id);
      SANCHO_RUN(*open_);
      seat_.hand = std::move(open_->hand);
    }
  }

  if (outcome == Outcome::orphaned) {
    // What it was written into had ended for being empty: a new visitor's.
    if (save_) intent_.delta = save_->take_delta();
    if (intent_.heir && intent_.delta.adds()) {
      make_fresh(env, std::nullopt);
      SANCHO_RUN(*fresh_);
      created = fresh_->outcome == Outcome::won;
      outcome = created ? Outcome::kept : Outcome::dropped;
      if (created) came_to(std::move(*fresh_->opened));
    } else {
      outcome = Outcome::dropped;
    }
    return nullptr;
  }
  if (outcome == Outcome::ok || outcome == Outcome::kept) came_to(std::move(*seat_.hand));
  SANCHO_END;
}

}  // namespace sancho::protocol
