// # A request, from its cookie to its Set-Cookie
//
// `Begin` runs before the handler, `Finish` after it; what acts at once (a
// consumed token, a logout) runs between the two, on the same seat.
#pragma once

#include "protocol/end.hpp"
#include "protocol/replace.hpp"

namespace sancho::protocol {

// What a request found behind its cookie.
enum class Saw {
  nothing,  // no cookie, or one that opens nothing: a new visitor
  session,  // a live session
  ended,    // a tombstone: runs anonymous, writes nothing, sends no cookie
};

// Where a request sits. Held from its beginning to its end.
struct Seat {
  std::optional<SessionId> presented;  // what the browser sent
  Saw saw = Saw::nothing;
  std::optional<Hand> hand;  // session: its record, the newest this request knows
  // No other request is known to have written since this one began.
  bool alone = true;
  // Another request has ended the session under this one, in this way (none:
  // it is gone). Whoever it was, this request's login comes too late.
  std::optional<EndReason> overtaken;

  // Takes over what a machine came out with in the middle of the request.
  void now_at(Hand where);
  // The session has ended, by this request's own doing or under it.
  void leave();
};

// Is this record, of which that is the payload and to which the presented id leads,
// all that `Begin` looks at? Then it comes out with it.
bool opens_at_once(const Record& record, const PayloadView& payload);

class Begin {
 public:
  explicit Begin(std::optional<SessionId> presented) { seat.presented = std::move(presented); }
  const Op* resume(Env& env, Answer& answer);

  Seat seat;
  bool replayed = false;  // an id came back after its grace: stolen, or very late

 private:
  friend struct Inspect;
  int at_ = 0;
  std::optional<Open> open_;
  std::optional<FirstUse> first_use_;
};

// What a request wants at its end, decided by the session and the policy.
struct Intent {
  Intent() {}  // as `Heir`

  Delta delta;
  bool has_info = true;  // does the session hold anything worth keeping?
  bool touch = false;    // the access time is due
  bool rotate = false;   // a new id is due
  // login or reauth: another session takes over, which is `heir`.
  std::optional<EndReason> replace;
  // On what terms a login is let in; nothing where the store knows none.
  std::optional<Terms> terms;
  // The heir of a login, or what a visitor without a session gets. There is one
  // with `replace`, and wherever something is to be added and no user is there
  // already.
  std::optional<Heir> heir;
};

// Most writers change slots of a session that opened at once. What `Finish` asks
// first is this commit then, and if it is done, that is all: the record is in the
// seat's place. What else comes of it is the answer to the first question of a
// `Finish` that is made with it. `payload` is of the record in the seat.
std::optional<Amendment> first_commit(Env& env, const Seat& seat, const PayloadView& payload, const Intent& intent);

class Finish {
 public:
  Finish(const Seat& seat, Intent&& intent, std::optional<Amendment>&& first = {})
      : seat_(seat), intent_(std::move(intent)), first_(std::move(first)) {}
  const Op* resume(Env& env, Answer& answer);

  Outcome outcome = Outcome::ok;
  std::optional<Hand> hand;         // the live session this request ended in
  std::optional<SessionId> cookie;  // to be sent
  bool delete_cookie = false;
  bool created = false;   // a record that was not there, for a visitor or a login
  bool rotated = false;
  bool touched = false;   // a touch was acknowledged
  std::size_t merges = 0;

  // A new id was decided on, or what was to be saved is saved. What fails behind
  // that point is made good by the next request, so it can no longer be said
  // that nothing happened.
  bool decided() const {
    return (rotate_ && rotate_->decided()) || (replace_ && replace_->decided) || (save_ && save_->decided()) || !evicted().empty();
  }
  // Sessions of the same user that gave way to this login, also where it failed.
  std::vector<Handle> evicted() const {
    return replace_ ? replace_->evicted() : fresh_ ? fresh_->evicted() : std::vector<Handle>();
  }

 private:
  void came_to(Hand where);
  void make_fresh(Env& env, const std::optional<Terms>& terms);

  friend struct Inspect;
  int at_ = 0;
  Seat seat_;
  Intent intent_;
  std::optional<Amendment> first_;
  std::optional<Fresh> fresh_;
  std::optional<Replace> replace_;
  std::optional<Rotate> rotate_;
  std::optional<Save> save_;
  std::optional<CommitOne> commit_;
  std::optional<Follow> follow_;
  std::optional<Open> open_;
  Op op_;
};

}  // namespace sancho::protocol
