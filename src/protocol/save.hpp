// # Saving
#pragma once

#include "protocol/delta.hpp"
#include "protocol/open.hpp"

namespace sancho::protocol {

// How the end of a request came out.
enum class Outcome {
  ok,        // there was nothing to write
  kept,      // written
  claimed,   // the token was consumed, by this request
  refused,   // the token was not there to be consumed
  dropped,   // the session had ended: nothing was written
  orphaned,  // likewise, but it had ended because it was empty
  won,       // a login: the new session is open
  lost,      // a login: another identity, a logout, or the end of all came first
  at_cap,    // a login: its user has as many sessions as the policy allows
  emptied,   // the session held nothing any more and is gone
  in_doubt,  // the store could not say
};

// A commit of a delta, complete: what `Save` asks first.
struct Amendment {
  Record record;
  Attempt attempt;
};
// Nothing where `amend` says nothing. `payload` is the record's.
std::optional<Amendment> amendment(Env& env, const Record& record, const PayloadView& payload, const Delta& delta);

// Commits `delta`: follows rotations, merges where others wrote, until it is
// kept or the session has ended. With `claim`, consumes that form token in the
// same commit, if it is still there.
class Save {
 public:
  Save(Hand from, Delta delta, std::optional<TokenDigest> claim = {})
      : hand(std::move(from)), delta_(std::move(delta)), claim_(claim) {}
  // That is the commit to begin with.
  Save(Hand from, Delta delta, std::optional<Amendment>&& first)
      : hand(std::move(from)), delta_(std::move(delta)), first_(std::move(first)) {}
  const Op* resume(Env& env, Answer& answer);

  Hand hand;
  Outcome outcome = Outcome::dropped;
  Attempt attempt = 0;     // claimed: by this attempt
  std::size_t merges = 0;  // how often somebody else had written in between

  // What was to be written, for whoever goes on with it.
  Delta take_delta() { return std::move(delta_); }

  // It is written, though the way to where the session is by now may fail.
  bool decided() const { return outcome == Outcome::kept || outcome == Outcome::claimed; }

 private:
  friend struct Inspect;
  int at_ = 0;
  Delta delta_;
  std::optional<TokenDigest> claim_;
  std::optional<Amendment> first_;
  std::optional<CommitOne> commit_;
  std::optional<Follow> follow_;
};

}  // namespace sancho::protocol
