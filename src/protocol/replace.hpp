// # A new id
//
// Create the successor pending, naming its predecessor; commit the old record
// to moved or ended, naming the successor: that commit is the decision; then
// activate. A crash between any two of these leaves a state that the next
// request reads right.
#pragma once

#include "protocol/enter.hpp"
#include "protocol/save.hpp"

namespace sancho::protocol {

// Rotation: the same session under a new id. The old id leads on to it for a
// grace, and everyone who holds the old id computes the same new one. However
// many rotate at once, one successor opens; the others follow it.
class Rotate {
 public:
  Rotate(Hand from, Delta delta) : hand(std::move(from)), delta_(std::move(delta)), next_(hand) {}
  const Op* resume(Env& env, Answer& answer);

  Hand hand;  // where it came out
  Outcome outcome = Outcome::dropped;
  bool rotated = false;  // by this request, not by another
  std::size_t merges = 0;

  // There is a new id, or what was to be written went into another's.
  bool decided() const { return rotated || (save_ && save_->decided()); }

 private:
  // What the successor is to hold.
  Record copy_record(const Env& env) const;
  Payload copy_payload(const Env& env) const;
  void decide();

  friend struct Inspect;
  int at_ = 0;
  Delta delta_;
  Nonce nonce_{};
  bool decided_ = false;
  Hand next_;
  std::optional<CreateOne> create_;
  std::optional<CommitOne> commit_;
  std::optional<Follow> follow_;
  std::optional<Save> save_;
  Op op_;
};

// A new session, complete but for id and version.
struct Heir {
  // Not `= default`: made in a place that is there, it would be filled with zeros before.
  Heir() {}

  Record record;
  Payload payload;
  // The CSRF secret that its page's forms were made with, to be masked with its id.
  // Without one the payload's is the masked one already: what nobody has been told
  // may be any.
  std::optional<Secret32> secret = {};

  void mask_for(const SessionId& id) {
    if (secret) payload.csrf = *secret ^ csrf_mask(id);
  }
};

// Login and reauthentication: another identity's session, or the same one's
// under an id that the old one does not lead to. The new session holds what
// this request saw and wrote, never what others write meanwhile; and of two
// logins one wins.
class Replace {
 public:
  // `heir`: the new session, which has no predecessor yet.
  Replace(Hand from, EndReason why, Heir heir, std::optional<Terms> terms)
      : hand(std::move(from)), why_(why), heir_(std::move(heir)), terms_(terms) {}
  const Op* resume(Env& env, Answer& answer);

  Hand hand;                  // the predecessor, as it was found last
  std::optional<Hand> opened; // won: the new session
  Outcome outcome = Outcome::lost;
  bool decided = false;       // the predecessor has ended for this heir
  // Who gave way to it, also where it failed then.
  std::vector<Handle> evicted() const { return enter_ ? enter_->evicted : std::vector<Handle>(); }

 private:
  // The heir, as it is before the decision.
  Record candidate(const Env& env) const;

  friend struct Inspect;
  int at_ = 0;
  EndReason why_;
  Heir heir_;
  std::optional<Terms> terms_;
  std::optional<Hand> next_;
  std::optional<Enter> enter_;
  std::optional<CommitOne> commit_;
  std::optional<Follow> follow_;
  Op op_;
};

// A session out of nothing.
class Fresh {
 public:
  Fresh(Heir&& heir, const std::optional<Terms>& terms) : heir_(std::move(heir)), terms_(terms) {}
  const Op* resume(Env& env, Answer& answer);

  std::optional<Hand> opened;            // nothing: refused
  Outcome outcome = Outcome::lost;
  std::vector<Handle> evicted() const { return enter_ ? enter_->evicted : std::vector<Handle>(); }

 private:
  friend struct Inspect;
  int at_ = 0;
  Heir heir_;
  std::optional<Terms> terms_;
  std::optional<SessionId> id_;
  std::optional<Enter> enter_;
};

}  // namespace sancho::protocol
